import { contentOf } from '../../files/content-memory.ts';
import { startsWithFolder } from '../../files/paths.ts';
import { changedPaths, covers, isFolderIn, signatureNow, takeSnapshot } from '../../files/file-snapshot.ts';
import type { FileSnapshot, WatchedPart } from '../../files/file-snapshot.ts';
import type { PathChange } from '../../files/path-change.ts';

/** The time in which a build's tools run: files that change meanwhile may be written by them. */
export interface BuildWindow {
  before: FileSnapshot;
  /** Content of files that changed in the last window, at the start of this one. */
  contents: ReadonlyMap<string, string>;
  /** Taken when the build read its source the last time: the build has not seen later changes. */
  read?: FileSnapshot;
}

/** The changes of a window. */
export interface WindowChanges {
  /** Changes that may be saves: they have to be built. */
  changes: PathChange[];
  /** Files that most likely the build itself wrote, because it changed something in several windows in a row. */
  held: string[];
  /** The held files that changed in even more windows in a row. */
  own: string[];
  /** The number of windows in a row, at least. */
  level: number;
}

/**
 * Who made a change. `known`: a build, the content is as its window left it. `open`: the open window will show it. `unclear`:
 * a window is open, but its build has not written this file before. `other`: the user.
 */
export type Verdict = 'known' | 'open' | 'unclear' | 'other';

/** A file that changes in this many windows in a row is written by the build. */
export const OWN_FROM = 3;

/**
 * Compares the source of a build before and after its tools ran: nothing else shows what they wrote. A change is taken for
 * the build's own work only if it happens in build after build; the first ones may be saves.
 */
export class BuildWrites {
  #parts: readonly WatchedPart[] = [];
  readonly #windows = new Set<BuildWindow>();
  #after: FileSnapshot = new Map();
  /** Files that the last window changed → their content after it. */
  #touched: ReadonlyMap<string, string> = new Map();
  /** File → in how many windows in a row its content changed. */
  #repeats: ReadonlyMap<string, number> = new Map();
  /** Number of windows in a row that changed any file, without a save of the user. */
  #streak = 0;
  /** Changes that were reported while a window was open and not judged yet. */
  readonly #deferred = new Map<string, PathChange>();

  open(parts: readonly WatchedPart[]): BuildWindow {
    this.#parts = parts;
    const contents = new Map([...this.#touched.keys()].map((target) => [target, contentOf(target)]));
    const window = { before: takeSnapshot(parts), contents };
    this.#windows.add(window);
    return window;
  }

  /** Called when the build of the window is about to read its source. */
  noteRead(window: BuildWindow): void {
    window.read = takeSnapshot(this.#parts);
  }

  /** `isVerified`: whether the build contains what a path held when the build read its source the last time. */
  close(
    window: BuildWindow,
    { isAborted, isVerified }: { isAborted: boolean; isVerified: (target: string) => boolean },
  ): WindowChanges {
    this.#windows.delete(window);
    this.#after = takeSnapshot(this.#parts);
    const changed = changedPaths(window.before, this.#after);
    const contents = new Map(changed.map((target) => [target, contentOf(target)]));
    const files = changed.filter((target) => ![window.before, this.#after].some((one) => isFolderIn(one, target)));
    const isOther = (target: string): boolean => contents.get(target) !== window.contents.get(target);
    const isBuilt = (target: string): boolean =>
      isVerified(target) && window.read !== undefined && window.read.get(target) === this.#after.get(target);
    const changedFiles = files.filter((target) => isOther(target) && !isBuilt(target));
    // an aborted build does not show everything it writes
    const keep = <T>(before: ReadonlyMap<string, T>): ReadonlyMap<string, T> => (isAborted ? before : new Map());
    const repeats = new Map(changedFiles.map((target) => [target, (this.#repeats.get(target) ?? 0) + 1]));
    this.#touched = new Map([...keep(this.#touched), ...contents]);
    this.#repeats = new Map([...keep(this.#repeats), ...repeats]);
    if (changedFiles.length > 0) this.#streak++;
    else if (!isAborted) this.#streak = 0;
    const levelOf = (target: string): number => Math.max(repeats.get(target) ?? 0, this.#streak);
    const held = changedFiles.filter((target) => levelOf(target) >= OWN_FROM);
    const others = changedFiles.filter((target) => levelOf(target) < OWN_FROM);
    return {
      changes: [...others.map((target) => ({ path: target, folder: false })), ...this.#takeDeferred(changed)],
      held,
      own: held.filter((target) => (repeats.get(target) ?? 0) > OWN_FROM),
      level: held.reduce((least, target) => Math.min(least, levelOf(target)), Infinity),
    };
  }

  /** Judges a change; undefined: the path does not belong to the build. */
  judge(change: PathChange): Verdict | undefined {
    if (!covers(this.#parts, change.path)) return undefined;
    const isTouched = [...this.#touched.keys()].some((target) => includes(change, target));
    if (this.#windows.size > 0) {
      if (!isTouched && this.#streak < OWN_FROM) return 'unclear';
      this.#deferred.set(change.path, change);
      return 'open';
    }
    return isTouched && this.#isAsLeft(change) ? 'known' : 'other';
  }

  /** The user made this change. */
  noteOther(change: PathChange): void {
    this.#streak = 0;
    this.#repeats = new Map([...this.#repeats].filter(([target]) => !includes(change, target)));
  }

  /** Whether windows find changes without notifications. */
  get isObserved(): boolean {
    return this.#windows.size > 0 || this.#touched.size > 0;
  }

  /** Finds the changes since the last window without notifications. */
  findChanges(): PathChange[] {
    if (this.#windows.size > 0) return [];
    return changedPaths(this.#after, takeSnapshot(this.#parts)).map((target) => ({ path: target, folder: false }));
  }

  /** Takes the changes that were reported during the window but made before it: these are saves. */
  #takeDeferred(changed: readonly string[]): PathChange[] {
    if (this.#windows.size > 0) return [];
    const before = [...this.#deferred.values()].filter((change) => !changed.some((target) => includes(change, target)));
    this.#deferred.clear();
    for (const change of before) this.noteOther(change);
    return before;
  }

  /** Whether the path, with everything below it, is as the last window left it. */
  #isAsLeft(change: PathChange): boolean {
    const since = change.folder
      ? changedPaths(this.#after, takeSnapshot(this.#parts)).filter((target) => includes(change, target))
      : [change.path].filter((target) => signatureNow(target) !== this.#after.get(target));
    return since.every((target) => this.#touched.get(target) === contentOf(target));
  }
}

/** Whether the change includes the target. */
function includes({ path, folder }: PathChange, target: string): boolean {
  return target === path || (folder && startsWithFolder(target, path));
}
