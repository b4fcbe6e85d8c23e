import { preciseStatNow } from '../../support/files.ts';
import { isRacy, signatureOf } from './stat-index.ts';

/** Values read from files or folders. A value is read again once the time stamps, size or inode of its path differ. */
export interface StatMemo<T> {
  get(place: string): T;
}

/** Creates an empty memo of what `read` returns. `clock`: ms since the epoch. */
export function createStatMemo<T>(read: (place: string) => T, clock: () => number = Date.now): StatMemo<T> {
  const kept = new Map<string, { signature: string; value: T }>();
  return {
    get: (place) => {
      const readAt = clock();
      const stat = preciseStatNow(place);
      // missing or unreadable, which the reader reports
      if (stat === undefined) return read(place);
      const signature = signatureOf(stat);
      const known = kept.get(place);
      if (known?.signature === signature) return known.value;
      const value = read(place);
      if (isRacy(stat, readAt)) kept.delete(place);
      else kept.set(place, { signature, value });
      return value;
    },
  };
}
