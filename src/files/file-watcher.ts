import type { PathChange } from './path-change.ts';

/** What is to be watched. */
export interface WatchScope {
  /** Files and folders, absolute; they need not exist. */
  roots: readonly string[];
  /** Whether changes directly in this folder may matter. */
  isWatched(folder: string): boolean;
}

/** Tells about changes of files. */
export interface FileWatcher {
  /**
   * From now on these and no others. `since` (milliseconds since the epoch): what is new in the scope and was changed
   * after that is told as a change, because nobody was looking yet.
   */
  watch(scope: WatchScope, since?: number): void;
  /** Looks for what came or went unnoticed, after so many changes at once that the system may have dropped some. */
  rescan(): void;
  /** Folders that are watched now. */
  readonly folders: number;
  close(): void;
}

/** Where changes go, and what the watcher is made with. */
export interface FileWatcherOptions {
  /** A folder that is taken for granted, e.g. the project's: those above it are not watched. Absolute. */
  ground: string;
  onChange(change: PathChange): void;
  /** The system refuses more watches: what cannot be watched is looked at regularly instead. Called once. */
  onLimit(limit: WatchLimit): void;
  /** `fs.watch`; in tests one with a limit. */
  openWatch?: OpenWatch | undefined;
  /** Between two looks at what cannot be watched (ms). */
  pollMs?: number | undefined;
}

/** Why watching is not possible: the system's error code, and the folder. */
export interface WatchLimit {
  code: string;
  folder: string;
}

/** One watched folder of the operating system. */
export interface WatchHandle {
  close(): void;
}

/** Watches one folder; with `recursive` also all below (macOS, Windows). Throws if the system refuses. */
export type OpenWatch = (
  folder: string,
  options: { recursive: boolean },
  listeners: {
    /**
     * `name`: of the entry, or its path below a recursively watched folder; null: the system does not know which.
     * `change`: of content or attributes; `rename`: it came or went.
     */
    onEvent(name: string | null, type: 'change' | 'rename'): void;
    onError(error: NodeJS.ErrnoException): void;
  },
) => WatchHandle;
