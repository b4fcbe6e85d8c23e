import type { PathChange } from './path-change.ts';

/** Collects changes until none comes for a while. */
export interface ChangeBatches {
  add(change: PathChange): void;
  close(): void;
}

/** When a batch ends. */
export interface BatchTimes {
  /** After this long without a change (ms): an editor that saves several files, or one in several steps, is done. */
  quietMs: number;
  /** At the latest this long after the first change (ms), for programs that never stop writing. */
  longestMs: number;
}

const BATCH_TIMES: BatchTimes = { quietMs: 50, longestMs: 500 };

/** Passes changes that follow each other closely on as one batch, with each path once. */
export function createChangeBatches(
  onBatch: (changes: readonly PathChange[], notifications: number) => void,
  { quietMs, longestMs }: BatchTimes = BATCH_TIMES,
): ChangeBatches {
  let folders = new Map<string, boolean>();
  let notifications = 0;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    const changes = [...folders].map(([path, folder]) => ({ path, folder }));
    const count = notifications;
    folders = new Map();
    notifications = 0;
    timer = undefined;
    onBatch(changes, count);
  };
  return {
    add: ({ path, folder }) => {
      const now = performance.now();
      if (folders.size === 0) since = now;
      folders.set(path, folder || folders.get(path) === true);
      notifications++;
      clearTimeout(timer);
      timer = setTimeout(flush, Math.max(0, Math.min(quietMs, since + longestMs - now)));
    },
    close: () => clearTimeout(timer),
  };
}
