import type { TestCloud } from './cloud.ts';
import { unclear } from './clear-failure.ts';
import { CODE_RESOURCES } from './fault-app.ts';
import { endInjection, inject, isLasting, operationsOf } from './fault-cells.ts';
import type { FaultRounds, InjectedFault, RoundResult } from './fault-cells.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { createRoundApp, differences } from './fault-round-app.ts';
import type { RoundApp, RoundState } from './fault-round-app.ts';
import { startWatch } from './watch-cli.ts';
import type { WatchCli, WatchLine } from './watch-cli.ts';

/** How long one step of a session may take (ms). */
const PATIENCE = 60_000;

/**
 * Opens rounds of watch sessions. Each begins with another template and other code, gets other code while it watches, and ends;
 * after a failure it gets another template and other code once more, without faults.
 */
export async function openFaultWatch(
  opened: { cloud: TestCloud; proxy: FaultProxy },
  stackName: string,
): Promise<FaultRounds> {
  const { proxy } = opened;
  const sessions = createSessions(await createRoundApp(opened, stackName), stackName);
  await sessions.complete();
  const before = await sessions.app.counts();
  proxy.clear();
  await sessions.complete();
  const operations = operationsOf(proxy);
  const expected = await sessions.app.state(before);
  const round: FaultRounds['round'] = async (faults) => {
    try {
      return await playRound(sessions, faults, { proxy, expected });
    } catch (error) {
      proxy.clear();
      await sessions.complete();
      throw error;
    }
  };
  return { operations, round };
}

interface Sessions {
  app: RoundApp;
  /** A session up to its last save; it may have ended by itself. */
  open(env?: Record<string, string>): Promise<WatchCli>;
  /** A whole session without faults. */
  complete(): Promise<void>;
}

function createSessions(app: RoundApp, stackName: string): Sessions {
  const open: Sessions['open'] = async (env = {}) => {
    await app.change('template and code');
    const watch = await startWatch(app.dir, { ...app.env, ...env }, ['--stack-name', stackName]);
    if (await isReady(watch)) await save(watch, () => app.change('code'));
    return watch;
  };
  const complete = async (): Promise<void> => {
    const watch = await open();
    await watch.stop();
    const failures = failuresOf(watch);
    if (failures.length > 0) throw new Error(`A session without faults fails:\n${failures.join('\n')}`);
  };
  return { app, open, complete };
}

async function playRound(
  { app, open, complete }: Sessions,
  faults: readonly InjectedFault[],
  { proxy, expected }: { proxy: FaultProxy; expected: RoundState },
): Promise<RoundResult> {
  const counts = await app.counts();
  inject(proxy, faults);
  const watch = await open(isLasting(faults) ? { AWS_MAX_ATTEMPTS: '2' } : {});
  const met = endInjection(proxy, faults);
  const failures = failuresOf(watch);
  if (failures.length === 0) {
    await watch.stop();
    const growth = isLasting(faults) ? {} : expected.growth;
    check(await app.state(counts), { ...expected, growth }, { what: 'The session', watch });
    if (isLasting(faults)) {
      // what a session could not remove, the next one does
      await complete();
      check(await app.state(counts), constant(expected), { what: 'The next session', watch });
    }
    return { verdict: 'completes', met };
  }
  for (const message of failures) {
    const why = unclear(message);
    if (why !== undefined) throw new Error(`The failure is not clear, ${why}: ${message}\n${watch.stderr()}`);
  }
  if (await hasEnded(watch)) await complete();
  else {
    await save(watch, () => app.change('template and code'), { isDeployed: true });
    // the end of each session
    await save(watch, () => app.change('code'));
    await watch.stop();
  }
  check(await app.state(counts), constant(expected), { what: 'What follows a failure', watch });
  return { verdict: 'fails clearly, next run completes', met };
}

/** Without what grows with each save. */
function constant(state: RoundState): RoundState {
  const growth = Object.entries(state.growth).filter(([, count]) => count === 0);
  return { ...state, growth: Object.fromEntries(growth) };
}

function check(actual: RoundState, expected: RoundState, { what, watch }: { what: string; watch: WatchCli }): void {
  const growth = Object.fromEntries(Object.entries(actual.growth).filter(([name]) => name in expected.growth));
  const found = differences({ ...actual, growth }, expected);
  if (found.length > 0) throw new Error(`${what} leaves another state:\n${found.join('\n')}\n${watch.stderr()}`);
}

async function isReady(watch: WatchCli): Promise<boolean> {
  try {
    await watch.seen(({ event }) => event === 'ready', 0, PATIENCE);
    return true;
  } catch (error) {
    if (await hasEnded(watch)) return false;
    throw error;
  }
}

async function hasEnded(watch: WatchCli): Promise<boolean> {
  return (await Promise.race([watch.ended, Promise.resolve('running')])) !== 'running';
}

/** Changes files at once, and waits until each resource (and the stack) is in sync again, or has failed. */
async function save(
  watch: WatchCli,
  change: () => Promise<void>,
  { isDeployed = false }: { isDeployed?: boolean } = {},
): Promise<void> {
  const from = watch.lines.length;
  await watch.atOnce(change);
  const isEnd = ({ state }: WatchLine): boolean => state === 'in-sync' || state === 'failed';
  if (isDeployed) await watch.seen((line) => line.event === 'stack' && isEnd(line), from, PATIENCE);
  for (const id of CODE_RESOURCES) {
    // after a deployment, only what it did not update is reported
    if (!isDeployed) await watch.seen((line) => line.resource === id && isEnd(line), from, PATIENCE);
  }
  await watch.quiet();
}

/** What failed in a session and was not in sync later: the messages. */
function failuresOf({ lines }: WatchCli): string[] {
  const messages = lines.flatMap(({ event, state, error, resource, status, level, text }) => {
    if (state === 'failed' || (event === 'result' && status === 'failed')) {
      return error === undefined || isFollowing(error.message) ? [] : [`${resource ?? ''} ${error.message}`];
    }
    return event === 'note' && level === 'error' ? [String(text)] : [];
  });
  return messages;
}

/** Says only that something else has failed, which has a message of its own. */
function isFollowing(message: string): boolean {
  return / was not updated because /.test(message);
}
