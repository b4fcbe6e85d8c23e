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
  let batch = new Map<string, PathChange>();
  let notifications = 0;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    const changes = [...batch.values()];
    const count = notifications;
    batch = new Map();
    notifications = 0;
    timer = undefined;
    onBatch(changes, count);
  };
  return {
    add: (change) => {
      const now = performance.now();
      if (batch.size === 0) since = now;
      const { folder = false, isNew = change.isNew } = batch.get(change.path) ?? {};
      batch.set(change.path, { path: change.path, folder: folder || change.folder, isNew });
      notifications++;
      clearTimeout(timer);
      timer = setTimeout(flush, Math.max(0, Math.min(quietMs, since + longestMs - now)));
    },
    close: () => clearTimeout(timer),
  };
}
