// Measures the shared build cache with 100 functions: shares that run at the same time, and the sync after them on a machine
// without tools. Usage: node scripts/bench-cache.mjs ENDPOINT [SHARES]. ENDPOINT: an emulator, for example of
// `sam-sync cloud start`. Needs Linux or macOS and npm; kinds of functions whose tool is not on PATH are left out (for Rust,
// .cache/tools has cargo-lambda after the tests ran). Results are in docs/build-cache.md.
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { KINDS, MANIFEST } from './bench-cache-functions.mjs';

const [endpoint, shares = '5'] = process.argv.slice(2);
if (endpoint === undefined) throw new Error('Usage: node scripts/bench-cache.mjs ENDPOINT [SHARES]');
const PROGRAM = path.join(path.dirname(import.meta.dirname), 'bin', 'sam-sync.cjs');
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-cache-'));
const cache = path.join(base, 'cache');
const run = Date.now().toString(36);

const lock = makeLock();
const others = {
  ...process.env,
  CI: '1',
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
};

const functions = listFunctions();
console.log(functions.length, 'functions:', listCounts(functions.map(({ name }) => name)));

const count = Number(shares);
const place = ['--build-cache', `file:${cache}`];
const fills = await Promise.all(
  Array.from({ length: count }, (_, index) =>
    measure(checkout(`share-${index}`), ['cache', 'fill', ...place, '--shard', `${index + 1}/${count}`]),
  ),
);
console.log(`${count} shares at once: largest ${Math.max(...fills.map(({ seconds }) => seconds)).toFixed(1)} s`);
console.log('  builds written:', fills.map(({ document }) => document.written).join(' + '));

const bare = path.join(base, 'bare');
fs.mkdirSync(bare);
const withoutTools = { PATH: bare, HOME: bare, USERPROFILE: bare };
const second = checkout('second');
const taken = await measure(second, sync('taken', place), withoutTools);
report('sync without tools', taken);
report('sync of the same builds into a new stack', await measure(second, sync('built', place), withoutTools));
const edited = checkout('edited');
for (const [index, { source }] of functions.entries()) fs.appendFileSync(path.join(edited, `f${index}`, source), '\n');
report('sync of edited functions', await measure(edited, sync('edited', place)));
fs.rmSync(base, { recursive: true });

function report(what, { seconds, processor, calls, document: { buildCache } }) {
  console.log(`${what}: ${seconds.toFixed(1)} s, ${processor} of processor time`, JSON.stringify(buildCache));
  console.log('  calls:', listCounts(calls));
}

function listCounts(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

function listFunctions() {
  const all = Object.entries(KINDS).flatMap(([name, kind]) => {
    if (isOnPath(kind.tool)) return Array.from({ length: kind.count }, () => ({ name, ...kind }));
    console.log(`without ${name}: ${kind.tool} is not on PATH`);
    return [];
  });
  // builds of one kind that follow each other would all be in one share
  return all
    .map((one, index) => ({ one, at: (index * 37) % all.length }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => fs.existsSync(path.join(folder, program)));
}

function checkout(name) {
  const dir = path.join(base, name);
  const lines = ['Transform: AWS::Serverless-2016-10-31', 'Resources:'];
  for (const [index, { properties, metadata, files }] of functions.entries()) {
    for (const [file, text] of Object.entries(files(index, lock))) {
      const target = path.join(dir, `f${index}`, file);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.writeFileSync(target, text);
    }
    const extra = metadata === undefined ? '' : ` Metadata: { ${metadata} },`;
    lines.push(
      `  F${index}: { Type: AWS::Serverless::Function,${extra} Properties: { CodeUri: f${index}, ${properties} } }`,
    );
  }
  fs.writeFileSync(path.join(dir, 'template.yaml'), lines.join('\n'));
  return dir;
}

function makeLock() {
  const dir = path.join(base, 'lock');
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, 'package.json'), MANIFEST);
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], {
    cwd: dir,
    stdio: 'ignore',
    shell: process.platform === 'win32',
  });
  return fs.readFileSync(path.join(dir, 'package-lock.json'), 'utf8');
}

function sync(name, words) {
  return ['sync', '--stack-name', `bench-${run}-${name}`, '--s3-prefix', `${run}-${name}`, '--yes', ...words];
}

/** Runs a command. `processor`: user and system time of it and its children. `calls`: AWS's operations, from --debug. */
async function measure(cwd, words, env = {}) {
  const started = performance.now();
  const script = '"$@"; code=$?; times >&2; exit $code';
  const args = ['-c', script, 'sh', process.execPath, PROGRAM, ...words, '--output', 'json', '--debug'];
  const child = spawn('/bin/sh', args, { cwd, env: { ...others, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`exit code ${code} of ${words.join(' ')}\n${stderr.slice(-2000)}`);
  const processor = stderr.trim().split('\n').at(-1).split(' ').join(' + ');
  const calls = [...stderr.matchAll(/^ {2}([A-Z]\w+\.\w+) [\d.]+ s/gm)].map(([, name]) => name);
  return { seconds: (performance.now() - started) / 1000, processor, calls, document: JSON.parse(stdout) };
}
