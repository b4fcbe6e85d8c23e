import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { functions, nested, node, python, times } from './apps.ts';
import type { App } from './apps.ts';
import type { Bench, BenchCase, Subject } from './bench-case.ts';
import { prepareCopy, syncAgain, syncFirst } from './commands.ts';
import type { Copy } from './commands.ts';
import type { Goal, Row } from './rows.ts';
import { startWatch } from './watch.ts';
import type { Watch } from './watch.ts';

const MEGABYTE = 1_000_000;
/** Of another stack, as a stack holds 500 resources. */
const ROLE = 'arn:aws:iam::000000000000:role/functions';
/** Functions with ten files each. */
const many = (count: number, seed: string): App =>
  functions(times(count, python()), { seed, moreFiles: 9, role: ROLE });

/** 500 functions beside 10 of the same kind; only ours: SAM CLI would take minutes. */
export async function growth(bench: Bench): Promise<Row[]> {
  const first = await bench.compare({
    id: 'first-500',
    title: 'first plain sync, 500 functions, 5,000 files',
    goals: [{ kind: 'peak', bytes: 250 * MEGABYTE }],
    subjects: [
      await syncFirst(bench, { tool: 'ours', name: 'first', app: (seed) => many(500, seed), rounds: 1, slow: true }),
    ],
  });
  const small = await prepareCopy(bench, { tool: 'ours', name: 'small', app: many(10, 'small') });
  const large = await prepareCopy(bench, { tool: 'ours', name: 'large', app: many(500, 'large') });
  const rounds = 8;
  const none = await bench.compare({
    id: 'plain-none-500',
    title: 'plain sync, 500 functions, 5,000 files, nothing changed',
    goals: [
      { kind: 'within', times: 4, of: '10 functions' },
      { kind: 'peak', bytes: 250 * MEGABYTE },
    ],
    subjects: [syncAgain(large, { rounds }), syncAgain(small, { rounds, name: '10 functions' })],
  });
  return [first, none];
}

/** What a large repository may take with 1,000 functions; four times as many take at most 4.4 times as much. */
const LARGE = { firstMs: 5_000, noneMs: 900, codeMs: 350, watchMs: 1_500, peakBytes: 161 * MEGABYTE };
const PER_STACK = 200;

/** A case of so many thousand functions in nested stacks, ten files each. */
export function nestedCase(thousands: number): BenchCase {
  const title = `${thousands},000 functions in ${(thousands * 1_000) / PER_STACK} nested stacks, ${thousands * 10},000 files`;
  return { name: `nested-${thousands}000`, about: title, run: (bench) => nestedStacks(bench, thousands, title) };
}

async function nestedStacks(bench: Bench, thousands: number, title: string): Promise<Row[]> {
  const app = (seed: string): App =>
    nested(times(thousands * 1_000, python()), { seed, moreFiles: 9, role: ROLE }, PER_STACK);
  const share = thousands === 1 ? 1 : thousands * 1.1;
  const peak: Goal = { kind: 'peak', bytes: share * LARGE.peakBytes };
  const id = `nested-${thousands}000`;
  const copy = await prepareCopy(bench, { tool: 'ours', name: 'large', app: app('large') });
  const none = await bench.compare({
    id: `${id}-none`,
    title: `plain sync, ${title}, nothing changed`,
    goals: [{ kind: 'time', ms: share * LARGE.noneMs }, peak],
    subjects: [syncAgain(copy, { rounds: 6 })],
  });
  const args = ['--code', '--resource-id', copy.app.functionId];
  const code = await bench.compare({
    id: `${id}-code`,
    title: `\`--code --resource-id\`, ${title}, one changed`,
    goals: [{ kind: 'time', ms: share * LARGE.codeMs }],
    subjects: [syncAgain(copy, { args, rounds: 6, edits: true })],
  });
  const watch = await bench.compare({
    id: `${id}-watch`,
    title: `watch, ${title}: command → ready`,
    goals: [{ kind: 'time', ms: share * LARGE.watchMs }],
    subjects: [watchReady(copy)],
  });
  // last: its functions would be in the lists of the others
  const first = await bench.compare({
    id: `${id}-first`,
    title: `first plain sync, ${title}`,
    goals: [{ kind: 'time', ms: share * LARGE.firstMs }, peak],
    subjects: [await syncFirst(bench, { tool: 'ours', name: 'first', app, rounds: 2, slow: true })],
  });
  return [first, none, code, watch];
}

function watchReady(copy: Copy): Subject {
  return {
    name: 'ours',
    rounds: 3,
    proxy: copy.way.proxy,
    round: async () => {
      const watch = await startWatch(copy);
      const residentBytes = watch.resident();
      await watch.stop();
      return { ms: watch.readyMs, residentBytes };
    },
  };
}

/** From the `watching` event, reported when the templates are read, to the end of the initial sync. */
export async function watchStart(bench: Bench): Promise<Row[]> {
  const copy = await prepareCopy(bench, { tool: 'ours', name: 'watched', app: many(500, 'watched') });
  const subject: Subject = {
    name: 'ours',
    rounds: 4,
    proxy: copy.way.proxy,
    round: async () => {
      const watch = await startWatch(copy);
      const lines = watch
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'));
      const events = lines.map((line) => JSON.parse(line) as { event: string; time: string });
      const at = (name: string): number => Date.parse(events.find(({ event }) => event === name)?.time ?? '');
      const residentBytes = watch.resident();
      await watch.stop();
      return { ms: at('ready') - at('watching'), residentBytes };
    },
  };
  const title = 'watch, 500 functions, 5,000 files: templates read → ready';
  return [await bench.compare({ id: 'watch-start', title, goals: [{ kind: 'time', ms: 1_000 }], subjects: [subject] })];
}

/** One function of 5,000 files beside 20,000 in `node_modules`: what a watch takes to begin, and to end. */
export async function watchLarge(bench: Bench): Promise<Row[]> {
  const app = functions([node({})], { seed: 'large', moreFiles: 4_999 });
  const copy = await prepareCopy(bench, { tool: 'ours', name: 'large', app });
  const modules = path.join(copy.dir, path.dirname(app.edited.file), 'node_modules');
  for (let n = 0; n < 800; n++) {
    const folder = path.join(modules, `package-${n}`);
    await fs.mkdir(folder, { recursive: true });
    for (let file = 0; file < 25; file++) await fs.writeFile(path.join(folder, `m${file}.js`), `exports.n = ${n};\n`);
  }
  const subject = (name: string, measured: (watch: Watch) => Promise<number>): Subject => ({
    name,
    rounds: 4,
    proxy: copy.way.proxy,
    round: async () => {
      const watch = await startWatch(copy);
      try {
        return { ms: await measured(watch) };
      } finally {
        await watch.stop();
      }
    },
  });
  const title = 'watch, 5,000 files beside 20,000 in node_modules';
  return [
    await bench.compare({
      id: 'watch-large',
      title: `${title}: command → ready`,
      goals: [{ kind: 'time', ms: 3_000 }],
      subjects: [subject('ours', async (watch) => watch.readyMs)],
    }),
    await bench.compare({
      id: 'watch-end',
      title: `${title}: Ctrl-C → ended`,
      goals: [{ kind: 'time', ms: 1_000 }],
      subjects: [
        subject('ours', async (watch) => {
          const started = performance.now();
          await watch.stop();
          return performance.now() - started;
        }),
      ],
    }),
  ];
}

/** A function with 100 MB that no zip makes smaller. */
export async function bigZip(bench: Bench): Promise<Row[]> {
  const app = functions([python()], { seed: 'big' });
  const subject = await syncFirst(bench, { tool: 'ours', name: 'big', app: () => app, rounds: 2, slow: true });
  const withFile: Subject = {
    ...subject,
    round: async (round) => {
      const folder = path.join(bench.folder(`big-ours-${round}`), 'functions', 'f000');
      await fs.mkdir(folder, { recursive: true });
      await fs.writeFile(path.join(folder, 'model.bin'), randomBytes(100 * MEGABYTE));
      return subject.round(round);
    },
  };
  const title = 'first plain sync, one function of 100 MB';
  // less than twice the file beside what Node itself takes: it is never held
  return [
    await bench.compare({
      id: 'big-zip',
      title,
      goals: [{ kind: 'peak', bytes: 180 * MEGABYTE }],
      subjects: [withFile],
    }),
  ];
}
