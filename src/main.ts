import type { WriteStream } from 'node:tty';
import manifest from '../package.json' with { type: 'json' };
import { parseCommandLine } from './cli/options/command-line.ts';
import { OPTION_CHANGES } from './cli/options/options.ts';
import type { CommandLine } from './cli/options/command-line.ts';
import type { ProgramName } from './cli/help.ts';
import type { Interrupts } from './cli/interrupt.ts';
import { watchOutput } from './cli/output.ts';
import { answerAsSamCli, describeProgram } from './cli/program-info.ts';
import type { ResolvedRun } from './cli/options/resolve-options.ts';
import { catchStrayErrors, endOnStrayError } from './cli/stray-errors.ts';
import type { MainIo } from './process-io.ts';
import type { ConsoleReporter } from './console/create-reporter.ts';
import type { CacheTask } from './sync/cache/cache-task.ts';
import type { SyncEnvironment } from './sync/sync-environment.ts';
import type { SyncOptions } from './sync/sync-options.ts';

export { processIo } from './process-io.ts';

/** Runs a command line (without program name) and returns the exit code. Each command loads only what it needs. */
export async function main(argv: readonly string[], io: MainIo): Promise<number> {
  const output = watchOutput(io);
  return output.finish(await runCommand(chooseCommand(argv, io.program), io));
}

async function runCommand(command: Command, io: MainIo): Promise<number> {
  switch (command.name) {
    case 'sync':
      return runSyncCommand(command.args, io);
    case 'cloud':
      return runCloud(command.args, io);
    case 'cache':
      return runCache(command.args, io);
    case 'other':
      return runOther(command.args, io);
  }
}

interface Command {
  name: 'sync' | 'cloud' | 'cache' | 'other';
  args: readonly string[];
}

/** `sam sync …` and `sam-sync …` are ours, as is `sam-sync cloud …` and `sam-sync cache …`; every other `sam …` belongs to AWS SAM CLI. */
function chooseCommand(argv: readonly string[], program: ProgramName): Command {
  if (program === 'sam-sync') {
    if (argv[0] === 'cloud' || argv[0] === 'cache') return { name: argv[0], args: argv.slice(1) };
    return { name: 'sync', args: argv[0] === 'sync' ? argv.slice(1) : argv };
  }
  // `sam --debug sync` is `sam sync --debug`
  const at = argv.findIndex((word) => word !== '--debug');
  if (argv[at] === 'sync') return { name: 'sync', args: [...argv.slice(0, at), ...argv.slice(at + 1)] };
  return { name: 'other', args: argv };
}

async function runSyncCommand(args: readonly string[], io: MainIo): Promise<number> {
  const commandLine = parseCommandLine(args);
  if (commandLine.typed.has('help')) return showHelp(io);
  if (commandLine.typed.has('version')) return showVersion(io);
  return interruptible(io, (interrupts) => resolveAndSync({ commandLine }, io, interrupts));
}

/** Resolves the options, creates the reporter they ask for, and runs. */
async function resolveAndSync(
  { commandLine, task }: { commandLine: CommandLine; task?: CacheTask },
  io: MainIo,
  interrupts: Interrupts,
): Promise<number> {
  const lastWord = (key: 'debug' | 'output'): string | undefined => commandLine.typed.get(key)?.words.at(-1);
  let debug = lastWord('debug') === 'true';
  let reporter: ConsoleReporter | undefined;
  try {
    const { resolveOptions } = await import('./cli/options/resolve-options.ts');
    const { options, notices, save, files } = await resolveOptions(commandLine, {
      env: io.env,
      cwd: io.cwd,
      needs: task && { stackName: 'sam-sync-cache', template: task.name === 'fill' },
    });
    debug = options.debug;
    reporter = await openReporter(io, options);
    if (debug) reporter.report({ type: 'note', level: 'debug', text: describeProgram(manifest.version) });
    for (const notice of notices) reporter.report({ type: 'note', ...notice });
    if (save && options.dryRun) {
      reporter.report({ type: 'note', level: 'info', text: '--save-params has no effect with --dry-run' });
    } else if (save) {
      const { saveParams } = await import('./cli/samconfig/save-params.ts');
      for (const notice of await saveParams(save)) reporter.report({ type: 'note', ...notice });
    }
    // the editor that reads the events is gone
    if (options.watch && options.output === 'json') io.stdout.once('error', interrupts.end);
    if (!options.watch) reportStrayErrors(io, reporter, debug);
    const readOptions = readAgain(commandLine, { io, reporter, notices });
    return await sync(options, { io, reporter, interrupts, optionFiles: files, readOptions, task });
  } catch (error) {
    if (!reporter) {
      reporter = await openReporter(io, { debug, output: lastWord('output') === 'json' ? 'json' : 'text' });
      const { noticesOf } = await import('./cli/options/throw-problems.ts');
      for (const notice of noticesOf(error)) reporter.report({ type: 'note', ...notice });
      const { failureDocument } = await import('./failure-document.ts');
      reporter.report({ type: 'result', document: failureDocument(error) });
    }
    return await showError(error, reporter, { signal: interrupts.signal, debug });
  } finally {
    reporter?.close();
  }
}

/** Returns a function that resolves the options again and reports only new notices. */
function readAgain(
  commandLine: CommandLine,
  { io, reporter, notices }: { io: MainIo; reporter: ConsoleReporter; notices: ResolvedRun['notices'] },
): () => Promise<ResolvedRun> {
  const reported = new Set(notices.map(({ text }) => text));
  return async () => {
    const { resolveOptions } = await import('./cli/options/resolve-options.ts');
    const run = await resolveOptions(commandLine, io);
    for (const notice of run.notices) if (!reported.has(notice.text)) reporter.report({ type: 'note', ...notice });
    for (const { text } of run.notices) reported.add(text);
    return run;
  };
}

function reportStrayErrors(io: MainIo, reporter: ConsoleReporter, debug: boolean): void {
  endOnStrayError(io.process, {
    report: async (error) => {
      const { failureDocument } = await import('./failure-document.ts');
      reporter.report({ type: 'result', document: failureDocument(error) });
      reporter.close();
      return showError(error, reporter, { signal: undefined, debug });
    },
    say: (text) => void io.stderr.write(`${text}\n`),
  });
}

interface Run {
  io: MainIo;
  reporter: ConsoleReporter;
  interrupts: Interrupts;
  optionFiles: readonly string[];
  readOptions(): Promise<ResolvedRun>;
  /** `sam-sync cache …` */
  task: CacheTask | undefined;
}

/** Loads the command and runs it with the means to ask the user. */
async function sync(options: SyncOptions, run: Run): Promise<number> {
  const { io, reporter, optionFiles, readOptions } = run;
  const { signal, interrupt } = run.interrupts;
  const [{ runSync }, { createAsker }, { askCode }, development, keys] = await Promise.all([
    import('./run-sync.ts'),
    import('./cli/ask.ts'),
    import('./cli/ask-code.ts'),
    import('./cli/development-stack.ts'),
    import('./cli/keys.ts'),
  ]);
  const stack = { stackName: options.stackName, templateFile: options.templateFile };
  // the local cloud is always for development
  const yes = options.yes || options.local;
  const answers = { yes, metadataFile: development.metadataFile(io.env) };
  const asker = createAsker({ input: io.stdin, output: io.stderr, yes, signal, alone: reporter.withoutView });
  const { ask, askText } = asker;
  const openKeys = (onKey: (key: string) => void): ReturnType<typeof keys.openKeys> => {
    asker.close();
    return keys.openKeys({ input: io.stdin(), process: io.process, onKey, onInterrupt: interrupt });
  };
  try {
    const environment: SyncEnvironment = {
      reporter,
      env: io.env,
      signal,
      version: manifest.version,
      confirm: (question) => ask(question.text, { default: question.default }),
      askText,
      askMfaCode: (device) =>
        reporter.withoutView(() =>
          askCode(`Code of MFA device ${device}:`, { openKeys, askText, output: io.stderr, signal }),
        ),
      confirmDevelopmentStack: (about) =>
        development.confirmDevelopmentStack({ ...about, ...stack }, { ask, ...answers }),
      isKnownDevelopmentStack: (about) => development.isKnownDevelopmentStack({ ...about, ...stack }, answers),
      openLocalCloud: async () => {
        const { openLocalCloud } = await import('./cli/local-cloud/open-local-cloud.ts');
        return openLocalCloud({ env: io.env, reporter, signal });
      },
      watch: {
        openKeys,
        interrupt,
        follow: reporter.follow,
        catchStrayErrors: (onError) => catchStrayErrors(io.process, onError),
        optionFiles,
        readOptions,
        optionChanges: OPTION_CHANGES,
      },
    };
    if (run.task === undefined) return await runSync(options, environment);
    const { runCacheTask } = await import('./run-cache-task.ts');
    return await runCacheTask(run.task, options, { ...environment, print: (text) => void io.stdout.write(text) });
  } finally {
    asker.close();
  }
}

async function runCloud(args: readonly string[], io: MainIo): Promise<number> {
  // words after `exec` belong to the tool
  const end = args.indexOf('exec');
  const debug = args.slice(0, end < 0 ? args.length : end).includes('--debug');
  const reporter = await openReporter(io, { debug });
  return interruptible(io, async ({ signal }) => {
    try {
      const { runCloudCommand } = await import('./cli/local-cloud/cloud-command.ts');
      const { env, stdout, stderr } = io;
      return await runCloudCommand([...args], { env, reporter, signal, stdout, stderr, cwd: () => io.cwd });
    } catch (error) {
      return await showError(error, reporter, { signal, debug });
    } finally {
      reporter.close();
    }
  });
}

async function runCache(args: readonly string[], io: MainIo): Promise<number> {
  const { CACHE_HELP, parseCacheCommand } = await import('./cli/cache/cache-command.ts');
  try {
    const command = parseCacheCommand(args);
    if (command) return await interruptible(io, (interrupts) => resolveAndSync(command, io, interrupts));
    io.stdout.write(CACHE_HELP);
    return 0;
  } catch (error) {
    const reporter = await openReporter(io, { debug: false });
    const code = await showError(error, reporter, { signal: undefined, debug: false });
    reporter.close();
    return code;
  }
}

/** Passes the command on to AWS SAM CLI. Throws if it is not installed. */
async function runOther(args: readonly string[], io: MainIo): Promise<number> {
  const { exitCodeOf, findOtherSam, missingSam, runOtherSam } = await import('./cli/delegate.ts');
  try {
    const options = { ...io, platform: process.platform, signals: io.process };
    const other = await findOtherSam(options);
    if (other === undefined) {
      if (args.length === 0 || args[0] === '--help' || args[0] === '-h') return await showHelp(io);
      const answer = answerAsSamCli(args, manifest.version);
      if (answer === undefined) throw missingSam(args);
      io.stdout.write(answer);
      return 0;
    }
    const result = await runOtherSam(other, args, options);
    if ('code' in result) return result.code;
    // end the same way, so that our caller sees the same signal
    io.process.kill(io.process.pid, result.signal);
    return exitCodeOf(result.signal);
  } catch (error) {
    const reporter = await openReporter(io, { debug: false });
    const code = await showError(error, reporter, { signal: undefined, debug: false });
    reporter.close();
    return code;
  }
}

async function interruptible(io: MainIo, work: (interrupts: Interrupts) => Promise<number>): Promise<number> {
  const { watchInterrupts } = await import('./cli/interrupt.ts');
  const interrupts = watchInterrupts(io.process);
  try {
    return await work(interrupts);
  } finally {
    interrupts.close();
  }
}

type Shown = Partial<Pick<SyncOptions, 'output' | 'watch' | 'ui'>> & { debug: boolean };

async function openReporter({ stdout, stderr, env }: MainIo, how: Shown): Promise<ConsoleReporter> {
  const { createReporter } = await import('./console/create-reporter.ts');
  return createReporter({ output: 'text', watch: false, ...how, stdout, stderr, env });
}

async function showError(
  error: unknown,
  reporter: ConsoleReporter,
  context: { signal: AbortSignal | undefined; debug: boolean },
): Promise<number> {
  const { reportError } = await import('./cli/report-error.ts');
  return reportError(error, { reporter, version: manifest.version, ...context });
}

async function showHelp(io: MainIo): Promise<number> {
  const { helpText } = await import('./cli/help.ts');
  io.stdout.write(helpText(io.program, (io.stdout as Partial<WriteStream>).columns ?? 100));
  return 0;
}

function showVersion(io: MainIo): number {
  io.stdout.write(`sam-sync ${manifest.version}\n`);
  return 0;
}
