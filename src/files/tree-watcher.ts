import * as path from 'node:path';
import type { FileWatcher, FileWatcherOptions, WatchHandle, WatchScope } from './file-watcher.ts';
import { FollowedLinks } from './link-places.ts';
import { openSystemWatch } from './open-watch.ts';
import { realPathNow } from '../support/files.ts';
import { withParents } from '../support/places.ts';
import { changedSince, startsWithFolder, kindOf, lstatNow, namesNow } from './paths.ts';

interface Handle extends WatchHandle {
  recursive: boolean;
}

/**
 * Watches whole trees, as macOS and Windows can: the project, the folder of each root outside of it, and the ends of links,
 * which the system does not follow. Drops the notifications of paths outside the scope.
 */
export class TreeWatcher implements FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #handles = new Map<string, Handle>();
  readonly #links: FollowedLinks;
  #scope: WatchScope = { roots: [], isWatched: () => false };
  /** The roots, the real paths of links, and all folders above them. */
  #onTheWay = new Set<string>();

  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#links = new FollowedLinks(options.ground);
  }

  get folders(): number {
    return this.#handles.size;
  }

  watch(scope: WatchScope, since?: number): void {
    const before = new Set(this.#scope.roots);
    this.#scope = scope;
    this.#onTheWay = new Set(scope.roots.flatMap(withParents));
    this.#links.clear();
    for (const root of scope.roots) this.#followAllIn(root);
    this.#openTops();
    if (since === undefined) return;
    for (const root of scope.roots) {
      if (!before.has(root) && scope.wasRead?.(root) !== false)
        this.#reportFiles(root, (file) => changedSince(file, since));
    }
  }

  rescan(): void {
    this.#openTops();
  }

  close(): void {
    for (const top of this.#handles.keys()) this.#close(top);
  }

  /** Follows the path, if it leads through links, and all links below it. */
  #followAllIn(target: string, parents: readonly string[] = []): void {
    for (const place of this.#links.follow(target).places)
      for (const part of withParents(place)) this.#onTheWay.add(part);
    if (!this.#scope.isWatched(target) || kindOf(target) !== 'folder') return;
    const real = realPathNow(target);
    // stops at a link to a folder that contains the link
    if (real === undefined || parents.some((parent) => parent === real || startsWithFolder(parent, real))) return;
    for (const name of namesNow(target)) {
      const inner = path.join(target, name);
      if (kindOf(inner) === 'folder' || isLink(inner)) this.#followAllIn(inner, [...parents, real]);
    }
  }

  #openTops(): void {
    const tops = new Map<string, boolean>();
    for (const target of [...this.#scope.roots, ...this.#links.places]) {
      const top = this.#topOf(target);
      // a folder that only leads to a root may be the whole disk
      const recursive = top === this.#options.ground || (path.dirname(target) === top && isRealFolder(target));
      tops.set(top, recursive || tops.get(top) === true);
    }
    const isCovered = (top: string): boolean =>
      [...tops].some(([other, recursive]) => recursive && startsWithFolder(top, other));
    for (const [top, { recursive }] of this.#handles)
      if (isCovered(top) || tops.get(top) !== recursive) this.#close(top);
    for (const [top, recursive] of tops) if (!isCovered(top)) this.#open(top, recursive);
  }

  /** Gives the ground, or for a path outside of it the nearest folder that exists. */
  #topOf(target: string): string {
    const { ground } = this.#options;
    if (target === ground || startsWithFolder(target, ground)) return ground;
    let top = path.dirname(target);
    while (kindOf(top) !== 'folder' && path.dirname(top) !== top) top = path.dirname(top);
    return top;
  }

  #open(top: string, recursive: boolean): void {
    if (this.#handles.has(top)) return;
    const { openWatch = openSystemWatch } = this.#options;
    const onEvent = (name: string | null, type: 'change' | 'rename'): void =>
      this.#handle(name === null ? top : path.join(top, name), type);
    // on Windows this is the removal of the folder
    const onError = (): void => {
      this.#close(top);
      this.#openTops();
      this.#handle(top, 'rename');
    };
    try {
      const handle = openWatch(top, { recursive }, { onEvent, onError });
      this.#handles.set(top, { close: () => handle.close(), recursive });
    } catch (error) {
      // the folder was removed just now; the one above it reports that
      if (kindOf(top) === 'folder') throw error;
    }
  }

  #close(top: string): void {
    this.#handles.get(top)?.close();
    this.#handles.delete(top);
  }

  #handle(target: string, type: 'change' | 'rename'): void {
    // the system reports real paths
    for (const seen of [target, ...this.#links.aliases(target)]) this.#handleAt(seen, type);
  }

  #handleAt(target: string, type: 'change' | 'rename'): void {
    const matters = this.#onTheWay.has(target);
    if (!matters && !this.#scope.isWatched(path.dirname(target))) return;
    const kind = kindOf(target);
    if (isLink(target)) {
      this.#followAllIn(target);
      this.#openTops();
    }
    if (matters && type === 'rename') this.#openTops();
    if (kind !== 'folder') return this.#report(target, kind === undefined);
    // changes in it have notifications of their own
    if (type === 'change') return;
    if (matters) this.#report(target, true);
    const roots = matters ? this.#scope.roots.filter((root) => startsWithFolder(root, target)) : [];
    for (const arrived of [target, ...roots]) {
      this.#followAllIn(arrived);
      this.#reportFiles(arrived, () => true);
    }
  }

  #report(target: string, folder: boolean): void {
    this.#options.onChange({ path: target, folder });
    for (const link of this.#links.affectedBy(target, folder)) {
      this.#followAllIn(link);
      this.#openTops();
      this.#options.onChange({ path: link, folder: kindOf(link) !== 'file' });
      if (folder) this.#reportFiles(link, () => true);
    }
  }

  /** Reports the files of a folder that was moved here: the system reports only the folder. */
  #reportFiles(target: string, isChange: (file: string) => boolean): void {
    const kind = kindOf(target);
    if (kind === 'file' && isChange(target)) this.#options.onChange({ path: target, folder: false });
    if (kind !== 'folder') return;
    // of a folder outside the scope only its arrival counts
    if (!this.#scope.isWatched(target)) {
      if (isChange(target)) this.#options.onChange({ path: target, folder: true });
      return;
    }
    for (const name of namesNow(target)) this.#reportFiles(path.join(target, name), isChange);
  }
}

function isLink(target: string): boolean {
  return lstatNow(target)?.isSymbolicLink() ?? false;
}

function isRealFolder(target: string): boolean {
  return lstatNow(target)?.isDirectory() ?? false;
}
