import { errorMessage } from '../errors.ts';

/** A process that says when something was thrown that nobody caught, or rejected that nobody waits for. */
export interface StrayErrorSource {
  on(event: 'uncaughtException', listener: (error: Error) => void): unknown;
  off(event: 'uncaughtException', listener: (error: Error) => void): unknown;
}

/** Hands over what is thrown in callbacks, which would end the process, until the returned function is called. */
export function catchStrayErrors(source: StrayErrorSource, onError: (error: unknown) => void): () => void {
  const listener = (error: Error): void => onError(error);
  source.on('uncaughtException', listener);
  return () => void source.off('uncaughtException', listener);
}

/**
 * Ends the process with a report of what is thrown in a callback: what waits for that callback would wait for ever. What is
 * thrown while it is reported (too many files are open to load the report) is said in a few words.
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
