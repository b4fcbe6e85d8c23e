import type { ApplicationSnapshot } from './application-snapshot.ts';
import type { NotesOnce } from './notes-once.ts';
import type { WatchTools } from './watch-tools.ts';
import type { SyncRun } from '../sync/sync-run.ts';

/** What tasks work with: the snapshot, and the way to replace it. */
export interface WatchedApplication {
  readonly snapshot: ApplicationSnapshot;
  /**
   * Replaces the snapshot. `readSince`: when reading began (ms since the epoch), if the files to watch may differ now: later
   * changes of new files have not been noticed.
   */
  replace(change: (now: ApplicationSnapshot) => ApplicationSnapshot, readSince?: number): void;
  readonly notes: NotesOnce;
  /** Opens tools for other options. */
  openTools(run: SyncRun): WatchTools;
}
