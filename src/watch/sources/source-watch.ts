import type { ObserveBuild } from '../../builder/build-observer.ts';
import { note } from '../../console/reporter.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { SyncRun } from '../../sync/sync-run.ts';
import { createChangeBatches } from '../../files/change-batches.ts';
import { createContentMemory } from '../../files/content-memory.ts';
import { createFileWatcher } from '../../files/create-file-watcher.ts';
import type { WatchLimit } from '../../files/file-watcher.ts';
import { createOwnWrites } from './own-writes.ts';
import { planTriggers } from './triggers.ts';
import type { PathChange } from '../../files/path-change.ts';
import type { ChangeEffects, TriggerInput, Triggers } from './triggers.ts';

/** Changes that mean something, close together in time. */
export interface SourceChange {
  /** What changed that concerns something. */
  files: readonly string[];
  effects: ChangeEffects;
  /** So much at once that the system may have kept changes of a resource from us; undefined: it has not. */
  mayHaveMissed: ((id: ResourceIdentifier) => boolean) | undefined;
}

/** Where changes are reported. */
export interface SourceListener {
  onChange(change: SourceChange): void;
  /** These files change with each build of the resources; reported once. */
  onOwn(ids: readonly ResourceIdentifier[], paths: readonly string[]): void;
}

/** Watches what the application is made of. */
export interface SourceWatch {
  /** From now on what follows from this. `since` (ms since the epoch): what is new and was changed after that is a change. */
  follow(input: TriggerInput, since: number): void;
  /** Told of each build, so that what it writes is not taken for a save. */
  observe: ObserveBuild;
  readonly folders: number;
  close(): void;
}

/** inotify keeps 16,384 notifications at most (/proc/sys/fs/inotify/max_queued_events). */
const FLOOD = 8_000;
/** Time stamps of files come from a coarser clock than ours (ms). */
const CLOCK_LAG = 10;

/** Tells changes of content, in batches, of what matters and of nothing else. */
export function watchSources(
  { options, environment }: Pick<SyncRun, 'options' | 'environment'>,
  listener: SourceListener,
): SourceWatch {
  let triggers: Triggers | undefined;
  const memory = createContentMemory();
  const report = (changes: readonly PathChange[], mayHaveMissed?: SourceChange['mayHaveMissed']): void => {
    if (!triggers || (changes.length === 0 && !mayHaveMissed)) return;
    const files = changes.map(({ path }) => path);
    listener.onChange({ files, effects: triggers.effectsOf(changes), mayHaveMissed });
  };
  const ownWrites = createOwnWrites({
    partsOf: (ids) => triggers?.partsOf(ids) ?? [],
    onChange: (changes) => report(memory.filter(changes)),
    onDue: (paths) => report(paths.map((path) => ({ path, folder: false }))),
    onOwn: (ids, paths) => listener.onOwn(ids, paths),
  });
  const batches = createChangeBatches((changes, notifications) => {
    const known = triggers;
    if (!known) return;
    const isFlood = notifications > FLOOD;
    if (isFlood) watcher.rescan();
    const relevant = changes.filter((change) => concernsAnything(known.effectsOf([change])));
    const saved = [...ownWrites.filter(relevant), ...(isFlood ? ownWrites.findChanges() : [])];
    report(memory.filter(saved), isFlood ? (id) => !ownWrites.isObserved(id) : undefined);
  });
  const watcher = createFileWatcher({
    ground: options.projectDir,
    onChange: (change) => batches.add(change),
    onLimit: (limit) => note(environment.reporter, 'warning', describeLimit(limit), LIMIT_HINT),
  });
  let isClosed = false;
  return {
    follow: (input, since) => {
      // work that was under way at the end still learns what it was made of
      if (isClosed) return;
      triggers = planTriggers(input);
      watcher.watch(triggers, since - CLOCK_LAG);
    },
    observe: ownWrites.observe,
    get folders() {
      return watcher.folders;
    },
    close: () => {
      isClosed = true;
      batches.close();
      ownWrites.close();
      watcher.close();
    },
  };
}

function concernsAnything({ ids, deploy, templates, options }: ChangeEffects): boolean {
  return ids.size > 0 || deploy || templates || options;
}

function describeLimit({ code, folder }: WatchLimit): string {
  return `The system has no more watches to give (${code} at ${folder}): some folders are looked at once a second instead`;
}

const LIMIT_HINT =
  'On Linux raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288`, or leave out folders with --watch-exclude.';
