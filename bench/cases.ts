import { esbuild, functions, node, python, times } from './apps.ts';
import type { App } from './apps.ts';
import type { Bench, BenchCase, Subject } from './bench-case.ts';
import { floorOf, prepareCopy, syncAgain, syncFirst, writeCopy } from './commands.ts';
import type { Copy, Repeated } from './commands.ts';
import { largePackages, layers } from './layers.ts';
import { measure } from './measure.ts';
import type { Goal, Row } from './rows.ts';
import { syncCommand } from './tools.ts';
import type { Tool } from './tools.ts';
import { workspace } from './workspace.ts';
import { bigZip, growth, nestedCase, watchLarge, watchStart } from './growth.ts';
import { saveAgain, startWatch } from './watch.ts';
import { WATCH_SETTING } from './watch-setting.ts';
import type { Watch } from './watch.ts';

const TOOLS: readonly Tool[] = ['ours', 'peer'];
/** What a call to a real region takes (ms). */
const LATENCY = 60;
/** What the emulator takes for an update as it is (seconds); at 0 only the tools' own time is seen. */
const STATE_DELAY = 0.5;

const SIX = ['six==1.17.0'];
const MS = { ms: '2.1.3' };
const PYTHON_PACKAGES = ['requests==2.32.5', 'PyYAML==6.0.3', 'pydantic==2.12.5'];
const NODE_PACKAGES = { axios: '1.13.2', lodash: '4.17.21', zod: '4.1.13' };

const tenFunctions = (seed: string): App => functions([...times(5, python(SIX)), ...times(5, node(MS))], { seed });
const hundredFunctions = (seed: string): App => functions([...times(50, python()), ...times(50, node({}))], { seed });

/** All cases, in the order of the table. */
export const CASES: readonly BenchCase[] = [
  { name: 'help', about: 'the help page', run: help },
  { name: 'ten', about: '10 functions, plain syncs, on loopback and with 60 ms a call', run: ten },
  { name: 'hundred', about: '100 functions: first, nothing changed, --code', run: hundred },
  ...codeCases('python', () => functions([python(SIX)], { seed: 'code' }), 10),
  ...codeCases('node', () => functions([node(MS)], { seed: 'code' }), 10),
  ...codeCases('esbuild', () => functions([esbuild()], { seed: 'code' }), 8),
  watchCase('python', () => functions([python(SIX)], { seed: 'watch' })),
  watchCase('esbuild', () => functions([esbuild()], { seed: 'watch' })),
  {
    ...watchCase('python', () => functions([python(SIX)], { seed: 'watch' }), '-tls'),
    roundTrip: LATENCY,
  },
  WATCH_SETTING,
  { name: 'watch-memory', about: 'resident memory of a watch, 10 functions', run: watchMemory },
  firstCase('python', (seed) => functions(times(20, python(PYTHON_PACKAGES)), { seed })),
  firstCase('node', (seed) => functions(times(20, node(NODE_PACKAGES)), { seed })),
  { name: 'large-first', about: 'the first sync of numpy and others, with pip and with uv', run: largePackages },
  {
    name: 'layers',
    about: 'a function of 24 MB: a change of one line, with and without dependency layers',
    run: layers,
  },
  { name: 'growth', about: '500 functions, 5,000 files: nothing changed, memory', run: growth },
  nestedCase(1),
  nestedCase(4),
  { name: 'watch-start', about: '500 functions, 5,000 files: the start of a watch', run: watchStart },
  {
    name: 'watch-large',
    about: '5,000 files beside 20,000 in node_modules: start and end of a watch',
    run: watchLarge,
  },
  { name: 'workspace', about: 'an npm workspace of 100 functions, 5,000 packages: nothing changed', run: workspace },
  { name: 'big-zip', about: 'a zip of 100 MB: memory', run: bigZip },
];

async function help(bench: Bench): Promise<Row[]> {
  const subject = async (tool: Tool, rounds: number): Promise<Subject> => {
    const { proxy, env } = await bench.way(tool);
    const command = syncCommand(tool, ['--help'], { dir: bench.folder('first'), env });
    return { name: tool, rounds, proxy, round: () => measure(command) };
  };
  const goals: Goal[] = [{ kind: 'faster', times: 10 }];
  const subjects = [await subject('ours', 11), await subject('peer', 5)];
  return [await bench.compare({ id: 'help', title: '`sync --help`', goals, subjects })];
}

async function ten(bench: Bench): Promise<Row[]> {
  const copies = await prepareCopies(bench, 'ten', tenFunctions);
  const none = (rounds: number) => again(copies, { ours: { rounds: rounds * 2 }, peer: { rounds } });
  const one = (rounds: number) =>
    again(copies, { ours: { rounds: rounds * 2, edits: true }, peer: { rounds, edits: true } });
  const title = 'plain sync, 10 functions (python and node)';
  return [
    await bench.compare({
      id: 'plain-none',
      title: `${title}, nothing changed`,
      goals: [
        { kind: 'faster', times: 12 },
        { kind: 'calls', most: 3 },
      ],
      subjects: none(4),
    }),
    await bench.compare({
      id: 'plain-one',
      title: `${title}, one changed`,
      goals: [{ kind: 'faster', times: 10 }],
      subjects: one(4),
    }),
    await bench.compare({
      id: 'plain-none-60',
      title: `the same, nothing changed, ${LATENCY} ms a call`,
      goals: [],
      subjects: none(2),
      latency: LATENCY,
    }),
    await bench.compare({
      id: 'plain-one-60',
      title: `the same, one changed, ${LATENCY} ms a call`,
      goals: [{ kind: 'time', ms: 600 }],
      subjects: one(2),
      latency: LATENCY,
    }),
  ];
}

async function hundred(bench: Bench): Promise<Row[]> {
  const first = await bench.compare({
    id: 'first-100',
    title: 'first plain sync, 100 functions (python and node) without dependencies',
    goals: [{ kind: 'faster', times: 15 }],
    subjects: [
      await syncFirst(bench, { tool: 'ours', name: 'first', app: hundredFunctions, rounds: 4 }),
      await syncFirst(bench, { tool: 'peer', name: 'first', app: hundredFunctions, rounds: 1, slow: true }),
    ],
  });
  const copies = await prepareCopies(bench, 'hundred', hundredFunctions);
  const none = await bench.compare({
    id: 'plain-none-100',
    title: 'plain sync, 100 functions, nothing changed',
    goals: [{ kind: 'faster', times: 50 }],
    subjects: again(copies, { ours: { rounds: 8 }, peer: { rounds: 2, slow: true } }),
  });
  const args = ['--code'];
  const code = await bench.compare({
    id: 'code-none-100',
    title: '`--code`, 100 functions, nothing changed',
    goals: [{ kind: 'faster', times: 60 }],
    subjects: again(copies, { ours: { rounds: 8, args }, peer: { rounds: 1, slow: true, args } }),
  });
  return [first, none, code];
}

/** One function, `--code --resource-id`: with no waiting for Lambda, as the emulator is, and, for python, far away. */
function codeCases(kind: string, app: () => App, atLeast: number): BenchCase[] {
  const title = `\`--code --resource-id\`, one function changed, ${kind}`;
  const row = async (bench: Bench, about: { suffix: string; words: string; goals: Goal[]; latency?: number }) => {
    const copies = await prepareCopies(bench, `${kind}${about.suffix}`, app);
    const repeated = { edits: true, args: ['--code', '--resource-id', 'Function000'] };
    const subjects = again(copies, { ours: { ...repeated, rounds: 10 }, peer: { ...repeated, rounds: 4 } });
    const [ours] = copies;
    if (ours !== undefined) subjects.splice(1, 0, floorOf(ours, await bench.way('floor'), 10));
    const { suffix, words, ...rest } = about;
    return bench.compare({ id: `code-${kind}${suffix}`, title: `${title}${words}`, subjects, ...rest });
  };
  const cases: BenchCase[] = [
    {
      name: `code-${kind}`,
      about: `one ${kind} function, --code`,
      run: async (bench) => [
        await row(bench, {
          suffix: '',
          words: '',
          goals: [
            { kind: 'faster', times: atLeast },
            ...(kind === 'python' ? [{ kind: 'within' as const, times: 1.4, of: 'floor' }] : []),
          ],
        }),
      ],
    },
    {
      name: `code-${kind}-waiting`,
      about: `the same, Lambda takes ${STATE_DELAY} s`,
      stateDelay: STATE_DELAY,
      run: async (bench) => [
        await row(bench, { suffix: '-waiting', words: `, Lambda takes ${STATE_DELAY} s`, goals: [] }),
      ],
    },
  ];
  if (kind !== 'python') return cases;
  const far: BenchCase = {
    name: `code-${kind}-60`,
    about: `the same, ${LATENCY} ms a call`,
    run: async (bench) => [
      await row(bench, {
        suffix: '-60',
        words: `, ${LATENCY} ms a call`,
        goals: [{ kind: 'time', ms: 600 }],
        latency: LATENCY,
      }),
    ],
  };
  const tls: BenchCase = {
    name: `code-${kind}-tls`,
    about: `the same over TLS, ${LATENCY} ms a round trip`,
    roundTrip: LATENCY,
    run: async (bench) => [
      await row(bench, {
        suffix: '-tls',
        words: `, over TLS, ${LATENCY} ms a round trip`,
        goals: [
          { kind: 'time', ms: 500 },
          { kind: 'faster', times: 8 },
        ],
      }),
    ],
  };
  return [...cases, far, tls];
}

function watchCase(kind: string, app: () => App, suffix: '' | '-tls' = ''): BenchCase {
  const run = async (bench: Bench): Promise<Row[]> => {
    const watches: { copy: Copy; watch: Watch }[] = [];
    try {
      // the stack is not there yet: of one that is in sync SAM CLI says "No updates are to be performed", and ends
      for (const tool of TOOLS) {
        const copy = await writeCopy(bench, { tool, name: `watch-${kind}${suffix}`, app: app() });
        watches.push({ copy, watch: await startWatch(copy) });
      }
      const subjects = watches.map(({ watch, copy }) => saveAgain(watch, copy, copy.tool === 'ours' ? 10 : 5));
      const words = suffix === '' ? '' : `, over TLS, ${LATENCY} ms a round trip`;
      const title = `watch, save → Lambda holds the code, ${kind}${words}`;
      return [
        await bench.compare({ id: `watch-${kind}${suffix}`, title, goals: [{ kind: 'faster', times: 10 }], subjects }),
      ];
    } finally {
      for (const { watch } of watches) await watch.stop();
    }
  };
  const how = suffix === '' ? '' : `, over TLS, ${LATENCY} ms a round trip`;
  return { name: `watch-${kind}${suffix}`, about: `a watch, one ${kind} function saved${how}`, run };
}

async function watchMemory(bench: Bench): Promise<Row[]> {
  const subject = async (tool: Tool): Promise<Subject> => ({
    name: tool,
    rounds: 2,
    slow: true,
    proxy: (await bench.way(tool)).proxy,
    round: async (round) => {
      const name = `memory-${round}`;
      const copy = await writeCopy(bench, { tool, name, app: tenFunctions(`${name} ${tool}`) });
      const watch = await startWatch(copy);
      try {
        const { residentBytes = 0, ms } = await saveAgain(watch, copy, 1).round(round);
        return { ms, residentBytes };
      } finally {
        await watch.stop();
      }
    },
  });
  const subjects = [await subject('ours'), await subject('peer')];
  const goals: Goal[] = [{ kind: 'resident', share: 0.7 }];
  return [
    await bench.compare({
      id: 'watch-memory',
      title: 'watch, 10 functions (python and node), one saved',
      goals,
      subjects,
    }),
  ];
}

function firstCase(kind: string, app: (seed: string) => App): BenchCase {
  const run = async (bench: Bench): Promise<Row[]> => {
    const how = (tool: Tool, rounds: number) =>
      syncFirst(bench, { tool, name: `deps-${kind}`, app, rounds, slow: true, emptyCaches: true });
    return [
      await bench.compare({
        id: `deps-${kind}`,
        title: `first sync of 20 ${kind} functions with the same three dependencies, empty caches`,
        goals: [
          { kind: 'faster', times: 5 },
          { kind: 'disk', share: 0.2 },
        ],
        subjects: [await how('ours', 3), await how('peer', 2)],
      }),
    ];
  };
  return { name: `deps-${kind}`, about: `20 ${kind} functions with dependencies, for the first time`, run };
}

async function prepareCopies(bench: Bench, name: string, app: (seed: string) => App): Promise<Copy[]> {
  const copies: Copy[] = [];
  for (const tool of TOOLS) copies.push(await prepareCopy(bench, { tool, name, app: app(`${name} ${tool}`) }));
  return copies;
}

function again(copies: readonly Copy[], how: Record<Tool, Repeated>): Subject[] {
  return copies.map((copy) => syncAgain(copy, how[copy.tool]));
}
