import { isDeepStrictEqual } from 'node:util';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { clients, poll } from '../cloud.ts';
import type { TestCloud } from '../cloud.ts';
import type { FaultProxy } from '../fault-proxy.ts';
import { tempFolder } from '../temp-folder.ts';
import { describeStackState, learnExpectation, writeApp } from './application.ts';
import type { AppVersion, Expectation } from './application.ts';
import { filesLeft, makePlace, partsLeft, processesLeft, versionsTwice } from './leftovers.ts';
import type { Point } from './points.ts';
import { recordPoints, setTrap, startRun, writeTools } from './run.ts';
import type { Place, StartedRun } from './run.ts';

/** What is interrupted. */
export interface Mode {
  name: string;
  args: readonly string[];
  /** There is no stack yet. */
  first: boolean;
  /** What differs from the stack. */
  changes: readonly (keyof AppVersion)[];
}

export const MODES: readonly Mode[] = [
  { name: 'first sync', args: [], first: true, changes: [] },
  { name: 'deployment', args: [], first: false, changes: ['code', 'settings'] },
  { name: 'plain sync of code', args: [], first: false, changes: ['code'] },
  { name: '--code', args: ['--code'], first: false, changes: ['code'] },
  { name: '--watch, first sync', args: ['--watch'], first: true, changes: [] },
  { name: '--watch, save of code', args: ['--watch'], first: false, changes: ['code'] },
  { name: '--watch, save of a template', args: ['--watch'], first: false, changes: ['code', 'settings'] },
];

/** How one interruption ended. */
interface CaseResult {
  /** The run came to the point. */
  hit: boolean;
  problems: string[];
}

/** Runs a mode again and again, each time from a stack that is in sync (or that is not there). */
export interface Bench {
  /** Everything that an undisturbed run does. */
  record(): Promise<Point[]>;
  interrupt(point: Point, signal: NodeJS.Signals): Promise<CaseResult>;
}

/** So long a run may take to end or to become ready before it counts as hanging (ms). */
const PATIENCE = 120_000;
const STACK = 'interrupted';

export async function openBench({
  cloud,
  proxy,
  mode,
}: {
  cloud: TestCloud;
  proxy: FaultProxy;
  mode: Mode;
}): Promise<Bench> {
  const isWatch = mode.args.includes('--watch');
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const words = ['--stack-name', STACK, '--yes', '--debug', ...(isWatch ? ['--output', 'json'] : [])];
  const version: AppVersion = { code: 1, settings: 1 };
  let expectation: Expectation | undefined;
  let place: Place;
  /** A watch that is ready, for the next case. */
  let ready: StartedRun | undefined;

  const start = (args: readonly string[]): StartedRun => startRun(place, [...words, ...args], env);
  const fresh = async (): Promise<void> => {
    ready?.child.kill('SIGKILL');
    ready = undefined;
    await cloud.reset();
    place = await makePlace(await tempFolder());
    await writeTools(place.tools);
    await writeApp(place.app, version);
  };
  /** A run from its start to the end, or a watch until everything is in sync. */
  const settle = async (run: StartedRun): Promise<string[]> => {
    const { child } = run;
    const isReady = (line: string): boolean => line.startsWith('{') && line.includes('"event":"ready"');
    const over = await poll(
      async () => child.exitCode ?? child.signalCode ?? (isWatch && run.lines.some(isReady) ? 0 : undefined),
      PATIENCE,
    ).catch(() => 'it hangs');
    if (!isWatch) await run.ended;
    return over === 0 ? [] : [`the next run ended with ${over}: ${tail(run)}`];
  };
  const syncUndisturbed = async (): Promise<void> => {
    const run = start(isWatch ? ['--watch'] : []);
    const problems = await settle(run);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    if (isWatch) ready = run;
    expectation ??= await learnExpectation(cloud.endpoint, {
      folder: place.app,
      stackName: STACK,
      version: { ...version },
    });
    const wrong = await wrongState();
    if (wrong.length > 0) throw new Error(`undisturbed: ${wrong.join('\n')}`);
  };
  const wrongState = async (): Promise<string[]> => {
    const expected = expectation?.at(version);
    let now: unknown;
    await poll(async () => {
      now = await describeStackState(cloud.endpoint, STACK).catch(String);
      // a watch goes on after it is ready
      return !isWatch || isDeepStrictEqual(now, expected) ? true : undefined;
    }, 15_000).catch(() => {});
    const { Stacks } = await clients(cloud.endpoint)
      .cloudformation.send(new DescribeStacksCommand({ StackName: STACK }))
      .catch(() => ({ Stacks: undefined }));
    const status = Stacks?.[0]?.StackStatus ?? 'no status: it does not exist';
    return [
      ...differences(now, expected),
      ...(/^(CREATE|UPDATE)_COMPLETE$/.test(status) ? [] : [`the stack is in ${status}`]),
    ];
  };
  /** What `act` is done to: a run that has just started, or a watch that has just got a save. */
  const disturb = async <T>(act: (run: StartedRun, go: () => Promise<StartedRun>) => Promise<T>): Promise<T> => {
    if (mode.first) await fresh();
    else if (ready === undefined && (isWatch || expectation === undefined)) {
      if (expectation === undefined) await fresh();
      await syncUndisturbed();
    }
    for (const part of mode.changes) version[part]++;
    if (isWatch && !mode.first && ready !== undefined) {
      const run = ready;
      return act(run, async () => {
        await writeApp(place.app, version);
        return run;
      });
    }
    await writeApp(place.app, version);
    const run = start(mode.args);
    return act(run, async () => run);
  };

  return {
    record: async () => {
      if (mode.first) {
        await fresh();
        await syncUndisturbed();
      }
      return disturb(async (run, go) => {
        const recording = await recordPoints(place, proxy, run);
        await go();
        if (isWatch) await poll(async () => ((await wrongState()).length === 0 ? true : undefined), PATIENCE);
        else await run.ended;
        const points = await recording.points();
        if (mode.first) run.child.kill('SIGKILL');
        return points;
      });
    },
    interrupt: (point, signal) =>
      disturb(async (run, go) => {
        proxy.clear();
        const trap = await setTrap({ place, proxy, run }, point, signal);
        await go();
        const quiet = isWatch ? quietAfter(run) : new Promise<never>(() => {});
        const first = await Promise.race([run.ended, quiet, hangs()]);
        // a second Ctrl-C would not wait for anything
        if (first === 'quiet' && !(await trap.wasHit())) run.child.kill(signal);
        const end = first === 'quiet' ? await Promise.race([run.ended, hangs()]) : first;
        if (end === 'hangs') run.child.kill('SIGKILL');
        const hit = await trap.wasHit();
        await trap.clear();
        ready = undefined;
        const problems =
          end === 'hangs' ? [`it does not end: ${tail(run)}`] : hit ? wrongEnd(end, signal, isWatch) : [];
        // the signal came when everything was done
        const isOver = end !== 'hangs' && (end.code === 0 || end.signal === signal);
        if (problems.length > 0 && isOver) problems.splice(0, 1, ...(await wrongState()));
        problems.push(...(await processesLeft(run.mark)));
        // a killed run leaves the rest to the next one
        if (signal !== 'SIGKILL') problems.push(...(await filesLeft(place)), ...(await partsLeft(cloud.endpoint)));
        const next = start(mode.args);
        problems.push(...(await settle(next)));
        if (isWatch) ready = next;
        problems.push(...(await wrongState()));
        problems.push(...(await versionsTwice(cloud.endpoint, STACK).catch(() => [])));
        problems.push(...(await filesLeft(place, isWatch ? next.child.pid : undefined)));
        problems.push(...(await partsLeft(cloud.endpoint, { withParts: signal === 'SIGKILL' })));
        if (problems.length > 0 && !mode.first) {
          await fresh();
          await syncUndisturbed();
        }
        return { hit, problems };
      }),
  };

  async function quietAfter(run: StartedRun): Promise<'quiet'> {
    // the save is synced and the point did not come: it ends all the same
    for (let before = -1, calm = 0; calm < 20;) {
      const count = run.lines.length + proxy.calls.length;
      calm = count === before ? calm + 1 : 0;
      before = count;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return 'quiet';
  }
}

function hangs(): Promise<'hangs'> {
  return new Promise((resolve) => setTimeout(() => resolve('hangs'), PATIENCE).unref());
}

function wrongEnd(
  { code, signal: by }: { code: number | null; signal: NodeJS.Signals | null },
  signal: NodeJS.Signals,
  isWatch: boolean,
): string[] {
  if (signal === 'SIGKILL') return [];
  const right = isWatch ? 0 : 130;
  return code === right ? [] : [`exit code ${code ?? by} instead of ${right}`];
}

function differences(now: unknown, expected: unknown): string[] {
  if (isDeepStrictEqual(now, expected)) return [];
  const [a, b] = [now, expected].map((value) => (typeof value === 'object' && value !== null ? value : {})) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  const ids = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((id) => !isDeepStrictEqual(a[id], b[id]));
  return ids.map((id) => `${id} is ${JSON.stringify(a[id])} instead of ${JSON.stringify(b[id])}`);
}

function tail({ lines }: StartedRun): string {
  return lines.slice(-6).join('\n').slice(-1_500);
}
