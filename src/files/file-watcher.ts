import type { PathChange } from './path-change.ts';

/** The files to watch. */
export interface WatchScope {
  /** Files and folders, absolute; they need not exist. */
  roots: readonly string[];
  /** Whether changes directly in this folder may matter. */
  isWatched(folder: string): boolean;
  /** Whether a root was read before it is watched; absent: all were. */
  wasRead?(root: string): boolean;
}

/** Reports changes of files. */
export interface FileWatcher {
  /**
   * Watches this scope instead of the one before. Files that are new in it, were read and changed after `since` (ms since the
   * epoch) are reported: nothing watched them so far.
   */
  watch(scope: WatchScope, since?: number): void;
  /** Finds files that came or went, after so many changes at once that the system may have dropped notifications. */
  rescan(): void;
  /** Folders that are watched now. */
  readonly folders: number;
  close(): void;
}

/** Options of a watcher. */
export interface FileWatcherOptions {
  /** The folder that always exists, e.g. the project's: the folders above it are not watched. Absolute. */
  ground: string;
  onChange(change: PathChange): void;
  /** Called once, when the system refuses more watches: the watcher polls the other folders. */
  onLimit(limit: WatchLimit): void;
  /** `fs.watch`; in tests one with a limit. */
  openWatch?: OpenWatch | undefined;
  /** Time between two polls (ms). */
  pollMs?: number | undefined;
}

/** Why a folder cannot be watched. `code`: of the system's error. */
export interface WatchLimit {
  code: string;
  folder: string;
}

/** A watch of the operating system. */
export interface WatchHandle {
  close(): void;
}

/** Watches a folder; with `recursive` also everything below it (macOS, Windows). Throws if the system refuses. */
export type OpenWatch = (
  folder: string,
  options: { recursive: boolean },
  listeners: {
    /**
     * `name`: of the entry, or its path below a recursively watched folder; null: the system does not say.
     * `change`: content or attributes changed; `rename`: the entry came or went.
     */
    onEvent(name: string | null, type: 'change' | 'rename'): void;
    onError(error: NodeJS.ErrnoException): void;
  },
) => WatchHandle;
