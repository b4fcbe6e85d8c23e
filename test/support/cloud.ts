import {
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  type CreateStackCommandInput,
  type CloudFormationClient,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Reporter } from '../../src/console/reporter.ts';
import { askCloud } from '../../src/local/cloud-client.ts';
import { waitUntilAnswering } from '../../src/local/cloud.ts';
import { ensureInstalled, readPlugin } from '../../src/local/installation.ts';
import { userCacheDir } from '../../src/support/user-cache.ts';
import { launch } from '../../src/local/launch.ts';
import type { LaunchOptions } from '../../src/local/launch.ts';
import { describeCloud } from '../../src/local/local-cloud.ts';
import { contractSettings } from './aws-contract.ts';
import { clients } from './clients.ts';
import { forkCloud } from './cloud-forks/fork.ts';

export { clients } from './clients.ts';

/** A local cloud of one test file: a process of its own on a free port, which ends with the test's process. */
export interface TestCloud {
  endpoint: string;
  port: number;
  pid: number;
  logFile: string;
  /** Sends AWS clients and tools there: endpoint, credentials, region. Merge it over `process.env`. */
  env: Record<string, string>;
  /** Forgets everything that is deployed. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** A reporter that keeps quiet. */
export const silent: Reporter = { report: () => {} };

/** The cache folder that all tests (and the user's own runs) share: packages are installed once per machine. */
export function sharedCacheDir(): string {
  return userCacheDir(process.env, os.homedir(), process.platform);
}

/** Starts a cloud of one's own. `settings`: variables of `src/local/plugin/start.py` and of MiniStack. */
export async function startTestCloud(settings: Record<string, string> = {}): Promise<TestCloud> {
  const options = { cacheDir: sharedCacheDir(), env: process.env, reporter: silent };
  const installation = await ensureInstalled(await readPlugin(), options);
  const folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-cloud-')));
  const files = {
    log: path.join(folder, 'log.txt'),
    state: path.join(folder, 'state.json'),
    temporary: path.join(folder, 'tmp'),
  };
  const how: LaunchOptions = {
    installation,
    port: 0,
    env: process.env,
    files,
    detached: false,
    settings: { SAM_SYNC_CLOUD_STATE_DELAY: '0.02', ...contractSettings(folder), ...settings },
  };
  const launched = (await forkCloud(how)) ?? (await launch(how));
  const { port } = await poll(async () => {
    if (launched.exitCode() !== undefined) throw new Error(await fs.readFile(files.log, 'utf8'));
    const state = await fs.readFile(files.state, 'utf8').catch(() => undefined);
    return state === undefined ? undefined : (JSON.parse(state) as { port: number });
  });
  const { pid } = await waitUntilAnswering(launched, files, port, undefined);
  const cloud = describeCloud(files, port, { pid, started: true });
  return {
    endpoint: cloud.endpoint,
    port,
    pid,
    logFile: files.log,
    env: { ...cloud.env },
    reset: async () => {
      const answer = await askCloud(port, 'POST', '/_ministack/reset', { timeoutMs: 30_000 });
      if (answer.status !== 200) throw new Error(`reset: ${answer.status} ${answer.body}`);
    },
    stop: async () => {
      launched.kill();
      await poll(async () => (launched.exitCode() === undefined ? undefined : true));
      await fs.rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What a stack operation led to. */
export interface DeployedStack {
  id: string;
  status: string;
  outputs: Record<string, string>;
  /** Of this operation, oldest first. */
  events: StackEvent[];
}

/** Creates the stack, or updates it if it is there, and waits for the end: also that of a failed operation. */
export async function deployTemplate(
  endpoint: string,
  stackName: string,
  template: unknown,
  more: Partial<CreateStackCommandInput> = {},
): Promise<DeployedStack> {
  const { cloudformation } = clients(endpoint);
  const input: CreateStackCommandInput = {
    StackName: stackName,
    Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    ...(template === undefined
      ? {}
      : { TemplateBody: typeof template === 'string' ? template : JSON.stringify(template) }),
    ...more,
  };
  const exists = await describe(cloudformation, stackName).catch(() => undefined);
  const before = new Set(exists ? (await stackEvents(endpoint, stackName)).map((event) => event.EventId) : []);
  await cloudformation.send(exists ? new UpdateStackCommand(input) : new CreateStackCommand(input));
  const stack = await poll(async () => {
    const found = await describe(cloudformation, stackName);
    return found?.StackStatus?.endsWith('_IN_PROGRESS') ? undefined : found;
  });
  return {
    id: stack.StackId ?? '',
    status: stack.StackStatus ?? '',
    outputs: Object.fromEntries((stack.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue])),
    events: (await stackEvents(endpoint, stackName)).filter((event) => !before.has(event.EventId)),
  };
}

/** All events of a stack (name or id), oldest first. */
export async function stackEvents(endpoint: string, stackName: string): Promise<StackEvent[]> {
  const { cloudformation } = clients(endpoint);
  const events: StackEvent[] = [];
  let token: string | undefined;
  do {
    const page = await cloudformation.send(new DescribeStackEventsCommand({ StackName: stackName, NextToken: token }));
    events.push(...(page.StackEvents ?? []));
    token = page.NextToken;
  } while (token !== undefined);
  return events.reverse();
}

async function describe(client: CloudFormationClient, stackName: string) {
  return (await client.send(new DescribeStacksCommand({ StackName: stackName }))).Stacks?.[0];
}

/** The function ran and failed. What is deployed between two halves of a save may do so for a moment: `poll` asks again. */
class FunctionFailed extends Error {}

/** Invokes a function (name or ARN) and returns its parsed answer; a failing function is an error. */
export async function invoke(endpoint: string, functionName: string, payload: unknown = {}): Promise<unknown> {
  const { InvokeCommand } = await import('@aws-sdk/client-lambda');
  const answer = await clients(endpoint).lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError) throw new FunctionFailed(`${functionName}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** What an API answered: JSON is parsed. */
export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Calls a stage of a REST API by its id. */
export async function callRestApi(
  endpoint: string,
  api: { id: string; stage: string; path: string },
  init?: RequestInit,
): Promise<ApiAnswer> {
  return call(`${endpoint}/restapis/${api.id}/${api.stage}/_user_request_${api.path}`, init);
}

/** Calls an HTTP API by its id; the stage is `$default` unless given. */
export async function callHttpApi(
  endpoint: string,
  api: { id: string; path: string; stage?: string },
  init?: RequestInit,
): Promise<ApiAnswer> {
  return call(`${endpoint}/_aws/execute-api/${api.id}/${api.stage ?? '$default'}${api.path}`, init);
}

/** Starts an execution, waits for its end and returns its parsed output; a failed execution is an error. */
export async function runStateMachine(endpoint: string, arn: string, input: unknown = {}): Promise<unknown> {
  const { DescribeExecutionCommand, StartExecutionCommand } = await import('@aws-sdk/client-sfn');
  const { sfn } = clients(endpoint);
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: arn, input: JSON.stringify(input) }),
  );
  const ended = await poll(async () => {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === 'RUNNING' ? undefined : execution;
  });
  if (ended.status !== 'SUCCEEDED') throw new Error(`${ended.status}: ${ended.error ?? ''} ${ended.cause ?? ''}`);
  return JSON.parse(ended.output ?? 'null');
}

/** Asks until there is an answer, at most 60 s; less often the longer it takes, because each question costs both sides time. */
export async function poll<T>(ask: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
  const start = performance.now();
  let failed: FunctionFailed | undefined;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      failed = undefined;
    } catch (error) {
      if (!(error instanceof FunctionFailed)) throw error;
      failed = error;
    }
    const elapsed = performance.now() - start;
    if (elapsed > timeoutMs) throw failed ?? new Error(`not seen within ${timeoutMs} ms`);
    await delay(Math.min(20 + elapsed / 10, 100));
  }
}

async function call(url: string, init: RequestInit | undefined): Promise<ApiAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // plain text stays what it is
  }
  return { status: response.status, headers: response.headers, body };
}
