import type { BuildObserver } from '../../builder/build-observer.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { isBelow } from '../../files/paths.ts';
import { BuildWrites, OWN_FROM } from './build-writes.ts';
import type { BuildWindow } from './build-writes.ts';
import type { WatchedPart } from '../../files/snapshot.ts';
import type { PathChange } from '../../files/path-change.ts';

/** A build, as far as what it writes is concerned. */
interface ObservedBuild {
  key: string;
  ids: readonly ResourceIdentifier[];
  codeDir: string;
}

/** Separates what builds write into their own source from what people save there. */
export interface OwnWrites {
  observe(build: ObservedBuild): BuildObserver;
  /** The changes to act on now. Of the others `onChange` or `onDue` reports those that turn out to matter. */
  filter(changes: readonly PathChange[]): PathChange[];
  /** Whether changes of what the resource is made of are found without being reported. */
  isObserved(id: ResourceIdentifier): boolean;
  /** What has changed unreported of what is observed. */
  findChanges(): PathChange[];
  close(): void;
}

/** Where results go. */
export interface OwnWritesEnvironment {
  partsOf(ids: readonly ResourceIdentifier[]): readonly WatchedPart[];
  /** Changed while something was built, and not surely by the build. */
  onChange(changes: readonly PathChange[]): void;
  /** It is quiet: what builds wrote is to be built once more, because it may have been somebody's save after all. */
  onDue(paths: readonly string[]): void;
  /** Called once for the same files: these change with each build. */
  onOwn(ids: readonly ResourceIdentifier[], paths: readonly string[]): void;
}

/** When what builds wrote is looked at once more. */
export interface LookTimes {
  /** After the first time (ms). */
  first: number;
  /** So many times later each time that it was the build again. */
  factor: number;
}

const LOOK_TIMES: LookTimes = { first: 2_000, factor: 4 };
/** Node's timers know nothing beyond 25 days (ms). */
const LONGEST = 24 * 3_600_000;

interface Writer {
  ids: readonly ResourceIdentifier[];
  writes: BuildWrites;
  /** Set while something that the build wrote has not been built. */
  look: NodeJS.Timeout | undefined;
  /** Files that `onOwn` was called with. */
  reported: Set<string>;
}

/**
 * A build that writes something new into its source each time would be repeated forever; a save that is taken for the
 * build's work would be lost. So nothing is ever given up: what changes with each build is built once more when it is
 * quiet, each time after a longer while, and a save of anybody else starts the next build at once.
 */
export function createOwnWrites(environment: OwnWritesEnvironment, times: LookTimes = LOOK_TIMES): OwnWrites {
  const writers = new Map<string, Writer>();
  const writerOf = ({ key, ids }: ObservedBuild): Writer => {
    const writer = writers.get(key) ?? { ids, writes: new BuildWrites(), look: undefined, reported: new Set<string>() };
    writers.set(key, writer);
    return Object.assign(writer, { ids });
  };
  /** Each file once; if they have other names each time (`!areKnown`), once at all. */
  const report = (writer: Writer, files: readonly string[], areKnown: boolean): void => {
    const news = files.filter((file) => !writer.reported.has(file)).sort();
    if (news.length === 0 || (!areKnown && writer.reported.size > 0)) return;
    environment.onOwn(writer.ids, news);
    for (const file of news) writer.reported.add(file);
  };
  const end = (writer: Writer, window: BuildWindow, how: Parameters<BuildWrites['close']>[1]): void => {
    const { changes, held, own, level } = writer.writes.close(window, how);
    if (held.length > 0) {
      const delay = Math.min(times.first * times.factor ** (level - OWN_FROM), LONGEST);
      clearTimeout(writer.look);
      writer.look = setTimeout(() => environment.onDue(held), delay);
      // the first time it may still be somebody who saves faster than it is built
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
      // it reads everything
      clearTimeout(writer.look);
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
            how === 'verified' && seesAll && isBelow(target, build.codeDir);
          if (window) end(writer, window, { isAborted: how === 'aborted', isVerified });
        },
      };
    },
    filter: (changes) => changes.filter((change) => !isOwn(change)),
    isObserved: (id) => [...writers.values()].some(({ ids, writes }) => ids.includes(id) && writes.isObserved),
    findChanges: () => [...writers.values()].flatMap(({ writes }) => writes.findChanges()),
    close: () => {
      for (const { look } of writers.values()) clearTimeout(look);
    },
  };
}
