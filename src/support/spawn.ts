import { spawn as spawnCommand } from 'cross-spawn';
import { existsSync } from 'node:fs';
import { UserError } from '../errors.ts';

/** How a program ended and what it printed. */
export interface SpawnResult {
  code: number;
  stdout: string;
  stderr: string;
  /** Both streams, in the order in which they came. */
  output: string;
}

/** How to run a program. */
export interface SpawnOptions {
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Ends the program and its children when aborted. */
  signal?: AbortSignal | undefined;
  /** Text for its standard input; without it the input is empty. */
  input?: string | undefined;
  onLine?: ((line: string) => void) | undefined;
  /** Ends the program also if we are killed: for those whose work would go on, unseen. Not together with `input`. */
  endsWithUs?: boolean | undefined;
}

/** The program could not be started: not on PATH, or not executable. */
export class ProgramNotFoundError extends UserError {
  readonly program: string;

  constructor(program: string, cause: unknown) {
    super(`${program} could not be started: it is not on PATH or not executable`, { cause });
    this.program = program;
  }
}

/**
 * Runs a program without a shell and waits for its end; its exit code is a result, not an error. Windows `.cmd` shims
 * work (cross-spawn). Rejects with `ProgramNotFoundError` if it cannot be started and with the signal's reason if aborted.
 */
export async function spawn(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<SpawnResult> {
  options.signal?.throwIfAborted();
  const isGuarded = options.endsWithUs === true && process.platform !== 'win32';
  const [file, words] = isGuarded ? ['/bin/sh', ['-c', GUARD, 'sh', program, ...args]] : [program, [...args]];
  const child = spawnCommand(file, words, {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.input === undefined && !isGuarded ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // a group of its own, so that an abort ends the tool's children too, and Ctrl-C reaches them through us alone
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    endProgram(child, 'SIGTERM');
    killing = setTimeout(() => {
      endProgram(child, 'SIGKILL');
      // a program that left the group may hold them for ever
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, KILL_AFTER);
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  endWithUs(child);
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
          // those that it has started may have ignored the signal that ended it
          endProgram(child, 'SIGKILL');
          reject(options.signal.reason);
        } else resolve({ code: code ?? (signal ? 128 : 1), ...text });
      });
      if (options.input !== undefined) {
        // a program that does not read its input closes the pipe; its exit code tells the rest
        child.stdin?.on('error', () => {});
        child.stdin?.end(options.input);
      }
    });
  } finally {
    clearTimeout(killing);
    RUNNING.delete(child);
    if (RUNNING.size === 0) process.off('exit', endAll);
    options.signal?.removeEventListener('abort', stop);
  }
}

function notStarted(program: string, cwd: string | undefined, error: NodeJS.ErrnoException): Error {
  if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code ?? '')) return error;
  // the system reports a missing folder as it reports a missing program
  if (cwd !== undefined && !existsSync(cwd)) return Object.assign(error, { path: cwd, syscall: 'access' });
  return new ProgramNotFoundError(program, error);
}

type Child = ReturnType<typeof spawnCommand>;

/**
 * Runs the program that its arguments are, and ends it when its own standard input ends: we hold that open, and it ends with
 * us in whatever way we end. Its exit code is the program's.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- &
program=$!
(read -r nothing <&3; kill "$program") >/dev/null 2>&1 &
guard=$!
wait "$program"
code=$?
kill "$guard" 2>/dev/null
exit "$code"`;

/** A program that is asked to end has so long to clean up (ms). */
const KILL_AFTER = 1_000;

/** Programs in groups of their own do not end with us by themselves. */
const RUNNING = new Set<Child>();

function endWithUs(child: Child): void {
  if (RUNNING.size === 0) process.once('exit', endAll);
  RUNNING.add(child);
}

function endAll(): void {
  for (const child of RUNNING) endProgram(child, 'SIGKILL');
}

/** Programs that have ended with all that they had started: the system may give their ids to others. */
const GONE = new WeakSet<Child>();

function noteExit(child: Child): void {
  if (process.platform === 'win32' || child.pid === undefined) return;
  try {
    process.kill(-child.pid, 0);
  } catch {
    GONE.add(child);
  }
}

/** Sends the signal to the program and, where there are groups, to all that it has started. */
function endProgram(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined || GONE.has(child)) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // all have ended by themselves in the meantime
  }
}
