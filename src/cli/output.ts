import { setImmediate } from 'node:timers/promises';

/** The two streams that we write to. */
interface Output {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** Of a pipe that nothing reads any more (`| head`), and of a terminal that was closed: the rest is not wanted. */
const CLOSED: readonly (string | undefined)[] = ['EPIPE', 'ECONNRESET', 'EIO', 'ENXIO', 'ERR_STREAM_DESTROYED'];

/**
 * Output that cannot be written does not stop what was begun. `finish`, called at the end with the exit code, reports output
 * that was lost (a full disk) and gives the exit code for it.
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
      // the last write may have failed just now
      await setImmediate();
      if (lost.size === 0) return exitCode;
      const { explainLostOutput } = await import('../system-errors.ts');
      for (const [name, error] of lost) stderr.write(`Error: ${explainLostOutput(name, error)}\n`);
      return exitCode === 0 ? 1 : exitCode;
    },
  };
}
