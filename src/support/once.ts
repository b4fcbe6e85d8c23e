/** Runs `make` on the first call and returns the same promise from then on; after `reset`, the next call runs it again. */
export function once<T>(make: () => Promise<T>): (() => Promise<T>) & { reset(): void } {
  let promise: Promise<T> | undefined;
  const reset = (): void => {
    promise = undefined;
  };
  return Object.assign(() => (promise ??= make()), { reset });
}

/** Returns the promise kept under the name, made on the first call. One that rejects is not kept: the next call tries again. */
export function oncePerName<T>(memo: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const kept = memo.get(name);
  if (kept !== undefined) return kept;
  const promise = make();
  memo.set(name, promise);
  promise.catch(() => {
    if (memo.get(name) === promise) memo.delete(name);
  });
  return promise;
}
