import type { CloudState } from './cloud-state.ts';
import type { TestCloud } from './cloud.ts';
import { changesOf, checkClear, checkQuiet } from './clear-failure.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { createRoundApp, differences } from './fault-round-app.ts';
import type { RoundApp, RoundState } from './fault-round-app.ts';
import type { ProxiedCall } from './proxied-call.ts';
import { runCli } from './run-cli.ts';
import type { CliResult } from './run-cli.ts';

/** A way to sync that meets the faults. */
export interface FaultMode {
  stackName: string;
  args: readonly string[];
  /** What a round changes before its run. */
  changes: 'code' | 'template and code' | 'nothing is there';
  /** Code is uploaded in parts, an image is pushed to Amazon ECR, and only the operations that do so meet faults. */
  isLarge?: boolean;
}

/** A call of one operation (`service operation`), and what it meets. */
export interface InjectedFault {
  operation: string;
  kind: FaultKind;
}

/** How a run with faults ended. */
export type Verdict = 'completes' | 'fails clearly, next run completes';

/** The end of a round, with those faults that a call met: which operations a run calls differs from run to run. */
export interface RoundResult {
  verdict: Verdict;
  met: readonly InjectedFault[];
}

/** Runs the rounds of one mode: each changes the application, syncs it with faults, and then without. */
export interface FaultRounds {
  /** The operations of a round without faults, in their order. */
  operations: readonly string[];
  /** Throws if the run is neither complete nor a clear failure, or if the next run does not complete. */
  round(faults: readonly InjectedFault[]): Promise<RoundResult>;
}

/** Makes the proxy inject faults; forgets those of earlier rounds. */
export function inject(proxy: FaultProxy, faults: readonly InjectedFault[]): void {
  proxy.clear();
  for (const { operation, kind } of faults) {
    proxy.fault({ when: (call) => rowOf(call) === operation }, kind.fault, { times: kind.times });
  }
}

/** Ends the injection. Returns the faults that a call met. */
export function endInjection(proxy: FaultProxy, faults: readonly InjectedFault[]): InjectedFault[] {
  const met = new Set(proxy.calls.filter(({ fault }) => fault !== undefined).map(rowOf));
  proxy.clear();
  return faults.filter(({ operation }) => met.has(operation));
}

/** The operations that the proxy has seen. */
export function operationsOf(proxy: FaultProxy): string[] {
  return [...new Set(proxy.calls.map(rowOf))];
}

/** HTTP APIs have a service of their own in the SDKs, though not in signatures. */
function rowOf({ service, operation, path }: ProxiedCall): string {
  return `${path.startsWith('/v2/apis') ? 'apigatewayv2' : service} ${operation}`;
}

/** Whether faults stay, so that a run need not complete. */
export function isLasting(faults: readonly InjectedFault[]): boolean {
  return faults.some(({ kind }) => kind.times > 1);
}

/** Opens the mode with an application of its own: rounds without faults show what a round with faults must lead to. */
export async function openFaultRounds(
  opened: { cloud: TestCloud; proxy: FaultProxy },
  mode: FaultMode,
): Promise<FaultRounds> {
  const { proxy } = opened;
  const app = await createRoundApp(opened, mode.stackName, mode);
  const runner = createRunner(opened, mode, app);
  await app.change('template and code');
  // without a stack there is nothing for a code sync
  await runner.complete(mode.args.filter((word) => word !== '--code'));
  // the first sync of code makes what later ones replace
  await runner.begin();
  await runner.complete();
  const start = await runner.begin();
  proxy.clear();
  await runner.complete();
  const all = operationsOf(proxy);
  const operations = mode.isLarge ? all.filter((operation) => /Multipart|UploadPart|^ecr /.test(operation)) : all;
  const expected = await app.state(start);
  const round: FaultRounds['round'] = async (faults) => {
    try {
      return await playRound(runner, faults, { proxy, expected });
    } catch (error) {
      proxy.clear();
      for (let times = 0; times < 2; times++) {
        await runner.begin();
        await runner.complete();
      }
      throw error;
    }
  };
  return { operations, round };
}

interface Runner {
  mode: FaultMode;
  app: RoundApp;
  /** Changes the application; returns what is there before the sync. */
  begin(): Promise<CloudState['counts']>;
  run(env?: Record<string, string>): Promise<CliResult>;
  /** Runs without faults, by default as the mode does. */
  complete(args?: readonly string[]): Promise<CliResult>;
}

function createRunner({ cloud }: { cloud: TestCloud }, mode: FaultMode, app: RoundApp): Runner {
  const sync = (args: readonly string[], env: Record<string, string>): Promise<CliResult> =>
    runCli(['--stack-name', mode.stackName, '--yes', '--output', 'json', ...args], {
      cwd: app.dir,
      env: { ...app.env, ...env },
    });
  return {
    mode,
    app,
    begin: async () => {
      if (mode.changes === 'nothing is there') await cloud.reset();
      const before = mode.changes === 'nothing is there' ? {} : await app.counts();
      await app.change(mode.changes === 'code' ? 'code' : 'template and code');
      return before;
    },
    run: (env = {}) => sync(mode.args, env),
    complete: async (args = mode.args) => {
      const result = await sync(args, {});
      if (result.code !== 0) throw new Error(`A run without faults fails:\n${result.stderr}`);
      return result;
    },
  };
}

async function playRound(
  runner: Runner,
  faults: readonly InjectedFault[],
  { proxy, expected }: { proxy: FaultProxy; expected: RoundState },
): Promise<RoundResult> {
  const { app, mode } = runner;
  const before = await runner.begin();
  inject(proxy, faults);
  const faulty = await runner.run(isLasting(faults) ? { AWS_MAX_ATTEMPTS: '2' } : {});
  const met = endInjection(proxy, faults);
  const check = (what: string, wanted: RoundState) => checkState(app, before, { wanted, what, faulty });
  if (faulty.code !== 0) {
    checkClear(faulty);
    const next = await runner.run();
    if (next.code !== 0) throw new Error(`The next run fails:\n${next.stderr}\nafter:\n${faulty.stderr}`);
    // a plain sync that cannot compare code with a service leaves the change to CloudFormation, which makes its own versions
    const isDeployed = mode.changes === 'code' && / UPDATE_COMPLETE|^UPDATE_COMPLETE/m.test(faulty.stderr);
    await check('The next run', isDeployed ? { ...expected, growth: {} } : expected);
    if (isDeployed) {
      // as at the start: the first sync of code makes what later ones replace
      await runner.begin();
      await runner.complete();
    }
    return { verdict: 'fails clearly, next run completes', met };
  }
  if (!isLasting(faults)) checkQuiet(faulty);
  await check('The run with faults', isLasting(faults) ? { ...expected, growth: {} } : expected);
  const rest = changesOf(await runner.complete());
  if (rest.length > 0) throw new Error(`The run is complete, and the next syncs ${rest.join()}\n${faulty.stderr}`);
  if (isLasting(faults) && mode.changes !== 'nothing is there') {
    // what a run could not remove, the next one does that changes something
    await runner.begin();
    await runner.complete();
    await check('The next change', grown(expected, 2));
  }
  return { verdict: 'completes', met };
}

/** The state after several such rounds. */
function grown(state: RoundState, rounds: number): RoundState {
  const growth = Object.entries(state.growth).map(([name, count]) => [name, count * rounds] as const);
  return { ...state, growth: Object.fromEntries(growth) };
}

/** Compares the state with `wanted`; of what grows, only what that names. */
async function checkState(
  app: RoundApp,
  before: CloudState['counts'],
  { wanted, what, faulty }: { wanted: RoundState; what: string; faulty: CliResult },
): Promise<void> {
  const state = await app.state(before);
  const growth = Object.fromEntries(Object.entries(state.growth).filter(([name]) => name in wanted.growth));
  const found = differences({ ...state, growth }, wanted);
  if (found.length > 0) throw new Error(`${what} leaves another state:\n${found.join('\n')}\n${faulty.stderr}`);
}
