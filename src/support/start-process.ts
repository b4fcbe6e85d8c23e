import { spawn as spawnCommand } from 'cross-spawn';
import { ProgramNotFoundError } from './spawn.ts';

/** A process that goes on beside us and ends when its input ends, also if we are killed. */
export interface RunningProcess {
  /** Resolves with the first line that it prints, or undefined if it ends before. */
  firstLine: Promise<string | undefined>;
  /** Resolves when it has ended; `stderr` is all that it printed there. */
  ended: Promise<{ code: number; stderr: string }>;
  /** Ends its input. */
  endInput(): void;
}

/** Starts a program whose standard input stays open, in a group of its own so that Ctrl-C reaches it through us alone. */
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
