import { contentOf } from '../../files/content-memory.ts';
import { isBelow } from '../../files/paths.ts';
import { changedPaths, covers, isFolderIn, signatureNow, takeSnapshot } from '../../files/snapshot.ts';
import type { Snapshot, WatchedPart } from '../../files/snapshot.ts';
import type { PathChange } from '../../files/path-change.ts';

/** The time in which a build's tools run: what changes meanwhile may be their work. */
export interface BuildWindow {
  before: Snapshot;
  /** Of files that changed in the last window too. */
  contents: ReadonlyMap<string, string>;
  /** When the build read its source the last time: what changes later it has not seen. */
  read?: Snapshot;
}

/** What a window turned out to have changed. */
export interface Written {
  /** Perhaps somebody's save: to be built. */
  changes: PathChange[];
  /** Changed while the build changed something again and again, so most likely by the build itself. */
  held: string[];
  /** Those of them that changed in each window since longer than that. */
  own: string[];
  /** In how many windows in a row. */
  level: number;
}

/**
 * What a change is. `known`: the content that a window left. `open`: the window that is open will say. `unclear`: a window
 * is open, but its build has not written this before. `other`: somebody's save.
 */
export type Verdict = 'known' | 'open' | 'unclear' | 'other';

/** A file that changed in so many windows in a row is the build's own. */
export const OWN_FROM = 3;

/**
 * Compares what one build is made of before and after its tools ran: nothing else says what they wrote. Whether that was
 * the build or a save meanwhile shows when it happens in each build, and only then.
 */
export class BuildWrites {
  #parts: readonly WatchedPart[] = [];
  readonly #windows = new Set<BuildWindow>();
  #after: Snapshot = new Map();
  /** What the last window changed → its content then. */
  #touched: ReadonlyMap<string, string> = new Map();
  /** In how many windows in a row a file's content changed. */
  #repeats: ReadonlyMap<string, number> = new Map();
  /** Windows in a row that changed something, whatever it was, without a save of somebody else. */
  #streak = 0;
  /** Reported while a window was open, and not answered yet. */
  readonly #deferred = new Map<string, PathChange>();

  open(parts: readonly WatchedPart[]): BuildWindow {
    this.#parts = parts;
    const contents = new Map([...this.#touched.keys()].map((target) => [target, contentOf(target)]));
    const window = { before: takeSnapshot(parts), contents };
    this.#windows.add(window);
    return window;
  }

  /** The build of the window is about to read its source. */
  noteRead(window: BuildWindow): void {
    window.read = takeSnapshot(this.#parts);
  }

  /** `isVerified`: whether what was at a path when the build read its source the last time is what was built. */
  close(
    window: BuildWindow,
    { isAborted, isVerified }: { isAborted: boolean; isVerified: (target: string) => boolean },
  ): Written {
    this.#windows.delete(window);
    this.#after = takeSnapshot(this.#parts);
    const changed = changedPaths(window.before, this.#after);
    const contents = new Map(changed.map((target) => [target, contentOf(target)]));
    const files = changed.filter((target) => ![window.before, this.#after].some((one) => isFolderIn(one, target)));
    const isOther = (target: string): boolean => contents.get(target) !== window.contents.get(target);
    const isBuilt = (target: string): boolean =>
      isVerified(target) && window.read !== undefined && window.read.get(target) === this.#after.get(target);
    const news = files.filter((target) => isOther(target) && !isBuilt(target));
    // a build that was given up says nothing about what it would have written
    const keep = <T>(before: ReadonlyMap<string, T>): ReadonlyMap<string, T> => (isAborted ? before : new Map());
    const repeats = new Map(news.map((target) => [target, (this.#repeats.get(target) ?? 0) + 1]));
    this.#touched = new Map([...keep(this.#touched), ...contents]);
    this.#repeats = new Map([...keep(this.#repeats), ...repeats]);
    if (news.length > 0) this.#streak++;
    else if (!isAborted) this.#streak = 0;
    const levelOf = (target: string): number => Math.max(repeats.get(target) ?? 0, this.#streak);
    const held = news.filter((target) => levelOf(target) >= OWN_FROM);
    const others = news.filter((target) => levelOf(target) < OWN_FROM);
    return {
      changes: [...others.map((target) => ({ path: target, folder: false })), ...this.#takeDeferred(changed)],
      held,
      own: held.filter((target) => (repeats.get(target) ?? 0) > OWN_FROM),
      level: held.reduce((least, target) => Math.min(least, levelOf(target)), Infinity),
    };
  }

  /** undefined: the path is no part of what is built. */
  judge(change: PathChange): Verdict | undefined {
    if (!covers(this.#parts, change.path)) return undefined;
    const isTouched = [...this.#touched.keys()].some((target) => effects(change, target));
    if (this.#windows.size > 0) {
      if (!isTouched && this.#streak < OWN_FROM) return 'unclear';
      this.#deferred.set(change.path, change);
      return 'open';
    }
    return isTouched && this.#isAsLeft(change) ? 'known' : 'other';
  }

  /** Somebody else changed this. */
  noteOther(change: PathChange): void {
    this.#streak = 0;
    this.#repeats = new Map([...this.#repeats].filter(([target]) => !effects(change, target)));
  }

  /** Whether windows say all that changed. */
  get isObserved(): boolean {
    return this.#windows.size > 0 || this.#touched.size > 0;
  }

  /** What has changed since the last window, however little of it was reported. */
  findChanges(): PathChange[] {
    if (this.#windows.size > 0) return [];
    return changedPaths(this.#after, takeSnapshot(this.#parts)).map((target) => ({ path: target, folder: false }));
  }

  /** What was reported during the window and did not change in it: a save from just before. */
  #takeDeferred(changed: readonly string[]): PathChange[] {
    if (this.#windows.size > 0) return [];
    const before = [...this.#deferred.values()].filter((change) => !changed.some((target) => effects(change, target)));
    this.#deferred.clear();
    for (const change of before) this.noteOther(change);
    return before;
  }

  /** Whether all at the path is as the last window left it. */
  #isAsLeft(change: PathChange): boolean {
    const since = change.folder
      ? changedPaths(this.#after, takeSnapshot(this.#parts)).filter((target) => effects(change, target))
      : [change.path].filter((target) => signatureNow(target) !== this.#after.get(target));
    return since.every((target) => this.#touched.get(target) === contentOf(target));
  }
}

/** Whether a change at a path is one of the target too. */
function effects({ path, folder }: PathChange, target: string): boolean {
  return target === path || (folder && isBelow(target, path));
}
