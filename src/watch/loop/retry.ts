/** How often something is tried again (ms). */
export interface RetryTimes {
  first: number;
  longest: number;
}

/** Tries again what failed for a reason that may go away by itself, later each time. */
export interface Retry {
  /** Once more after a while; one that is planned already is enough. */
  later(): void;
  /** Something worked: the next failure is tried again soon. */
  succeeded(): void;
  /** Nothing is tried again any more. */
  stop(): void;
}

const RETRY_TIMES: RetryTimes = { first: 2_000, longest: 30_000 };

export function createRetry(tryAgain: () => void, { first, longest }: RetryTimes = RETRY_TIMES): Retry {
  let delay = first;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  return {
    later: () => {
      if (timer || isStopped) return;
      timer = setTimeout(() => {
        timer = undefined;
        tryAgain();
      }, delay);
      delay = Math.min(delay * 2, longest);
    },
    succeeded: () => {
      delay = first;
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
