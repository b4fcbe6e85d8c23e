import { setImmediate } from 'node:timers/promises';

/** The two streams we write to. */
interface Output {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** Error codes of a pipe without a reader (`| head`) or a closed terminal: nobody wants the rest of the output. */
const CLOSED: readonly (string | undefined)[] = ['EPIPE', 'ECONNRESET', 'EIO', 'ENXIO', 'ERR_STREAM_DESTROYED'];

/**
 * Lets a run continue when output cannot be written. `finish`, called at the end with the exit code, reports lost output
 * (e.g. a full disk) and returns the exit code to use.
 */
export function watchOutput({ stdout, stderr }: Output): { finish(exitCode: number): Promise<number> } {
  const lost = new Map<'standard output' | 'standard error', Error>();
  const follow = (name: 'standard output' | 'standard error', stream: NodeJS.WritableStream): void => {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!CLOSED.includes(error.code) && !lost.has(name)) lost.set(name, error);
    });
  };
  follow('standard output', stdout);
  follow('standard error', stderr);
  return {
    finish: async (exitCode) => {
      // wait for the error of the last write
      await setImmediate();
      if (lost.size === 0) return exitCode;
      const { explainLostOutput } = await import('../system-errors.ts');
      for (const [name, error] of lost) stderr.write(`Error: ${explainLostOutput(name, error)}\n`);
      return exitCode === 0 ? 1 : exitCode;
    },
  };
}
