import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { poll } from '../cloud.ts';
import type { TestCloud } from '../cloud.ts';
import type { FaultProxy } from '../fault-proxy.ts';
import { filesLeft, makePlace, partsLeft, processesLeft } from '../interruption/leftovers.ts';
import { labelOfCall, numbered } from '../interruption/points.ts';
import { startRun } from '../interruption/run.ts';
import type { StartedRun } from '../interruption/run.ts';
import { tempFolder, writeFiles } from '../temp-folder.ts';
import { intended, readIntents, sharedApp } from './application.ts';
import type { Intent } from './application.ts';
import type { Other, OtherEnd } from './others.ts';

/** What we do while somebody else changes the same stack. */
export interface SharedMode {
  name: string;
  args: readonly string[];
  isNew: boolean;
  changes: readonly (keyof Intent)[];
}

export const SHARED_MODES: readonly SharedMode[] = [
  { name: 'first sync', args: [], isNew: true, changes: [] },
  { name: 'deployment', args: [], isNew: false, changes: ['code', 'settings'] },
  { name: 'plain sync of code', args: [], isNew: false, changes: ['code'] },
  { name: '--code', args: ['--code'], isNew: false, changes: ['code'] },
  { name: '--watch, save of code', args: ['--watch'], isNew: false, changes: ['code'] },
  { name: '--watch, save of a template', args: ['--watch'], isNew: false, changes: ['code', 'settings'] },
];

/** Where the other acts, wholly, before our call arrives; undefined: it starts when we do. */
export type Meeting = { label: string; nth: number } | undefined;

/** Runs of one mode, each from a stack that is in sync with ours, or absent. */
export interface SharedBench {
  /** The calls of an undisturbed run. */
  record(): Promise<Exclude<Meeting, undefined>[]>;
  meet(other: Other, at: Meeting): Promise<{ met: boolean; problems: string[] }>;
}

const PATIENCE = 120_000;
let stacks = 0;

export async function openSharedBench(parts: {
  cloud: TestCloud;
  proxy: FaultProxy;
  mode: SharedMode;
}): Promise<SharedBench> {
  const { cloud, proxy, mode } = parts;
  const isWatch = mode.args.includes('--watch');
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const folder = await tempFolder();
  const place = await makePlace(path.join(folder, 'ours'));
  let stackName = `shared${++stacks}`;
  let newest = 1;
  let ours: Intent = { code: 1, settings: 1 };
  let ready: StartedRun | undefined;

  const start = (args: readonly string[]): StartedRun =>
    startRun(
      place,
      ['--stack-name', stackName, '--yes', '--no-dependency-layer', ...(isWatch ? ['--output', 'json'] : []), ...args],
      env,
    );
  const next = (): Intent => {
    newest++;
    return mode.changes.reduce((intent, part) => ({ ...intent, [part]: newest }), ours);
  };
  const state = (): Promise<Record<string, unknown>> => readIntents(cloud.endpoint, stackName, newest);
  const isReady = (line: string): boolean => line.includes('"event":"ready"');
  /** Our next run, after everything is over. Without a stack `--code` has nothing to update. */
  const syncAgain = async (args = mode.args): Promise<string[]> => {
    proxy.clear();
    const run = start(args);
    const end = await poll(
      async () => run.child.exitCode ?? (isWatch && run.lines.some(isReady) ? 0 : undefined),
      PATIENCE,
    ).catch(() => 'it hangs');
    if (isWatch) ready = run;
    else await run.ended;
    const wrong = await differs(ours, isWatch ? 10_000 : 0);
    const code = end === 0 ? [] : [`the next run ended with ${end}: ${tail(run)}`];
    return [...code, ...wrong.map((text) => `after the next run ${text}`)];
  };
  const differs = async (intent: Intent, patience: number): Promise<string[]> => {
    let now: unknown;
    const isThere = async (): Promise<true | undefined> =>
      isDeepStrictEqual((now = await state()), intended(intent)) ? true : undefined;
    const there = await poll(isThere, patience).catch(() => undefined);
    return there ? [] : [`the stack has ${JSON.stringify(now)} instead of ${JSON.stringify(intended(intent))}`];
  };
  const begin = async (): Promise<{ run: StartedRun; go: () => Promise<void> }> => {
    if (mode.isNew) {
      stackName = `shared${++stacks}`;
      newest++;
      ours = { code: newest, settings: newest };
    } else if (isWatch ? ready === undefined : newest === 1) {
      await writeFiles(place.app, sharedApp(ours));
      const first = isWatch ? [] : await undisturbed();
      const problems = isWatch ? await syncAgain() : first;
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }
    if (!mode.isNew) ours = next();
    proxy.clear();
    if (isWatch && ready !== undefined) {
      const run = ready;
      return { run, go: () => writeFiles(place.app, sharedApp(ours)) };
    }
    await writeFiles(place.app, sharedApp(ours));
    return { run: start(mode.args), go: async () => {} };
  };
  const undisturbed = async (): Promise<string[]> => {
    const run = start([]);
    const { code } = await run.ended;
    return code === 0 ? differs(ours, 0) : [tail(run)];
  };
  /**
   * Whether our run, which ended last, claims only what is true. A watch reports each resource when it is synced, not what
   * others do later: what it has not reported as failed must be as one of the two wants it.
   */
  const judge = async (run: StartedRun, from: number, other: { theirs: Intent; at: Meeting; failed: boolean }) => {
    const { theirs, at, failed } = other;
    const text = run.lines.slice(from).join('\n');
    const problems = /\n {4}at |internal error|TypeError/.test(text) ? [`it prints a stack: ${tail(run)}`] : [];
    if (isWatch && !hasFailed(run.lines.slice(from))) {
      const now = JSON.stringify(await state());
      const versions = new Set([ours, theirs].flatMap(Object.values).map(Number));
      const others = (now.match(/\b\d+\b|null/g) ?? []).filter((text) => !versions.has(Number(text)));
      if (others.length > 0) problems.push(`it claims to be in sync, but the stack has ${now}: ${tail(run)}`);
    } else if (run.child.exitCode === 0) {
      // both started at once: they may have ended last, or have changed a part after us and reported a failure
      const isTheirs = at === undefined && (failed || (await differs(theirs, 0)).length === 0);
      const wrong = isTheirs ? [] : await differs(ours, 0);
      problems.push(...wrong.map((text) => `it claims to be in sync, but ${text}: ${tail(run)}`));
    } else if (!isWatch && run.child.exitCode !== 1) problems.push(`exit code ${run.child.exitCode}: ${tail(run)}`);
    return problems;
  };
  return {
    record: async () => {
      const { run, go } = await begin();
      await go();
      if (isWatch) await differs(ours, PATIENCE);
      else await run.ended;
      const seen = numbered(proxy.calls.map(labelOfCall));
      return seen.filter(({ nth }) => nth === 0);
    },
    meet: async (other, at) => {
      const { run, go } = await begin();
      const theirs = other.wants === 'other' ? { ...ours, ...pick(mode.changes, ++newest) } : ours;
      if (mode.isNew && other.wants === 'other') Object.assign(theirs, { code: newest, settings: newest });
      const context = {
        cloud,
        stackName,
        place,
        args: mode.args.filter((word) => word !== '--watch'),
        folder: path.join(folder, other.name.replaceAll(' ', '-')),
        intent: theirs,
        note: `note ${newest}`,
      };
      const from = run.lines.length;
      const { end, met, other: theirEnd } = await bothAct({ run, go, at, act: () => other.act(context) });
      const problems: string[] = [];
      if (end === 'hangs') problems.push(`it hangs: ${tail(run)}`);
      if (isWatch) await calm(run);
      problems.push(...(await judge(run, from, { theirs, at, failed: theirEnd?.exitCode !== 0 })));
      if (isWatch) {
        run.child.kill('SIGINT');
        await run.ended;
        ready = undefined;
      }
      problems.push(...(await processesLeft(run.mark)), ...(await filesLeft(place)));
      const isGone = other.wants === 'nothing' && (await state())['stack'] === 'absent';
      problems.push(
        ...(await syncAgain(isGone && mode.args.includes('--code') ? [] : mode.args)),
        ...(await partsLeft(cloud.endpoint)),
      );
      problems.push(...(await filesLeft(place, isWatch ? ready?.child.pid : undefined)));
      return { met, problems };
    },
  };

  /** Lets ours come to the meeting, the other act, and ours go on. */
  async function bothAct(meeting: {
    run: StartedRun;
    go: () => Promise<void>;
    at: Meeting;
    act: () => Promise<OtherEnd>;
  }): Promise<{ met: boolean; end: unknown; other: OtherEnd | undefined }> {
    const { run, go, at, act } = meeting;
    const ended = isWatch ? new Promise<never>(() => {}) : run.ended;
    if (at === undefined) {
      const begun = go();
      const other = await act();
      await begun;
      return { met: true, other, end: isWatch ? 'settled' : await race(run.ended) };
    }
    let count = 0;
    const held = proxy.hold({ when: (call) => labelOfCall(call) === at.label && count++ === at.nth });
    await go();
    const came = await Promise.race([
      held.arrived.then(() => true),
      ended.then(() => false),
      race(new Promise<never>(() => {}), 20_000).then(() => false),
    ]);
    const other = came ? await act() : undefined;
    held.release();
    return { met: came, other, end: isWatch ? 'settled' : await race(run.ended) };
  }

  async function calm(run: StartedRun): Promise<void> {
    let before = -1;
    let since = performance.now();
    await poll(async () => {
      const count = run.lines.length + proxy.calls.length;
      if (count !== before) [before, since] = [count, performance.now()];
      return performance.now() - since > 1_500 ? true : undefined;
    }, PATIENCE);
  }
}

async function race<T>(ended: Promise<T>, ms = PATIENCE): Promise<T | 'hangs'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'hangs'>((resolve) => {
    timer = setTimeout(() => resolve('hangs'), ms);
  });
  return Promise.race([ended, late]).finally(() => clearTimeout(timer));
}

/** Whether a watch says of the stack or a resource that it is not in sync. */
function hasFailed(lines: readonly string[]): boolean {
  const states = new Map<string, unknown>();
  for (const line of lines) {
    if (!line.startsWith('{')) continue;
    const { event, resource = '', state } = JSON.parse(line) as Record<string, string>;
    if (event === 'resource' || event === 'stack') states.set(`${event} ${resource}`, state);
  }
  return [...states.values()].some((state) => state !== 'in-sync');
}

function pick(parts: readonly (keyof Intent)[], value: number): Partial<Intent> {
  return Object.fromEntries(parts.map((part) => [part, value]));
}

function tail({ lines }: StartedRun): string {
  return lines.slice(-8).join('\n').slice(-1_500);
}
