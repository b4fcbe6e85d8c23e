/** A limit for time that leads to nothing. */
export interface Patience {
  wait<T>(work: () => Promise<T>): Promise<T>;
  isSpent(): boolean;
  /** Called when the time was of use. */
  renew(): void;
}

/** Counts the time (ms) in which at least one answer was awaited, since the last useful one. */
export function createPatience(limitMs: number): Patience {
  let waiting = 0;
  let since = 0;
  let spent = 0;
  return {
    wait: async (work) => {
      if (waiting++ === 0) since = performance.now();
      try {
        return await work();
      } finally {
        if (--waiting === 0) spent += performance.now() - since;
      }
    },
    isSpent: () => spent + (waiting > 0 ? performance.now() - since : 0) > limitMs,
    renew: () => {
      spent = 0;
      since = performance.now();
    },
  };
}
