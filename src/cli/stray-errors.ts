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
