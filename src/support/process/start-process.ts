import { spawn as spawnCommand } from 'cross-spawn';
import { ProgramNotFoundError } from './spawn.ts';

/** A background process that ends when its input ends, even if this process is killed. */
export interface RunningProcess {
  /** Resolves with the first line of its output, or undefined if it ends before. */
  firstLine: Promise<string | undefined>;
  /** Resolves at its end, with everything it wrote to stderr. */
  ended: Promise<{ code: number; stderr: string }>;
  /** Ends its input. */
  endInput(): void;
}

/** Starts a program with an open standard input, in a separate process group so that Ctrl-C reaches it only through us. */
export function startProcess(
  program: string,
  args: readonly string[],
  { env }: { env?: NodeJS.ProcessEnv | undefined } = {},
): RunningProcess {
  const child = spawnCommand(program, [...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let stderr = '';
  let stdout = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // it may end before its input does
  child.stdin?.on('error', () => {});
  const ended = new Promise<{ code: number; stderr: string }>((resolve, reject) => {
    child.on('error', (error) => reject(new ProgramNotFoundError(program, error)));
    child.on('close', (code) => resolve({ code: code ?? 1, stderr }));
  });
  const firstLine = new Promise<string | undefined>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [line, ...rest] = stdout.split('\n');
      if (rest.length > 0) resolve(line);
    });
    ended.then(() => resolve(undefined), reject);
  });
  return { firstLine, ended, endInput: () => void child.stdin?.end() };
}
