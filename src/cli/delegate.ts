import { spawn } from 'cross-spawn';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { UsageError, UserError } from '../errors.ts';
import { nearestName } from '../support/nearest-name.ts';
import type { SignalSource } from './interrupt.ts';
import { COMMANDS } from './samconfig/sam-cli-names.ts';

/** Environment in which to find and run another `sam`. */
export interface DelegateOptions {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Folder of this package, absolute, links resolved: a `sam` that leads to its `bin` is this program. */
  packageDir: string;
  platform: NodeJS.Platform;
  /** Source of the signals sent to this process. */
  signals: SignalSource;
}

/** Exit code or signal of the other program. */
export type DelegateResult = { code: number } | { signal: NodeJS.Signals };

/** Counts nested delegations, to detect a `sam` that indirectly runs this program again. */
const DEPTH = 'SAM_SYNC_DELEGATIONS';
const MAX_DEPTH = 8;

/** Finds the first `sam` on PATH that is not this program. */
export async function findOtherSam(options: DelegateOptions): Promise<string | undefined> {
  for (const folder of searchPath(options))
    for (const name of fileNames(options)) {
      const file = path.join(folder, name);
      if ((await isProgram(file, options.platform)) && !(await isOurs(file, options.packageDir))) return file;
    }
  return undefined;
}

/** Runs the other `sam` with our input, output and environment. */
export async function runOtherSam(
  program: string,
  args: readonly string[],
  { env, cwd, signals }: DelegateOptions,
): Promise<DelegateResult> {
  const depth = Number(env[DEPTH] ?? 0) + 1;
  if (depth > MAX_DEPTH)
    throw new UserError(`${program} runs this program again`, {
      hint: 'Put the folder of AWS SAM CLI first on PATH, or uninstall the other sam.',
    });
  let child: ReturnType<typeof spawn> | undefined;
  // the terminal sends Ctrl-C and Ctrl-\ to both processes; other signals reach only ours and are passed on. Listen before
  // the child starts
  const passOn = (signal: NodeJS.Signals): void => void child?.kill(signal);
  for (const signal of SHARED) signals.on(signal, ignore);
  for (const signal of PASSED_ON) signals.on(signal, passOn);
  try {
    const started = spawn(program, [...args], { stdio: 'inherit', cwd, env: { ...env, [DEPTH]: String(depth) } });
    child = started;
    return await new Promise<DelegateResult>((resolve, reject) => {
      started.on('error', (cause) => reject(new UserError(`Could not start ${program}: ${cause.message}`, { cause })));
      started.on('close', (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }));
    });
  } finally {
    for (const signal of SHARED) signals.off(signal, ignore);
    for (const signal of PASSED_ON) signals.off(signal, passOn);
  }
}

/** What `sam` takes before a command. */
const OPTIONS = ['--help', '--info', '--version'];
const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;
const SHARED = ['SIGINT', 'SIGQUIT'] as const;

/** Creates the error for a command that needs SAM CLI. */
export function missingSam(args: readonly string[]): UserError {
  const command = args.find((word) => !word.startsWith('-')) ?? args.join(' ');
  const known = [...COMMANDS].map((name) => name.split('_')[0] ?? name);
  const near = known.includes(command) ? undefined : nearestName(command, command.startsWith('-') ? OPTIONS : known);
  if (near !== undefined) {
    const what = command.startsWith('-') ? 'an option' : 'a command';
    return new UsageError(`\`sam ${command}\` is not ${what}`, { hint: `Did you mean \`sam ${near}\`?` });
  }
  const text = `\`sam ${command}\` needs AWS SAM CLI, which is not on PATH; this program provides only \`sam sync\``;
  return new UserError(text, { hint: 'Install AWS SAM CLI, for example with `pipx install aws-sam-cli`.' });
}

function ignore(): void {}

/** Returns the exit code that shells report for a program that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + os.constants.signals[signal];
}

function searchPath({ env, cwd, platform }: DelegateOptions): string[] {
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const folders = (env[platform === 'win32' ? name : 'PATH'] ?? '').split(platform === 'win32' ? ';' : ':');
  return folders.map((folder) => path.resolve(cwd, folder.replace(/^"(.*)"$/, '$1')));
}

function fileNames({ env, platform }: DelegateOptions): string[] {
  if (platform !== 'win32') return ['sam'];
  return (env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';').map((extension) => `sam${extension.toLowerCase()}`);
}

async function isProgram(file: string, platform: NodeJS.Platform): Promise<boolean> {
  try {
    if (!(await fs.stat(file)).isFile()) return false;
    if (platform !== 'win32') await fs.access(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Recognizes a link to `bin/sam.cjs`, or the small script that npm on Windows and pnpm install instead. */
async function isOurs(file: string, packageDir: string): Promise<boolean> {
  const real = await fs.realpath(file);
  if (real === path.join(packageDir, 'bin', 'sam.cjs')) return true;
  const stats = await fs.stat(real);
  if (stats.size > 8192) return false;
  const text = `${real}\n${await fs.readFile(real, 'latin1')}`.replaceAll('\\', '/');
  return /\/sam-sync\/bin\/sam\.cjs\b/.test(text) || text.includes(`${packageDir.replaceAll('\\', '/')}/bin/sam.cjs`);
}
