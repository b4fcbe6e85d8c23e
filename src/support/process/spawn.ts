import { spawn as spawnCommand } from 'cross-spawn';
import { existsSync } from 'node:fs';
import { UserError } from '../../errors.ts';
import { createWatchdog } from './watchdog.ts';

/** Exit code and output of a program. */
export interface SpawnResult {
  code: number;
  stdout: string;
  stderr: string;
  /** Both streams, in order of arrival. */
  output: string;
}

/** How to run a program. */
export interface SpawnOptions {
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Ends the program and its children when aborted. */
  signal?: AbortSignal | undefined;
  /** Text for its standard input. Default: empty. */
  input?: string | undefined;
  /** It ends when its input does, so it needs no watchdog to end it if this process is killed. */
  endsWithInput?: boolean;
  onLine?: ((line: string) => void) | undefined;
}

/** The program could not be started: not on PATH, or not executable. */
export class ProgramNotFoundError extends UserError {
  readonly program: string;

  constructor(program: string, cause: unknown) {
    super(`Could not start ${program}: it is not on PATH or not executable`, { cause });
    this.program = program;
  }
}

/**
 * Runs a program without a shell and waits for its end. Any exit code is a result, not an error. Supports `.cmd` shims on
 * Windows (cross-spawn). Throws `ProgramNotFoundError` if it cannot start, and the signal's reason if aborted. The program
 * and its children end with this process, however this process ends.
 */
export async function spawn(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<SpawnResult> {
  options.signal?.throwIfAborted();
  const child = spawnCommand(program, [...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // a separate process group, so that an abort ends the tool's children too, and Ctrl-C reaches them only through us
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    endProgram(child, 'SIGTERM');
    killing = setTimeout(() => {
      endProgram(child, 'SIGKILL');
      // a program that left the group may keep them open
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, KILL_AFTER);
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  endWithUs(child, options.endsWithInput !== true);
  try {
    return await new Promise<SpawnResult>((resolve, reject) => {
      const text = { stdout: '', stderr: '', output: '' };
      const collect = (stream: 'stdout' | 'stderr'): void => {
        let rest = '';
        child[stream]?.setEncoding('utf8');
        child[stream]?.on('data', (chunk: string) => {
          text[stream] += chunk;
          text.output += chunk;
          const lines = (rest + chunk).split(/\r?\n/);
          rest = lines.pop() ?? '';
          for (const line of lines) options.onLine?.(line);
        });
        child[stream]?.on('end', () => rest && options.onLine?.(rest));
      };
      collect('stdout');
      collect('stderr');
      child.on('exit', () => noteExit(child));
      child.on('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, options.cwd, error)));
      child.on('close', (code, signal) => {
        if (options.signal?.aborted) {
          // its children may have ignored the signal
          endProgram(child, 'SIGKILL');
          reject(options.signal.reason);
        } else resolve({ code: code ?? (signal ? 128 : 1), ...text });
      });
      if (options.input !== undefined) {
        // a program that does not read its input closes the pipe; its exit code is the result
        child.stdin?.on('error', () => {});
        child.stdin?.end(options.input);
      }
    });
  } finally {
    clearTimeout(killing);
    noteEnd(child);
    options.signal?.removeEventListener('abort', stop);
  }
}

function notStarted(program: string, cwd: string | undefined, error: NodeJS.ErrnoException): Error {
  if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code ?? '')) return error;
  // the system reports a missing folder like a missing program
  if (cwd !== undefined && !existsSync(cwd)) return Object.assign(error, { path: cwd, syscall: 'access' });
  return new ProgramNotFoundError(program, error);
}

type Child = ReturnType<typeof spawnCommand>;

/** Time for a program to clean up after SIGTERM (ms). */
const KILL_AFTER = 1_000;

/** Running programs, whose process groups do not end with us automatically. */
const RUNNING = new Set<Child>();

const WATCHDOG = createWatchdog();

function endWithUs(child: Child, isGuarded: boolean): void {
  if (child.pid === undefined) return;
  if (RUNNING.size === 0) process.once('exit', endAll);
  RUNNING.add(child);
  if (isGuarded) WATCHDOG.guard(child.pid);
}

function noteEnd(child: Child): void {
  if (!RUNNING.delete(child) || child.pid === undefined) return;
  if (RUNNING.size === 0) process.off('exit', endAll);
  WATCHDOG.release(child.pid);
}

function endAll(): void {
  for (const child of RUNNING) endProgram(child, 'SIGKILL');
}

/** Programs that have ended with all their children: the system may reuse their IDs. */
const GONE = new WeakSet<Child>();

function noteExit(child: Child): void {
  if (process.platform === 'win32' || child.pid === undefined) return;
  try {
    process.kill(-child.pid, 0);
  } catch {
    GONE.add(child);
  }
}

/** Sends the signal to the program and, where supported, its process group. */
function endProgram(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined || GONE.has(child)) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // all processes have already ended
  }
}
