import { note } from '../console/reporter.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { createChangeBatches } from './change-batches.ts';
import { createContentMemory } from './content-memory.ts';
import { createFileWatcher } from './create-file-watcher.ts';
import type { WatchLimit } from './file-watcher.ts';
import { planTriggers } from './triggers.ts';
import type { Concerns, PathChange, TriggerInput, Triggers } from './triggers.ts';

/** Changes that mean something, close together in time. */
export interface SourceChange {
  /** What changed that concerns something. */
  files: readonly string[];
  concerns: Concerns;
  /** What of it concerns one resource. */
  filesOf(id: string): readonly string[];
  /** So much at once that the system may have kept some from us. */
  isFlood: boolean;
}

/** Watches what the application is made of. */
export interface SourceWatch {
  /** From now on what follows from this. `since` (ms since the epoch): what is new and was changed after that is a change. */
  follow(input: TriggerInput, since: number): void;
  readonly folders: number;
  close(): void;
}

/** inotify keeps 16,384 notifications at most (/proc/sys/fs/inotify/max_queued_events). */
const FLOOD = 8_000;
/** Time stamps of files come from a coarser clock than ours (ms). */
const CLOCK_LAG = 10;

/** Tells changes of content, in batches, of what matters and of nothing else. */
export function watchSources(
  { options, outside }: Pick<SyncRun, 'options' | 'outside'>,
  onChange: (change: SourceChange) => void,
): SourceWatch {
  let triggers: Triggers | undefined;
  const memory = createContentMemory();
  const batches = createChangeBatches((changes, notifications) => {
    if (!triggers) return;
    const isFlood = notifications > FLOOD;
    if (isFlood) watcher.rescan();
    const known = triggers;
    const relevant = changes.filter((change) => concernsAnything(known.concernsOf([change])));
    const changed = memory.filter(relevant);
    if (changed.length > 0 || isFlood) onChange(describe(known, changed, isFlood));
  });
  const watcher = createFileWatcher({
    ground: options.projectDir,
    onChange: (change) => batches.add(change),
    onLimit: (limit) => note(outside.reporter, 'warning', describeLimit(limit), LIMIT_HINT),
  });
  let isClosed = false;
  return {
    follow: (input, since) => {
      // work that was under way at the end still learns what it was made of
      if (isClosed) return;
      triggers = planTriggers(input);
      watcher.watch(triggers, since - CLOCK_LAG);
    },
    get folders() {
      return watcher.folders;
    },
    close: () => {
      isClosed = true;
      batches.close();
      watcher.close();
    },
  };
}

function describe(triggers: Triggers, changes: readonly PathChange[], isFlood: boolean): SourceChange {
  return {
    files: changes.map(({ path }) => path),
    concerns: triggers.concernsOf(changes),
    filesOf: (id) => changes.filter((change) => triggers.concernsOf([change]).ids.has(id)).map(({ path }) => path),
    isFlood,
  };
}

function concernsAnything({ ids, deploy, templates, options }: Concerns): boolean {
  return ids.size > 0 || deploy || templates || options;
}

function describeLimit({ code, folder }: WatchLimit): string {
  return `The system has no more watches to give (${code} at ${folder}): some folders are looked at once a second instead`;
}

const LIMIT_HINT =
  'On Linux raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288`, or leave out folders with --watch-exclude.';
