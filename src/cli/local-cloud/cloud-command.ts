import { setTimeout as delay } from 'node:timers/promises';
import { note, type Reporter } from '../../console/reporter.ts';
import { UsageError } from '../../errors.ts';
import type { Aws } from '../../aws/aws.ts';
import {
  cloudStatus,
  ensureCloud,
  readCloudLog,
  resetCloud,
  runningCloud,
  stopCloud,
  type CloudPlace,
} from '../../local/cloud.ts';
import { execInCloud } from './cloud-exec.ts';
import { CLOUD_PORT_VARIABLE, resolveCloudPlace } from './cloud-place.ts';
import { COMMON_OPTIONS, readWords, refuseArguments, unknownWord } from './cloud-words.ts';

/** Environment of the command. */
export interface CloudEnvironment {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal: AbortSignal;
  /** Receives help, status, logs and responses. */
  stdout: { write(text: string): unknown };
  /** Receives the log lines of an invocation. */
  stderr: { write(text: string): unknown };
  cwd(): string;
}

const LOST = 'Everything deployed to it is lost: stacks, data in its services, logs.';
const KEPT = "Kept: the installation, your project's builds; `sam-sync --local` deploys them again in seconds.";

const HELP = `Usage: sam-sync cloud COMMAND

The local cloud is an AWS emulator (MiniStack) on this machine. It accepts
connections from this machine only, needs no account and keeps everything in
memory. \`sam-sync --local …\` sets it up and starts it if needed.

Commands:
  start          Start the cloud. It runs until you stop it or the machine
                 restarts.
  stop           Stop the cloud. Stacks, data in its services and logs are lost.
                 The installation and your project's builds are kept.
  status         Show whether and where the cloud is running.
                 Exit code 0: running, 1: not running.
  reset          Discard everything deployed to the cloud; it keeps running.
  invoke ID      Invoke a function: its response on standard output, its log on
                 standard error. ID: LogicalId, or ChildStack/LogicalId in a
                 nested stack. --event FILE|JSON: the event (default: {}).
                 Exit code 1: the function failed.
  logs [ID…]     Print what these functions logged, with time and function;
                 without ID, the log of the cloud itself.
                 -f, --follow: keep printing until Ctrl-C.
  exec -- CMD…   Run an AWS tool against the cloud, which is started if needed.
                 Sets endpoint, credentials and Region and hides your profiles.
                 Exits with the tool's exit code.

Options of invoke and logs:
  --stack-name TEXT   The stack of the functions, if several stacks have one
                      with this ID.

Environment:
  ${CLOUD_PORT_VARIABLE}   Port of the cloud (default: 4566). Each port has its
                        own cloud.

Examples:
  sam-sync --local --stack-name sam-app
  sam-sync cloud invoke HelloFunction --event '{"name": "Ada"}'
  sam-sync cloud logs HelloFunction -f
  sam-sync cloud exec -- aws lambda list-functions
`;

interface Invocation {
  environment: CloudEnvironment;
  place: CloudPlace;
  /** The words after the command. */
  args: readonly string[];
}

const COMMANDS: Readonly<Record<string, (invocation: Invocation) => Promise<number>>> = {
  start,
  stop,
  status,
  reset,
  invoke,
  logs,
  exec,
};

const LOG_INTERVAL_MS = 200;

/** Runs `sam-sync cloud …` and returns its exit code. */
export async function runCloudCommand(args: readonly string[], environment: CloudEnvironment): Promise<number> {
  // words after `exec`, options included, belong to the tool
  const at = args.findIndex((word) => !word.startsWith('-'));
  const name = args[at] ?? '';
  const ownArgs = name === 'exec' ? args.slice(0, at + 2) : args;
  if (wantsHelp(ownArgs) || withoutDebug(args).length === 0) {
    environment.stdout.write(HELP);
    return 0;
  }
  const before = withoutDebug(args.slice(0, Math.max(at, 0)));
  const wrong = at === -1 ? withoutDebug(args)[0] : before[0];
  if (wrong !== undefined) throw unknownWord('option', wrong, COMMON_OPTIONS);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw unknownWord('command', name, Object.keys(COMMANDS));
  const rest = args.slice(at + 1);
  const place = resolveCloudPlace(environment.env);
  return command({ environment, place, args: name === 'exec' ? rest : withoutDebug(rest) });
}

function wantsHelp(words: readonly string[]): boolean {
  return words.includes('--help') || words.includes('-h');
}

function withoutDebug(words: readonly string[]): string[] {
  return words.filter((word) => word !== '--debug');
}

async function start({ environment, place, args }: Invocation): Promise<number> {
  refuseArguments('start', args);
  const { reporter, env, signal } = environment;
  const cloud = await ensureCloud({ ...place, env, reporter, signal });
  const text = cloud.started ? 'The local cloud is running' : 'The local cloud was already running';
  note(reporter, 'success', `${text}: ${cloud.endpoint} (process ${cloud.pid})`);
  return 0;
}

async function stop({ environment, place, args }: Invocation): Promise<number> {
  refuseArguments('stop', args);
  const stopped = await stopCloud(place, environment.signal);
  if (stopped) note(environment.reporter, 'success', 'Stopped the local cloud', `${LOST}\n${KEPT}`);
  else note(environment.reporter, 'info', `No local cloud is running on port ${place.port}`);
  return 0;
}

async function status({ environment, place, args }: Invocation): Promise<number> {
  refuseArguments('status', args);
  const cloud = await cloudStatus(place, environment.signal);
  if (!cloud) {
    environment.stdout.write(`not running (port ${place.port})\n`);
    return 1;
  }
  const state = cloud.answering ? 'running' : 'not responding';
  environment.stdout.write(`${state}: ${cloud.endpoint} (process ${cloud.pid})\nlog: ${cloud.logFile}\n`);
  return cloud.answering ? 0 : 1;
}

async function reset({ environment, place, args }: Invocation): Promise<number> {
  refuseArguments('reset', args);
  await resetCloud(place, environment.signal);
  note(environment.reporter, 'success', 'Reset the local cloud: it is empty');
  return 0;
}

async function invoke({ environment, place, args }: Invocation): Promise<number> {
  const { words, values } = readWords('invoke', args, { '--event': 'value', '--stack-name': 'value' });
  const [id, extra] = words;
  if (id === undefined) {
    throw new UsageError('sam-sync cloud invoke needs the logical ID of a function', {
      hint: 'For example: sam-sync cloud invoke HelloFunction --event event.json',
    });
  }
  if (extra !== undefined) throw new UsageError(`sam-sync cloud invoke takes one function, but got ${words.join(' ')}`);
  const [event, stackName] = [values.get('--event'), values.get('--stack-name')];
  const { cwd, stdout, stderr } = environment;
  const { invokeFunction } = await import('./cloud-invoke.ts');
  return withAws(environment, place, (aws) =>
    invokeFunction(aws, { id, stackName, event, cwd: cwd() }, { stdout, stderr }),
  );
}

async function logs({ environment, place, args }: Invocation): Promise<number> {
  const { words, values } = readWords('logs', args, { '--follow': 'flag', '-f': 'flag', '--stack-name': 'value' });
  const follow = values.has('--follow') || values.has('-f');
  if (words.length === 0) {
    const end = await printLog(environment, place, 0);
    if (follow) await followLog(environment, place, end);
    return 0;
  }
  const request = { ids: words, stackName: values.get('--stack-name'), follow };
  const { printFunctionLogs } = await import('./cloud-logs.ts');
  try {
    await withAws(environment, place, (aws) => printFunctionLogs(aws, request, environment));
  } catch (error) {
    // Ctrl-C is how following ends
    if (!follow || !environment.signal.aborted) throw error;
  }
  return 0;
}

/** Runs work with clients of the running local cloud. */
async function withAws<T>(
  { reporter, signal }: CloudEnvironment,
  place: CloudPlace,
  work: (aws: Aws) => Promise<T>,
): Promise<T> {
  const cloud = await runningCloud(place, signal);
  const { createAws } = await import('../../aws/aws.ts');
  const { endpoint, region, credentials } = cloud;
  const aws = createAws({ env: {}, endpoint, region, credentials, reporter, signal });
  try {
    return await work(aws);
  } finally {
    await aws.close();
  }
}

async function followLog(environment: CloudEnvironment, place: CloudPlace, from: number): Promise<void> {
  let end = from;
  while (!environment.signal.aborted) {
    await delay(LOG_INTERVAL_MS, undefined, { signal: environment.signal }).catch(() => {});
    end = await printLog(environment, place, end);
  }
}

/** Prints the log from a byte offset and returns the offset of its end. */
async function printLog({ stdout }: CloudEnvironment, place: CloudPlace, from: number): Promise<number> {
  const { text, end } = await readCloudLog(place, from);
  if (text !== '') stdout.write(text);
  return end;
}

async function exec({ environment, place, args }: Invocation): Promise<number> {
  const [first, ...rest] = args;
  // the two dashes are optional
  const [program, ...words] = first === '--' ? rest : args;
  if (program === undefined) {
    throw new UsageError('sam-sync cloud exec needs a command to run', {
      hint: 'For example: sam-sync cloud exec -- aws s3 ls',
    });
  }
  const { reporter, env, signal } = environment;
  const cloud = await ensureCloud({ ...place, env, reporter, signal });
  return execInCloud(program, words, { cloud, env });
}
