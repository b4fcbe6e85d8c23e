// Does the memory of a watch stay flat? Saves a file of one of ten functions 2,000 times (or as often as the first argument
// says), each save with new content, and prints the resident memory of the watch and of the processes that it started:
// after the first 100 saves, after each further tenth, and at the end. Exit code 1 if it grew by more than 20 %.
import { spawn, execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SAVES = Number(process.argv[2] ?? 2_000);
const FIRST = 100;
const MOST_GROWTH = 1.2;
const BIN = fileURLToPath(new URL('../bin/sam-sync.mjs', import.meta.url));
const env = { SAM_SYNC_CLOUD_PORT: '4650', SAM_SYNC_CLOUD_STATE_DELAY: '0', ...process.env };

const FUNCTIONS = Array.from({ length: 10 }, (_, n) =>
  n % 2 === 0
    ? {
        id: `Fn${n}`,
        file: `Fn${n}/app.py`,
        code: (v) => `def handler(event, context):\n    return ${v}\n`,
        runtime: 'python3.11',
        metadata: '',
      }
    : {
        id: `Fn${n}`,
        file: `Fn${n}/app.ts`,
        code: (v) => `export const handler = async () => ${v};\n`,
        runtime: 'nodejs22.x',
        metadata: 'Metadata: {BuildMethod: esbuild}, ',
      },
);

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'watch-memory-'));
const resources = FUNCTIONS.map(
  ({ id, runtime, metadata }) =>
    `  ${id}: {Type: AWS::Serverless::Function, ${metadata}Properties: {Runtime: ${runtime}, CodeUri: ${id}, Handler: app.handler}}\n`,
);
await fs.writeFile(
  path.join(dir, 'template.yaml'),
  `Transform: AWS::Serverless-2016-10-31\nResources:\n${resources.join('')}`,
);
for (const { id, file, code } of FUNCTIONS) {
  await fs.mkdir(path.join(dir, id));
  await fs.writeFile(path.join(dir, file), code(0));
}

// a process of its own: its memory is no part of the watch's
execFileSync(process.execPath, [BIN, 'cloud', 'start'], { env });
const args = ['--local', '--watch', '--output', 'json', '--stack-name', `memory-${process.pid}`];
const watch = spawn(process.execPath, [BIN, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'ignore'] });
const events = createInterface({ input: watch.stdout })[Symbol.asyncIterator]();

/** Waits for events until `isEnough` says so. */
async function until(isEnough) {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('the watch has ended');
    const event = JSON.parse(value);
    if (event.state === 'failed') throw new Error(value);
    if (isEnough(event)) return;
  }
}

/** Resident memory of the watch and its descendants in MB. */
function residentMemory() {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const sum = (pid) => rows.reduce((total, [child, parent]) => total + (parent === pid ? sum(child) : 0), own(pid));
  const own = (pid) => rows.find(([id]) => id === pid)?.[2] ?? 0;
  return sum(watch.pid) / 1024;
}

try {
  await until(({ event }) => event === 'ready');
  console.log(`ready            ${residentMemory().toFixed(1)} MB`);
  let first = 0;
  let last = 0;
  for (let saves = 0; saves < SAVES;) {
    const waiting = new Set();
    for (const { id, file, code } of FUNCTIONS) {
      waiting.add(id);
      await fs.writeFile(path.join(dir, file), code(++saves));
    }
    await until(({ resource, state, changed }) => {
      if (state === 'in-sync' && changed) waiting.delete(resource);
      return waiting.size === 0;
    });
    last = residentMemory();
    if (saves === FIRST) first = last;
    if (saves === FIRST || saves % (SAVES / 10) === 0)
      console.log(`${saves} saves`.padEnd(17) + `${last.toFixed(1)} MB`);
  }
  const growth = last / first;
  console.log(`from ${FIRST} to ${SAVES} saves: ${((growth - 1) * 100).toFixed(1)} % (limit 20 %)`);
  process.exitCode = growth > MOST_GROWTH ? 1 : 0;
} finally {
  watch.kill('SIGINT');
  execFileSync(process.execPath, [BIN, 'cloud', 'stop'], { env });
  await fs.rm(dir, { recursive: true, force: true });
}
