import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { CloudState } from './cloud-state.ts';
import { readCloudState } from './cloud-state.ts';
import { createFaultApp } from './fault-app.ts';
import type { FaultApp } from './fault-app.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { runCli } from './run-cli.ts';
import type { CliResult } from './run-cli.ts';
import type { TestCloud } from './cloud.ts';

/** A way to sync that meets the faults. */
export interface FaultMode {
  stackName: string;
  args: readonly string[];
  /** What a round changes before its run. */
  changes: 'code' | 'template and code' | 'nothing is there';
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

/** Opens the mode with an application of its own: two rounds without faults give what a round with faults must lead to. */
export async function openFaultRounds(
  { cloud, proxy }: { cloud: TestCloud; proxy: FaultProxy },
  mode: FaultMode,
): Promise<FaultRounds> {
  const app = await createFaultApp();
  const rounds = new Rounds(cloud, proxy, mode, app);
  await rounds.open();
  return rounds;
}

interface Ended {
  content: unknown;
  growth: Record<string, number>;
  built: Record<string, string>;
}

class Rounds implements FaultRounds {
  operations: readonly string[] = [];
  private readonly cloud: TestCloud;
  private readonly proxy: FaultProxy;
  private readonly mode: FaultMode;
  private readonly app: FaultApp;
  private expected: Ended | undefined;
  private count = 0;
  private version = '';
  private shape = '';

  constructor(cloud: TestCloud, proxy: FaultProxy, mode: FaultMode, app: FaultApp) {
    [this.cloud, this.proxy, this.mode, this.app] = [cloud, proxy, mode, app];
  }

  async open(): Promise<void> {
    const { mode } = this;
    await this.change('template and code');
    const first = await this.run([]);
    if (first.code !== 0) throw new Error(first.stderr);
    // the first code sync makes what later ones replace
    for (let round = 0; round < 2; round++) {
      const before = await this.begin();
      this.proxy.clear();
      const run = await this.run(mode.args);
      if (run.code !== 0) throw new Error(run.stderr);
      this.operations = [...new Set(this.proxy.calls.map(({ service, operation }) => `${service} ${operation}`))];
      this.expected = await this.ended(before);
    }
  }

  async round(faults: readonly InjectedFault[]): Promise<Verdict> {
    const before = await this.begin();
    this.proxy.clear();
    for (const { operation, kind } of faults) {
      const [service = '', name = ''] = operation.split(' ');
      this.proxy.fault({ service, operation: name }, kind.fault, { times: kind.times });
    }
    const lasting = faults.some(({ kind }) => kind.times > 1);
    const run = await this.run(this.mode.args, lasting ? { AWS_MAX_ATTEMPTS: '2' } : {});
    const met = this.proxy.calls.filter(({ fault }) => fault !== undefined).length;
    this.proxy.clear();
    if (met === 0) throw new Error(`No call met ${describe(faults)}`);
    if (run.code === 0) checkQuiet(run, faults);
    if (run.code === 0) this.check(await this.ended(before), run, 'The run with faults');
    else checkClear(run);
    const next = await this.run(this.mode.args);
    if (next.code !== 0) throw new Error(`The next run fails:\n${next.stderr}\nafter:\n${run.stderr}`);
    const sent = run.code === 0 ? changesOf(next) : [];
    if (sent.length > 0) throw new Error(`The run with faults said that it completed, but the next syncs ${sent.join(', ')}\n${run.stderr}`);
    this.check(await this.ended(before), run, 'The next run');
    return run.code === 0 ? 'completes' : 'fails clearly, next run completes';
  }

  private async begin(): Promise<CloudState['counts']> {
    if (this.mode.changes !== 'nothing is there') {
      const { counts } = await this.state();
      await this.change(this.mode.changes);
      return counts;
    }
    await this.cloud.reset();
    await this.change('template and code');
    return {};
  }

  private async change(what: 'code' | 'template and code'): Promise<void> {
    this.count++;
    this.version = `v${this.count}v`;
    await this.app.writeCode(this.version);
    if (what === 'code') return;
    this.shape = `s${this.count}s`;
    await this.app.writeTemplate(this.shape);
  }

  private run(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
    return runCli(['--stack-name', this.mode.stackName, '--yes', '--output', 'json', ...args], {
      cwd: this.app.dir,
      env: {
        ...this.cloud.env,
        AWS_ENDPOINT_URL: this.proxy.endpoint,
        SAM_CLI_POLL_DELAY: '0.05',
        SAM_SYNC_REQUEST_TIMEOUT: '2',
        ...env,
      },
    });
  }

  private state(): Promise<CloudState> {
    const names = { [this.version]: 'VERSION', [this.shape]: 'SHAPE' };
    return readCloudState(this.cloud.endpoint, this.mode.stackName, names);
  }

  private async ended(before: CloudState['counts']): Promise<Ended> {
    const { content, counts } = await this.state();
    const growth = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, n - (before[name] ?? 0)]));
    const files = await readBuilt(path.join(this.app.dir, '.aws-sam'));
    const built = Object.entries(files).map(([name, text]) => [
      name,
      text.replaceAll(this.version, 'VERSION').replaceAll(this.shape, 'SHAPE'),
    ]);
    return { content, growth, built: Object.fromEntries(built) as Record<string, string> };
  }

  private check(actual: Ended, { stderr }: CliResult, what: string): void {
    for (const part of ['content', 'growth', 'built'] as const) {
      const differences = differ(actual[part], this.expected?.[part]);
      if (differences.length > 0)
        throw new Error(`${what} leaves another ${part}:\n${differences.join('\n')}\n${stderr}`);
    }
  }
}

/** Names faults for a message. */
function describe(faults: readonly InjectedFault[]): string {
  return faults.map(({ operation, kind }) => `${operation}: ${kind.name}`).join(', ');
}

function differ(actual: unknown, expected: unknown, at = ''): string[] {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return [];
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) {
    return [`${at}: ${JSON.stringify(actual)?.slice(0, 300)} instead of ${JSON.stringify(expected)?.slice(0, 300)}`];
  }
  const [one, other] = [actual as Record<string, unknown>, expected as Record<string, unknown>];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((key) =>
    differ(one[key], other[key], `${at}/${key}`),
  );
}

interface RunDocument {
  status?: string;
  error?: { message: string; hint?: string };
  resources?: { id: string; outcome: string; error?: string; hint?: string }[];
}

/** What a run says that it changed. */
function changesOf({ stdout }: CliResult): string[] {
  const { status, resources = [] } = JSON.parse(stdout) as RunDocument;
  const synced = resources.filter(({ outcome }) => outcome !== 'unchanged').map(({ id }) => id);
  return status === 'unchanged' ? synced : [...synced, `(${status})`];
}

/** Throws if a complete run warns of faults that have passed. */
function checkQuiet({ stderr }: CliResult, faults: readonly InjectedFault[]): void {
  const warnings = stderr.split('\n').filter((line) => line.startsWith('Warning: ') && !line.includes('is deprecated'));
  if (warnings.length > 0 && faults.every(({ kind }) => kind.times === 1)) throw new Error(warnings.join('\n'));
}

/** Throws unless a failed run says what failed, as an error of the user's and not as one of ours. */
function checkClear({ code, stdout, stderr }: CliResult): void {
  const fail = (why: string): never => {
    throw new Error(`${why} (exit code ${code}):\n${stdout}\n${stderr}`);
  };
  if (code !== 1) fail('Exit code 1 expected');
  const { status, error, resources = [] } = JSON.parse(stdout) as RunDocument;
  const failed = resources.filter(({ outcome }) => outcome === 'failed');
  const messages = [error?.message, ...failed.map((resource) => resource.error)].flatMap((text) => text ?? []);
  if (status !== 'failed' && failed.length === 0) fail(`The status is ${status}`);
  if (messages.length === 0) fail('There is no message');
  const text = `${messages.join('\n')}\n${stderr}`;
  if (/^\s+at .*:\d+:\d+/m.test(text)) fail('The message has a stack trace');
  if (/Deserialization|undefined|\[object|UnknownError|is in sync/i.test(text)) fail('The message is not for users');
  const named =
    /CloudFormation|Lambda|S3|STS|API Gateway|Step Functions|Access denied|AWS credentials have expired|bucket/;
  for (const message of messages) if (!named.test(message)) fail(`This message does not name what failed: ${message}`);
}

/** The files that SAM CLI would read: path → text. Links lead to our artifacts, which must be there. */
async function readBuilt(folder: string, prefix = ''): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of await fs.readdir(folder)) {
    if (prefix === '' && name === 'sam-sync') continue;
    const place = path.join(folder, name);
    if ((await fs.stat(place)).isDirectory()) Object.assign(files, await readBuilt(place, `${prefix}${name}/`));
    else files[prefix + name] = await fs.readFile(place, 'utf8');
  }
  return files;
}
