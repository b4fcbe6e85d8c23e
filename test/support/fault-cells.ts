import type { CloudState } from './cloud-state.ts';
import type { TestCloud } from './cloud.ts';
import { unclear } from './clear-failure.ts';
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
  /** Code is uploaded in parts, and only the operations that do so meet faults. */
  isLarge?: boolean;
}

/** A call of one operation (`service operation`), and what it meets. */
export interface InjectedFault {
  operation: string;
  kind: FaultKind;
}

/** How a run with faults ended. */
export type Verdict = 'completes' | 'fails clearly, next run completes';

/** Runs the rounds of one mode: each changes the application, syncs it with faults, and then without. */
export interface FaultRounds {
  /** The operations of a round without faults, in their order. */
  operations: readonly string[];
  /** Throws if the run is neither complete nor a clear failure, or if the next run does not complete. */
  round(faults: readonly InjectedFault[]): Promise<Verdict>;
}

/** Makes the proxy inject faults; forgets those of earlier rounds. */
export function inject(proxy: FaultProxy, faults: readonly InjectedFault[]): void {
  proxy.clear();
  for (const { operation, kind } of faults) {
    proxy.fault({ when: (call) => rowOf(call) === operation }, kind.fault, { times: kind.times });
  }
}

/** Ends the injection. Throws if no call met a fault. */
export function endInjection(proxy: FaultProxy, faults: readonly InjectedFault[]): void {
  const isMet = proxy.calls.some(({ fault }) => fault !== undefined);
  proxy.clear();
  if (!isMet)
    throw new Error(`No call met ${faults.map(({ operation, kind }) => `${operation}: ${kind.name}`).join()}`);
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
  const { cloud, proxy } = opened;
  const app = await createRoundApp(opened, mode.stackName, mode);
  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
    runCli(['--stack-name', mode.stackName, '--yes', '--output', 'json', ...args], {
      cwd: app.dir,
      env: { ...app.env, ...env },
    });
  const complete = async (args: readonly string[]): Promise<CliResult> => {
    const result = await run(args);
    if (result.code !== 0) throw new Error(`A run without faults fails:\n${result.stderr}`);
    return result;
  };
  const begin = async (): Promise<CloudState['counts']> => {
    if (mode.changes === 'nothing is there') await cloud.reset();
    const before = mode.changes === 'nothing is there' ? {} : await app.counts();
    await app.change(mode.changes === 'code' ? 'code' : 'template and code');
    return before;
  };
  await app.change('template and code');
  await complete([]);
  // the first sync of code makes what later ones replace
  await begin();
  await complete(mode.args);
  const start = await begin();
  proxy.clear();
  await complete(mode.args);
  const all = operationsOf(proxy);
  const operations = mode.isLarge ? all.filter((operation) => /Multipart|UploadPart/.test(operation)) : all;
  const expected = await app.state(start);

  const recover = async (): Promise<void> => {
    for (let times = 0; times < 2; times++) {
      await begin();
      await complete(mode.args);
    }
  };
  const round = async (faults: readonly InjectedFault[]): Promise<Verdict> => {
    const before = await begin();
    inject(proxy, faults);
    const faulty = await run(mode.args, isLasting(faults) ? { AWS_MAX_ATTEMPTS: '2' } : {});
    endInjection(proxy, faults);
    const check = (what: string, rounds: number) =>
      checkState(app, before, { expected: rounds === 1 ? expected : grown(expected, rounds), what, faulty });
    if (faulty.code !== 0) {
      checkClear(faulty);
      const next = await run(mode.args);
      if (next.code !== 0) throw new Error(`The next run fails:\n${next.stderr}\nafter:\n${faulty.stderr}`);
      await check('The next run', 1);
      return 'fails clearly, next run completes';
    }
    if (!isLasting(faults)) {
      checkQuiet(faulty);
      await check('The run with faults', 1);
    }
    const rest = changesOf(await complete(mode.args));
    if (rest.length > 0) throw new Error(`The run is complete, and the next syncs ${rest.join()}\n${faulty.stderr}`);
    if (isLasting(faults) && mode.changes !== 'nothing is there') {
      // what a run could not remove, the next one does that changes something
      await begin();
      await complete(mode.args);
      await check('The next change', 2);
    }
    return 'completes';
  };
  return {
    operations,
    round: async (faults) => {
      try {
        return await round(faults);
      } catch (error) {
        proxy.clear();
        await recover();
        throw error;
      }
    },
  };
}

/** The state after several such rounds. */
function grown(state: RoundState, rounds: number): RoundState {
  const growth = Object.entries(state.growth).map(([name, count]) => [name, count * rounds] as const);
  return { ...state, growth: Object.fromEntries(growth) };
}

async function checkState(
  app: RoundApp,
  before: CloudState['counts'],
  { expected, what, faulty }: { expected: RoundState; what: string; faulty: CliResult },
): Promise<void> {
  const found = differences(await app.state(before), expected);
  if (found.length > 0) throw new Error(`${what} leaves another state:\n${found.join('\n')}\n${faulty.stderr}`);
}

interface RunDocument {
  status?: string;
  error?: { message: string; hint?: string };
  resources?: { id: string; outcome: string; error?: string; hint?: string; waitsFor?: string }[];
}

/** What a run says that it changed. */
function changesOf({ stdout }: CliResult): string[] {
  const { status, resources = [] } = JSON.parse(stdout) as RunDocument;
  const synced = resources.filter(({ outcome }) => outcome !== 'unchanged').map(({ id }) => id);
  return status === 'unchanged' ? synced : [...synced, `(${status})`];
}

/** Throws if a complete run warns of faults that have passed. */
function checkQuiet({ stderr }: CliResult): void {
  const warnings = stderr.split('\n').filter((line) => line.startsWith('Warning: ') && !line.includes('is deprecated'));
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
}

/** Throws unless a failed run says what failed, as an error of the user's and not as one of ours. */
function checkClear({ code, stdout, stderr }: CliResult): void {
  const { status, error, resources = [] } = (stdout === '' ? {} : JSON.parse(stdout)) as RunDocument;
  const failed = resources.filter(({ outcome, waitsFor }) => outcome === 'failed' && waitsFor === undefined);
  const messages = [error?.message, ...failed.map((resource) => resource.error)].flatMap((text) => text ?? []);
  const why = messages.flatMap((message) => unclear(message) ?? []);
  const isSaid = status === 'failed' || failed.length > 0;
  if (
    code === 1 &&
    isSaid &&
    messages.length > 0 &&
    why.length === 0 &&
    !/is in sync|^\s+at .*:\d+:\d+/m.test(stderr)
  ) {
    return;
  }
  throw new Error(`The failure is not clear (${why.join(', ')}, exit code ${code}):\n${stdout}\n${stderr}`);
}
