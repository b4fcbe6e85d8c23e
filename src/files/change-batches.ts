import type { PathChange } from './path-change.ts';

/** Collects changes until it is quiet. */
export interface ChangeBatches {
  add(change: PathChange): void;
  close(): void;
}

/** When a batch of changes is complete. */
export interface BatchTimes {
  /** Nothing has changed for so long (ms): what saves several files, or one in several steps, is done. */
  quietMs: number;
  /** But no longer than this after the first change (ms): a program may write for ever. */
  longestMs: number;
}

const BATCH_TIMES: BatchTimes = { quietMs: 50, longestMs: 500 };

/** Gives changes that come close together as one batch, each path once. */
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
