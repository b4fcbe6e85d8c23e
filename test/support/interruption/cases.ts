import { FULL_SIZE, recordReliability } from '../reliability.ts';
import type { TestCloud } from '../cloud.ts';
import type { FaultProxy } from '../fault-proxy.ts';
import { MODES, openBench } from './bench.ts';
import type { Mode } from './bench.ts';
import { describePoint } from './points.ts';
import type { Point } from './points.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const;

interface Case {
  point: Point;
  signal: (typeof SIGNALS)[number];
}

/** Interrupts a mode at its points, reports how often, and returns what was wrong. */
export async function interruptMode(
  { cloud, proxy, mode }: { cloud: TestCloud; proxy: FaultProxy; mode: Mode },
  file: string,
): Promise<string[]> {
  const bench = await openBench({ cloud, proxy, mode });
  const cases = chooseCases(await bench.record(), mode);
  const failures: string[] = [];
  const counts = new Map<string, number>();
  let missed = 0;
  let lost = 0;
  for (const { point, signal } of cases) {
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
function chooseCases(points: readonly Point[], mode: Mode): Case[] {
  const worth = points.filter(isWorthwhile);
  if (FULL_SIZE) return worth.flatMap((point, at) => signalsFor(point, at).map((signal) => ({ point, signal })));
  const kinds = [...new Set(worth.map(kindOf))];
  return [0, 1, 2].flatMap((nth) => {
    const turn = MODES.indexOf(mode) * 3 + nth;
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
