import { spawn as spawnCommand } from 'cross-spawn';
import { existsSync } from 'node:fs';
import { UserError } from '../errors.ts';

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
  onLine?: ((line: string) => void) | undefined;
  /** Ends the program even if this process is killed. Cannot be combined with `input`. */
  endsWithUs?: boolean | undefined;
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
 * Windows (cross-spawn). Throws `ProgramNotFoundError` if it cannot start, and the signal's reason if aborted.
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
  killAtExit(child);
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
    RUNNING.delete(child);
    if (RUNNING.size === 0) process.off('exit', endAll);
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

/**
 * Runs the program in its arguments, and ends it when its standard input ends: we hold that open, so it ends with us however
 * we end. Returns the program's exit code.
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

/** Time for a program to clean up after SIGTERM (ms). */
const KILL_AFTER = 1_000;

/** Running programs, whose process groups do not end with us automatically. */
const RUNNING = new Set<Child>();

function killAtExit(child: Child): void {
  if (RUNNING.size === 0) process.once('exit', endAll);
  RUNNING.add(child);
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
