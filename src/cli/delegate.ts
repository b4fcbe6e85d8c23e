import { spawn } from 'cross-spawn';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { UserError } from '../errors.ts';
import type { SignalSource } from './interrupt.ts';

/** Where another `sam` is looked for and run. */
export interface DelegateOptions {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** The folder of this package, absolute, links resolved: a `sam` that leads to its `bin` is ourselves. */
  packageDir: string;
  platform: NodeJS.Platform;
  /** Receives the signals that are sent to us while the other program runs. */
  signals: SignalSource;
}

/** How the other program ended. */
export type DelegateResult = { code: number } | { signal: NodeJS.Signals };

/** Counts how often we handed on already, to notice a `sam` that leads back to us in a way we do not see. */
const DEPTH = 'SAM_SYNC_DELEGATIONS';
const MAX_DEPTH = 8;

/** The first `sam` on PATH that is not this program. */
export async function findOtherSam(options: DelegateOptions): Promise<string | undefined> {
  for (const folder of searchPath(options))
    for (const name of fileNames(options)) {
      const file = path.join(folder, name);
      if ((await isProgram(file, options.platform)) && !(await isOurs(file, options.packageDir))) return file;
    }
  return undefined;
}

/** Runs the other `sam` in our place: same input, output and environment. */
export async function runOtherSam(
  program: string,
  args: readonly string[],
  { env, cwd, signals }: DelegateOptions,
): Promise<DelegateResult> {
  const depth = Number(env[DEPTH] ?? 0) + 1;
  if (depth > MAX_DEPTH)
    throw new UserError(`${program} leads back to this program`, {
      hint: 'Put the folder of AWS SAM CLI first on PATH, or uninstall the other sam.',
    });
  let child: ReturnType<typeof spawn> | undefined;
  // the terminal sends Ctrl-C and Ctrl-\ to both of us; a signal for us alone is passed on. Listened for before the other one can
  // have said anything
  const passOn = (signal: NodeJS.Signals): void => void child?.kill(signal);
  for (const signal of SHARED) signals.on(signal, ignore);
  for (const signal of PASSED_ON) signals.on(signal, passOn);
  try {
    const started = spawn(program, [...args], { stdio: 'inherit', cwd, env: { ...env, [DEPTH]: String(depth) } });
    child = started;
    return await new Promise<DelegateResult>((resolve, reject) => {
      started.on('error', (cause) => reject(new UserError(`${program} could not be started`, { cause })));
      started.on('close', (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }));
    });
  } finally {
    for (const signal of SHARED) signals.off(signal, ignore);
    for (const signal of PASSED_ON) signals.off(signal, passOn);
  }
}

const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;
const SHARED = ['SIGINT', 'SIGQUIT'] as const;

/** What to say where there is no other `sam`. */
export function missingSam(args: readonly string[]): UserError {
  const command = args.find((word) => !word.startsWith('-')) ?? args.join(' ');
  const text = `\`sam ${command}\` is a command of AWS SAM CLI, which is not on PATH; this program is \`sam sync\` only`;
  return new UserError(text, { hint: 'Install AWS SAM CLI, for example with `pipx install aws-sam-cli`.' });
}

function ignore(): void {}

/** The exit code that shells use for a program that a signal ended. */
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

/** Package managers install a link to `bin/sam.cjs`, or (on Windows, and pnpm) a small script that names it. */
async function isOurs(file: string, packageDir: string): Promise<boolean> {
  const real = await fs.realpath(file);
  if (real === path.join(packageDir, 'bin', 'sam.cjs')) return true;
  const stats = await fs.stat(real);
  if (stats.size > 8192) return false;
  const text = `${real}\n${await fs.readFile(real, 'latin1')}`.replaceAll('\\', '/');
  return /\/sam-sync\/bin\/sam\.cjs\b/.test(text) || text.includes(`${packageDir.replaceAll('\\', '/')}/bin/sam.cjs`);
}
