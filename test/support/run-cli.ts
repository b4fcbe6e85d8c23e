import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How the built command ended and what it printed. */
export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Where and with what the built command runs. */
export interface CliOptions {
  cwd: string;
  /** Over the environment of the test; `CI` is not taken from there, as it answers questions. */
  env?: Readonly<Record<string, string | undefined>>;
  /** What is piped in; without it the input is empty. */
  input?: string;
  /** By default `sam-sync`. */
  program?: 'sam' | 'sam-sync';
  /** Called with the process while it runs, to send it signals. */
  onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the built command (`npm run build`) as a user does and waits for its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { cwd, env = {}, input = '', program = 'sam-sync', onStart } = options;
  const bin = path.join(ROOT, 'bin', `${program}.cjs`);
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, CI: undefined, ...env } });
  const result: CliResult = { code: null, signal: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
  // who needs no input may end before it is written
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...result, code, signal }));
  });
}
