import { errorMessage } from '../errors.ts';

/** A process that emits uncaught exceptions and unhandled rejections. */
export interface StrayErrorSource {
  on(event: 'uncaughtException', listener: (error: Error) => void): unknown;
  off(event: 'uncaughtException', listener: (error: Error) => void): unknown;
}

/** Passes uncaught errors, which would end the process, to `onError` until the returned function is called. */
export function catchStrayErrors(source: StrayErrorSource, onError: (error: unknown) => void): () => void {
  const listener = (error: Error): void => onError(error);
  source.on('uncaughtException', listener);
  return () => void source.off('uncaughtException', listener);
}

/**
 * Reports an uncaught error and ends the process, as whatever awaits the failed callback would wait forever. If the report
 * fails too (e.g. too many open files to load it), prints only its message.
 */
export function endOnStrayError(
  target: StrayErrorSource & { exit(code: number): void },
  { report, say }: { report(error: unknown): Promise<number>; say(text: string): void },
): void {
  const end = async (error: unknown): Promise<void> => {
    try {
      target.exit(await report(error));
    } catch (failure) {
      say(`Error: ${errorMessage(failure)}`);
      target.exit(1);
    }
  };
  let ending: Promise<void> | undefined;
  catchStrayErrors(target, (error) => {
    ending ??= end(error);
  });
}
