import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';

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
  /** The pipe stays open after that, as with an editor or a CI server. */
  keepInputOpen?: boolean;
  /** Standard input is not a pipe but this. */
  stdin?: 'ignore' | number;
  /** Standard output and error are not collected but go there. */
  stdout?: number;
  stderr?: number;
  /** The id of the user that it runs as. */
  uid?: number | undefined;
  /** What a shell does before, e.g. `ulimit -n 20`. */
  shell?: string;
  /** By default `sam-sync`. */
  program?: 'sam' | 'sam-sync';
  /** Another program that runs it, e.g. the command of an installed package. */
  command?: readonly string[];
  /** Called with the process while it runs, to send it signals. */
  onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the built command (`npm run build`) as a user does and waits for its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { cwd, env = {}, input = '', program = 'sam-sync', onStart } = options;
  const bin = path.join(ROOT, 'bin', `${program}.cjs`);
  const words = [...(options.command ?? [process.execPath, bin]), ...args];
  const [file = '', ...rest] = options.shell ? ['sh', '-c', `${options.shell}; exec "$@"`, 'sh', ...words] : words;
  const child = spawn(file, rest, {
    cwd,
    env: { ...process.env, CI: undefined, ...env },
    stdio: [options.stdin ?? 'pipe', options.stdout ?? 'pipe', options.stderr ?? 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const result: CliResult = { code: null, signal: null, stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
  // the command may end before it has read its input
  child.stdin?.on('error', () => {});
  child.stdin?.write(input);
  if (!options.keepInputOpen) child.stdin?.end();
  // a command that does not end must not outlive its test
  atEnd(() => child.kill('SIGKILL'));
  onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...result, code, signal }));
  });
}
