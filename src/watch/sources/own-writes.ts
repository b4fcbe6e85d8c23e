import type { BuildObserver } from '../../builder/build-observer.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { startsWithFolder } from '../../files/paths.ts';
import { BuildWrites, OWN_FROM } from './build-writes.ts';
import type { BuildWindow } from './build-writes.ts';
import type { WatchedPart } from '../../files/file-snapshot.ts';
import type { PathChange } from '../../files/path-change.ts';

/** A build whose writes are observed. */
interface ObservedBuild {
  key: string;
  ids: readonly ResourceIdentifier[];
  codeDir: string;
}

/** Separates the writes of builds into their own source from saves of the user. */
export interface OwnWrites {
  observe(build: ObservedBuild): BuildObserver;
  /** Keeps the changes to sync now. `onChange` and `onDue` report the others later, if they turn out to be saves. */
  filter(changes: readonly PathChange[]): PathChange[];
  /** Whether changes of the resource's files are found without notifications. */
  isObserved(id: ResourceIdentifier): boolean;
  /** Finds changes of observed files without notifications. */
  findChanges(): PathChange[];
  close(): void;
}

/** What the separation needs from outside. */
export interface OwnWritesEnvironment {
  partsOf(ids: readonly ResourceIdentifier[]): readonly WatchedPart[];
  /** Called with changes made during a build that may be saves. */
  onChange(changes: readonly PathChange[]): void;
  /** Called after a while with files that builds wrote: one more build makes sure that none was a save. */
  onDue(paths: readonly string[]): void;
  /** Called once for the same files: each build changes them. */
  onOwn(ids: readonly ResourceIdentifier[], paths: readonly string[]): void;
}

/** When files that builds wrote are built once more. */
export interface RebuildTimes {
  /** Delay after the first time (ms). */
  first: number;
  /** Each further delay is this many times longer. */
  factor: number;
}

const REBUILD_TIMES: RebuildTimes = { first: 2_000, factor: 4 };
/** Longest delay (ms). Node's timers cannot wait longer than 25 days. */
const LONGEST = 24 * 3_600_000;

interface Writer {
  ids: readonly ResourceIdentifier[];
  writes: BuildWrites;
  /** Set while files that the build wrote are not built. */
  rebuild: NodeJS.Timeout | undefined;
  /** Files that `onOwn` was called with. */
  reported: Set<string>;
}

/**
 * A build that writes something new into its source each time would start itself forever; a save that is taken for the
 * build's work would be lost. Therefore files that change with each build are built once more after a delay, which grows
 * each time. Any other save starts the next build at once.
 */
export function createOwnWrites(environment: OwnWritesEnvironment, times: RebuildTimes = REBUILD_TIMES): OwnWrites {
  const writers = new Map<string, Writer>();
  const writerOf = ({ key, ids }: ObservedBuild): Writer => {
    const writer = writers.get(key) ?? {
      ids,
      writes: new BuildWrites(),
      rebuild: undefined,
      reported: new Set<string>(),
    };
    writers.set(key, writer);
    return Object.assign(writer, { ids });
  };
  /** Reports each file once; if the build writes other files each time (`!areKnown`), reports only the first ones. */
  const report = (writer: Writer, files: readonly string[], areKnown: boolean): void => {
    const newFiles = files.filter((file) => !writer.reported.has(file)).sort();
    if (newFiles.length === 0 || (!areKnown && writer.reported.size > 0)) return;
    environment.onOwn(writer.ids, newFiles);
    for (const file of newFiles) writer.reported.add(file);
  };
  const end = (writer: Writer, window: BuildWindow, how: Parameters<BuildWrites['close']>[1]): void => {
    const { changes, held, own, level } = writer.writes.close(window, how);
    if (held.length > 0) {
      const delay = Math.min(times.first * times.factor ** (level - OWN_FROM), LONGEST);
      clearTimeout(writer.rebuild);
      writer.rebuild = setTimeout(() => environment.onDue(held), delay);
      // the first time it may be the user, saving faster than it builds
      if (level > OWN_FROM) report(writer, own.length > 0 ? own : held, own.length > 0);
    }
    if (changes.length > 0) environment.onChange(changes);
  };
  const isOwn = (change: PathChange): boolean => {
    const judged = [...writers.values()].map(({ writes }) => ({ writes, verdict: writes.judge(change) }));
    if (judged.some(({ verdict }) => verdict === 'known' || verdict === 'open')) return true;
    if (judged.some(({ verdict }) => verdict === 'unclear')) return false;
    for (const { writes, verdict } of judged) if (verdict === 'other') writes.noteOther(change);
    return false;
  };
  return {
    observe: (build) => {
      const writer = writerOf(build);
      let window: BuildWindow | undefined;
      let seesAll = false;
      // this build reads everything
      clearTimeout(writer.rebuild);
      return {
        beforeSource: () => {
          if (window) writer.writes.noteRead(window);
          else seesAll = true;
        },
        beforeTool: () => {
          window ??= writer.writes.open(environment.partsOf(writer.ids));
        },
        ended: (how) => {
          const isVerified = (target: string): boolean =>
            how === 'verified' && seesAll && startsWithFolder(target, build.codeDir);
          if (window) end(writer, window, { isAborted: how === 'aborted', isVerified });
        },
      };
    },
    filter: (changes) => changes.filter((change) => !isOwn(change)),
    isObserved: (id) => [...writers.values()].some(({ ids, writes }) => ids.includes(id) && writes.isObserved),
    findChanges: () => [...writers.values()].flatMap(({ writes }) => writes.findChanges()),
    close: () => {
      for (const { rebuild } of writers.values()) clearTimeout(rebuild);
    },
  };
}
