import { setTimeout as delay } from 'node:timers/promises';
import { note, type Reporter } from '../../console/reporter.ts';
import { UsageError } from '../../errors.ts';
import { cloudStatus, ensureCloud, readCloudLog, resetCloud, stopCloud, type CloudPlace } from '../../local/cloud.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { execInCloud } from './cloud-exec.ts';
import { CLOUD_PORT_VARIABLE, resolveCloudPlace } from './cloud-place.ts';

/** Environment of the command. */
export interface CloudEnvironment {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal: AbortSignal;
  /** Receives help, status and log. */
  stdout: { write(text: string): unknown };
}

const HELP = `Usage: sam-sync cloud COMMAND

The local cloud is an AWS emulator (MiniStack) on this machine. It accepts connections from this machine only,
needs no account and keeps everything in memory. \`sam-sync --local …\` sets it up and starts it if needed.

Commands:
  start             Start the cloud. It runs until you stop it.
  stop              Stop the cloud and discard everything deployed to it.
  status            Show whether and where the cloud is running. Exit code 0: running, 1: not running.
  reset             Discard everything deployed to the cloud.
  logs [-f]         Print the log of the cloud and its functions. -f, --follow: keep printing until Ctrl-C.
  exec -- CMD…      Run an AWS tool against the cloud, which is started if needed. Sets endpoint, credentials and
                    Region and hides your profiles. Exits with the tool's exit code.

Environment:
  ${CLOUD_PORT_VARIABLE}   Port of the cloud (default: 4566). Each port has its own cloud.

Examples:
  sam-sync --local --stack-name sam-app
  sam-sync cloud exec -- aws lambda list-functions
  sam-sync cloud logs -f
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
  logs,
  exec,
};

const OPTIONS = ['--help', '--debug'];

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
  if (wrong !== undefined) throw unknownWord('option', wrong, OPTIONS);
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
  if (stopped) note(environment.reporter, 'success', 'Stopped the local cloud');
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

async function logs({ environment, place, args }: Invocation): Promise<number> {
  const follow = args.some((word) => word === '-f' || word === '--follow');
  refuseArguments(
    'logs',
    args.filter((word) => word !== '-f' && word !== '--follow'),
    ['--follow'],
  );
  const end = await printLog(environment, place, 0);
  if (follow) await followLog(environment, place, end);
  return 0;
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

function refuseArguments(command: string, args: readonly string[], options: readonly string[] = []): void {
  const [word] = args;
  if (word === undefined) return;
  if (word.startsWith('-')) throw unknownWord('option', word, [...options, ...OPTIONS]);
  throw new UsageError(`sam-sync cloud ${command} takes no arguments, but got ${word}`);
}

function unknownWord(kind: string, word: string, candidates: readonly string[]): UsageError {
  const nearest = nearestName(word, candidates);
  return new UsageError(`sam-sync cloud has no ${kind} "${word}"`, {
    hint: nearest === undefined ? 'See sam-sync cloud --help.' : `Did you mean ${nearest}?`,
  });
}
