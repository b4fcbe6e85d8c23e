import type { TestCloud } from '../cloud.ts';
import type { FaultProxy } from '../fault-proxy.ts';
import { createRandom } from '../random.ts';
import { FULL_SIZE, recordReliability } from '../reliability.ts';
import { MODES, openBench } from './bench.ts';
import type { Mode } from './bench.ts';
import { describePoint } from './points.ts';
import type { Point } from './points.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const;

/** In full size, the percentage of the cases to run, and what chooses them. */
const SHARE = Number(process.env['INTERRUPTION_SHARE'] ?? 100);
const SEED = Number(process.env['INTERRUPTION_SEED'] ?? Date.now() % 1_000_000);

interface Case {
  point: Point;
  signal: (typeof SIGNALS)[number];
}

/** The cases to run, of so many. */
interface Chosen {
  cases: readonly Case[];
  all: number;
}

/** Interrupts a mode at its points, reports how often, and returns what was wrong. */
export async function interruptMode(
  { cloud, proxy, mode }: { cloud: TestCloud; proxy: FaultProxy; mode: Mode },
  file: string,
): Promise<string[]> {
  const bench = await openBench({ cloud, proxy, mode });
  const { cases, all } = chooseCases(await bench.record(), mode);
  const failures: string[] = [];
  const counts = new Map<string, number>();
  let missed = 0;
  let lost = 0;
  for (const [index, { point, signal }] of cases.entries()) {
    if (FULL_SIZE && index % 20 === 0) console.log(`${mode.name}: ${index} of ${cases.length} (${all}), ${lost} lost`);
    const { hit, problems } = await bench.interrupt(point, signal);
    if (!hit) missed++;
    counts.set(point.kind, (counts.get(point.kind) ?? 0) + 1);
    counts.set(signal, (counts.get(signal) ?? 0) + 1);
    if (problems.length > 0) lost++;
    const found = problems.map((problem) => `${mode.name}, ${signal} at ${describePoint(point)}: ${problem}`);
    failures.push(...found);
    for (const text of found) console.error(text.slice(0, 1_500));
  }
  const count = (name: string): number => counts.get(name) ?? 0;
  recordReliability(file, {
    class: 'Interruption',
    injected: mode.name,
    times: cases.length - missed,
    lost,
    ...(FULL_SIZE && SHARE < 100
      ? { of: all, command: `INTERRUPTION_SHARE=${SHARE} INTERRUPTION_SEED=${SEED} npm run reliability ${file}` }
      : {}),
    notes: [
      `Where: ${count('call')} times at an AWS call (before the service had it, or when it had answered), ${count('tool')} at the start of a build tool, ${count('line')} at a line of output, ${count('file')} at a change of a file.`,
      `With: ${SIGNALS.map((signal) => `${signal} ${count(signal)}`).join(', ')}.`,
      ...(missed === 0 ? [] : [`${missed} more runs did not come to their point: polls differ in number.`]),
    ],
  });
  return failures;
}

/**
 * In full size: each tool with every signal, each call with SIGKILL and one of the other signals (which share their way through
 * the program), each line and each change of a file with one signal, every second time SIGKILL. Else three points of different kinds.
 */
function chooseCases(points: readonly Point[], mode: Mode): Chosen {
  const worth = points.filter(isWorthwhile);
  const all = worth.flatMap((point, at) => signalsFor(point, at).map((signal) => ({ point, signal })));
  return { cases: FULL_SIZE ? randomPart(all) : sample(worth, mode), all: all.length };
}

function randomPart(cases: readonly Case[]): Case[] {
  const random = createRandom(SEED);
  const order = cases.map((_, index) => ({ index, at: random(1_000_000_000) })).sort((a, b) => a.at - b.at);
  const kept = new Set(order.slice(0, Math.ceil((cases.length * SHARE) / 100)).map(({ index }) => index));
  return cases.filter((_, index) => kept.has(index));
}

function sample(worth: readonly Point[], mode: Mode): Case[] {
  const kinds = [...new Set(worth.map(kindOf))];
  return [0, 1].flatMap((nth) => {
    const turn = MODES.indexOf(mode) * 2 + nth;
    const candidates = worth.filter((point) => kindOf(point) === kinds[turn % kinds.length]);
    const point = candidates[Math.floor(candidates.length * SAMPLE_AT)];
    return point === undefined ? [] : [{ point, signal: SIGNALS[turn % SIGNALS.length] ?? 'SIGKILL' }];
  });
}

/** Which one of each kind the sample has: where most calls change something. */
const SAMPLE_AT = 0.6;

function kindOf(point: Point): string {
  return point.kind === 'call' ? point.when : point.kind;
}

function signalsFor({ kind }: Point, at: number): (typeof SIGNALS)[number][] {
  const graceful = SIGNALS[at % 3] ?? 'SIGINT';
  switch (kind) {
    case 'tool':
      return [...SIGNALS];
    case 'call':
      return ['SIGKILL', graceful];
    default:
      return [at % 2 === 0 ? 'SIGKILL' : graceful];
  }
}

/** Those that are not like many others: reads and writes again, and lines that only repeat what is printed of calls. */
function isWorthwhile({ kind, label, nth }: Point): boolean {
  if (kind === 'line') return nth === 0 && !/^(Option|[A-Z]+_IN_PROGRESS| {2}\w+\.\w+ n s)/.test(label);
  return nth < (kind === 'call' && !/ (Describe|Get|List|Head)/.test(label) ? 2 : 1);
}
