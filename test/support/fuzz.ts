import * as fc from 'fast-check';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { asUserError } from '../../src/system-errors.ts';
import { recordReliability } from './reliability.ts';

/** One change of a text: at a place (a share of its length), so many characters are replaced by something else. */
interface Edit {
  at: number;
  remove: number;
  insert: string;
}

/** A large count for a night (`FUZZ_RUNS=100000`). */
const RUNS = process.env['FUZZ_RUNS'];
/** What a failure printed: repeats it (`FUZZ_SEED=1 FUZZ_PATH=2:3`). */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const PATH = process.env['FUZZ_PATH'];
/** A run that needs more processor time (ms) than this has no work limit where it needs one. */
const MOST_PROCESSOR_TIME = 5_000;

/**
 * A test that checks a property of many inputs, always other ones. A failure prints seed and path. `quick` is the number
 * of runs without `FUZZ_RUNS`.
 */
export function fuzz<T>(name: string, quick: number, input: fc.Arbitrary<T>, check: (input: T) => Promise<void>): void {
  const numRuns = Number(RUNS ?? quick);
  it(
    name,
    async () => {
      const property = fc.asyncProperty(input, (value) => withinLimits(() => check(value)));
      await fc.assert(property, {
        numRuns,
        seed: SEED,
        ...(PATH === undefined ? {} : { path: PATH, endOnFailure: true }),
      });
      record(name, numRuns);
    },
    60_000 + numRuns * 200,
  );
}

function record(name: string, times: number): void {
  const root = path.join(import.meta.dirname, '..', '..');
  const file = path.relative(root, expect.getState().testPath ?? '').replaceAll('\\', '/');
  recordReliability(file, {
    class: 'Hostile input',
    injected: name,
    times,
    lost: 0,
    command: `FUZZ_RUNS=${times} FUZZ_SEED=${SEED} npx vitest run ${file}`,
  });
}

async function withinLimits(work: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const spent = (user + system) / 1000;
  if (spent > MOST_PROCESSOR_TIME) throw new Error(`it took ${Math.round(spent)} ms of processor time`);
}

/** Does the work; an error that a user can act on is a result, everything else is thrown. */
export async function orUserError<T>(work: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const shown = asUserError(error);
    if (shown === undefined) throw error;
    if (shown.message === '' || /\[object Object\]|\bundefined\b.*\bundefined\b/.test(shown.message))
      throw new Error(`an error that says nothing: ${shown.message}`, { cause: error });
    return undefined;
  }
}

/** Words that parsers, paths, shells and command lines take for more than text. */
export const HOSTILE_WORDS: readonly string[] = [
  '../../..',
  '/etc/passwd',
  '..\\..\\x',
  '--x',
  '-rf',
  '--index-url=https://127.0.0.1:9/',
  '$(touch /tmp/owned)',
  '`touch /tmp/owned`',
  '; touch /tmp/owned',
  '| cat',
  '&& x',
  'a\nb',
  '\r\n',
  '\0',
  '\u0007',
  '\u202e',
  '\ud800',
  '😀',
  '%s%n',
  '*',
  '~',
  '${AWS::Region}',
  '${x',
  '__proto__',
  'constructor',
  'toString',
  'a'.repeat(300),
  'file:///etc/passwd',
  'git+ssh://--x@host/y',
  'https://user:token@127.0.0.1:9/x',
];

/** What breaks the syntax of the formats that are read. */
const SYNTAX = [
  '{ } [ ] : , # - \' " | > % @ = \\ < </ ~ ? &a *a !Ref !Sub !GetAtt !If <<: &amp; <!ENTITY """ "" \'\' [] {}'.split(
    ' ',
  ),
  'null true 0 -1 1e999 0x1 NaN 1:30 2010-09-09'.split(' '),
  [': ', '- ', ' = ', '\n', '\n  ', '\t', '\uFEFF', '&a [*a, *a]'],
  ['[['.repeat(200), '{a: '.repeat(400), '{"a":'.repeat(400), '- '.repeat(400)],
].flat();

/** Text that is one of the samples, changed at some places. */
export function mutatedText(samples: readonly string[]): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...SYNTAX) },
    { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_WORDS) },
    // words of the samples in other places: keys where values are expected
    { weight: 3, arbitrary: fc.constantFrom(...words(samples)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    { weight: 2, arbitrary: fc.constant('') },
  );
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.oneof(fc.nat(3), fc.nat(40), fc.nat(400)),
    insert: word,
  });
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([sample, edits]) => edits.reduce(applyEdit, sample));
}

function words(samples: readonly string[]): string[] {
  const all = new Set(samples.flatMap((sample) => sample.match(/[\w:./${}!-]{3,40}/g) ?? []));
  return all.size === 0 ? [''] : [...all];
}

function applyEdit(text: string, { at, remove, insert }: Edit): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + insert + text.slice(start + remove);
}

/** Values of JSON in which some parts of a sample are replaced, moved, removed or renamed. */
export function mutatedValue(samples: readonly unknown[]): fc.Arbitrary<unknown> {
  const parts = [...new Set(samples.flatMap(partsOf).map((part) => JSON.stringify(part)))];
  const replacement = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(...parts.map((part) => JSON.parse(part) as unknown)) },
    { weight: 3, arbitrary: fc.constantFrom<unknown>(...HOSTILE_WORDS) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1e21, 1.5, '', [], {}, [[]], [{}], [null]),
    },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  );
  const change = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename'),
    value: replacement,
  });
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([sample, changes]) => changes.reduce<unknown>((value, how) => changeOne(value, how), sample));
}

function partsOf(value: unknown): unknown[] {
  const inner = typeof value === 'object' && value !== null ? Object.values(value) : [];
  return [value, ...inner.flatMap(partsOf)];
}

/** Changes the `at`th part of a value, counted through and through. */
function changeOne(value: unknown, { at, kind, value: other }: { at: number; kind: string; value: unknown }): unknown {
  const copy = { root: structuredClone(value) };
  const places: [holder: object, key: string][] = [];
  const visit = (holder: object): void => {
    for (const [key, inner] of Object.entries(holder)) {
      places.push([holder, key]);
      if (typeof inner === 'object' && inner !== null) visit(inner);
    }
  };
  visit(copy);
  const [holder, key] = places[at % places.length] ?? [copy, 'root'];
  const old: unknown = Reflect.get(holder, key);
  if (kind !== 'replace' && holder !== copy) Reflect.deleteProperty(holder, key);
  const name = kind === 'rename' && typeof other === 'string' ? other : key;
  if (kind !== 'remove') define(holder, name, kind === 'rename' ? old : other);
  return copy.root;
}

function define(holder: object, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}
