// Measures the shared build cache with 100 functions: shares that run at the same time, and the sync after them on a machine
// without tools. Usage: node scripts/bench-cache.mjs ENDPOINT [SHARES]. ENDPOINT: an emulator, for example of
// `sam-sync cloud start`. Needs npm, and Python 3.13 with pip. Results are in docs/build-cache.md.
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const [endpoint, shares = '5'] = process.argv.slice(2);
if (endpoint === undefined) throw new Error('Usage: node scripts/bench-cache.mjs ENDPOINT [SHARES]');
const PROGRAM = path.join(path.dirname(import.meta.dirname), 'bin', 'sam-sync.cjs');
const FUNCTIONS = 100;
const MANIFEST = JSON.stringify({ name: 'bench', version: '1.0.0', dependencies: { uuid: '9.0.1', ms: '2.1.3' } });
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

const count = Number(shares);
const fills = await Promise.all(
  Array.from({ length: count }, (_, index) =>
    measure(checkout(`share-${index}`), [
      'cache',
      'fill',
      '--build-cache',
      `file:${cache}`,
      '--shard',
      `${index + 1}/${count}`,
    ]),
  ),
);
console.log(`${count} shares at once: largest ${Math.max(...fills.map(({ seconds }) => seconds)).toFixed(1)} s`);
console.log('  builds written:', fills.map(({ document }) => document.written).join(' + '));

const bare = path.join(base, 'bare');
fs.mkdirSync(bare);
const withoutTools = { PATH: bare, HOME: bare, USERPROFILE: bare };
const second = checkout('second');
const taken = await measure(second, sync('taken', ['--build-cache', `file:${cache}`]), withoutTools);
console.log(`sync without tools: ${taken.seconds.toFixed(1)} s`, JSON.stringify(taken.document.buildCache));
const built = await measure(second, sync('built', ['--build-cache', `file:${cache}`]), withoutTools);
console.log(`sync of the same builds into a new stack: ${built.seconds.toFixed(1)} s`);
const edited = checkout('edited');
for (const name of fs.readdirSync(edited)) {
  const file = ['app.py', 'app.js', 'app.ts'].map((one) => path.join(edited, name, one)).find(fs.existsSync);
  if (file) fs.appendFileSync(file, '\n');
}
const packages = await measure(edited, sync('edited', ['--build-cache', `file:${cache}`]), { HOME: bare });
console.log(
  `sync of 100 edited functions: ${packages.seconds.toFixed(1)} s`,
  JSON.stringify(packages.document.buildCache),
);
fs.rmSync(base, { recursive: true });

/** Two fifths each Python and Node.js with packages, one fifth esbuild. */
function kindOf(index) {
  return ['python', 'node', 'python', 'node', 'esbuild'][index % 5];
}

function checkout(name) {
  const dir = path.join(base, name);
  const lines = ['Transform: AWS::Serverless-2016-10-31', 'Resources:'];
  for (let index = 0; index < FUNCTIONS; index++) {
    const folder = path.join(dir, `f${index}`);
    fs.mkdirSync(folder, { recursive: true });
    const kind = kindOf(index);
    const write = (file, text) => fs.writeFileSync(path.join(folder, file), text);
    const properties = `CodeUri: f${index}, Handler: app.handler, Runtime: ${kind === 'python' ? 'python3.13' : 'nodejs22.x'}`;
    const metadata =
      kind === 'esbuild' ? ' Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [app.ts] } },' : '';
    lines.push(`  F${index}: { Type: AWS::Serverless::Function,${metadata} Properties: { ${properties} } }`);
    if (kind === 'python') {
      write('requirements.txt', 'idna==3.7\ncertifi==2024.7.4\n');
      write('app.py', `def handler(event, context):\n    return ${index}\n`);
    } else if (kind === 'node') {
      write('package.json', MANIFEST);
      write('package-lock.json', lock);
      write('app.js', `exports.handler = async () => ${index};\n`);
    } else write('app.ts', `export const handler = async (): Promise<number> => ${index};\n`);
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

async function measure(cwd, words, env = {}) {
  const started = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...words, '--output', 'json'], { cwd, env: { ...others, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`exit code ${code} of ${words.join(' ')}\n${stderr}`);
  return { seconds: (performance.now() - started) / 1000, document: JSON.parse(stdout) };
}
