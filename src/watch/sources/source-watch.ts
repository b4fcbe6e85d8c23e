import type { ObserveBuild } from '../../builder/build-observer.ts';
import { note } from '../../console/reporter.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { SyncRun } from '../../sync/sync-run.ts';
import { createChangeBatches } from '../../files/change-batches.ts';
import { createContentMemory } from '../../files/content-memory.ts';
import { createFileWatcher } from '../../files/create-file-watcher.ts';
import type { WatchLimit } from '../../files/file-watcher.ts';
import { watchImages } from './image-watch.ts';
import { createOwnWrites } from './own-writes.ts';
import { planTriggers } from './triggers.ts';
import { namesOf } from '../../files/path-change.ts';
import type { PathChange } from '../../files/path-change.ts';
import type { ChangeEffects, TriggerInput, Triggers } from './triggers.ts';

/** A batch of changes that affect the application. */
export interface SourceChange {
  /** Absolute paths, or names of the container engine's images. */
  files: readonly string[];
  effects: ChangeEffects;
  /** Set after so many changes at once that the system may have dropped notifications: whether it may have dropped some of this resource. */
  mayHaveMissed: ((id: ResourceIdentifier) => boolean) | undefined;
}

/** Receives changes. */
export interface SourceListener {
  /** A file of these resources was written, and its content may have changed. `onChange` follows when the batch is complete. */
  onFirst(ids: ReadonlySet<ResourceIdentifier>, file: string): void;
  onChange(change: SourceChange): void;
  /** Each build of the resources changes these files; called once for the same files. */
  onOwn(ids: readonly ResourceIdentifier[], paths: readonly string[]): void;
}

/** Watches the files of the application. */
export interface SourceWatch {
  /** Watches the files of this input instead. Files that are new and changed after `since` (ms since the epoch) are reported. */
  follow(input: TriggerInput, since: number): void;
  /** Observes each build, so that its own writes do not count as saves. */
  observe: ObserveBuild;
  readonly folders: number;
  close(): void;
}

/** Notifications in one batch. inotify drops notifications beyond 16,384 (/proc/sys/fs/inotify/max_queued_events). */
const FLOOD = 8_000;
/** So many notifications of a batch may be of files that do not matter, as an editor's temporary ones, before the rest waits. */
const FIRST_LOOKS = 5;
/** Time stamps of files come from a coarser clock than Date.now() (ms). */
const CLOCK_LAG = 10;

/** Reports changes of content, in batches, of files that the application is made of. */
export function watchSources(
  { options, environment }: Pick<SyncRun, 'options' | 'environment'>,
  listener: SourceListener,
): SourceWatch {
  let triggers: Triggers | undefined;
  const memory = createContentMemory();
  const report = (changes: readonly PathChange[], mayHaveMissed?: SourceChange['mayHaveMissed']): void => {
    if (!triggers || (changes.length === 0 && !mayHaveMissed)) return;
    listener.onChange({ files: namesOf(changes), effects: triggers.effectsOf(changes), mayHaveMissed });
  };
  const ownWrites = createOwnWrites({
    partsOf: (ids) => triggers?.partsOf(ids) ?? [],
    onChange: (changes) => report(memory.filter(changes)),
    onDue: (paths) => report(paths.map((path) => ({ path, folder: false }))),
    onOwn: (ids, paths) => listener.onOwn(ids, paths),
  });
  let looks = 0;
  const lookAhead = ({ path, folder }: PathChange): void => {
    if (triggers === undefined || looks >= FIRST_LOOKS) return;
    looks++;
    const { ids } = triggers.effectsOf([{ path, folder }]);
    if (ids.size === 0) return;
    looks = FIRST_LOOKS;
    listener.onFirst(ids, path);
  };
  const batches = createChangeBatches((changes, notifications) => {
    looks = 0;
    const current = triggers;
    if (!current) return;
    const isFlood = notifications > FLOOD;
    if (isFlood) watcher.rescan();
    const relevant = changes.filter((change) => affectsAnything(current.effectsOf([change])));
    const saved = [...ownWrites.filter(relevant), ...(isFlood ? ownWrites.findChanges() : [])];
    report(memory.filter(saved), isFlood ? (id) => !ownWrites.isObserved(id) : undefined);
  });
  const watcher = createFileWatcher({
    ground: options.projectDir,
    onChange: (change) => {
      batches.add(change);
      lookAhead(change);
    },
    onLimit: (limit) => note(environment.reporter, 'warning', describeLimit(limit), LIMIT_HINT),
  });
  const images = watchImages(environment, (names, ids) => {
    const effects = triggers?.effectsOn(ids);
    if (effects && affectsAnything(effects)) listener.onChange({ files: names, effects, mayHaveMissed: undefined });
  });
  let isClosed = false;
  return {
    follow: (input, since) => {
      // a build that was under way at the end calls this after it
      if (isClosed) return;
      triggers = planTriggers(input);
      watcher.watch(triggers, since - CLOCK_LAG);
      images.follow(input.root);
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
      images.close();
    },
  };
}

function affectsAnything({ ids, deploy, set, templates, options }: ChangeEffects): boolean {
  return ids.size > 0 || deploy || set || templates || options;
}

function describeLimit({ code, folder }: WatchLimit): string {
  return `The system has no more file watches (${code} at ${folder}): some folders are polled once a second instead`;
}

const LIMIT_HINT =
  'On Linux raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288`, or exclude folders with --watch-exclude.';
