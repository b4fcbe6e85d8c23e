import * as path from 'node:path';
import type { FileWatcher, FileWatcherOptions, WatchHandle, WatchScope } from './file-watcher.ts';
import { openSystemWatch } from './open-watch.ts';
import { changedSince, isBelow, kindOf, namesNow, withParents } from './paths.ts';

/**
 * One watch for a whole tree, as macOS and Windows offer it: on the project, and on the folder of each root outside. What
 * does not matter is told as well by the system, and left out here.
 */
export class TreeWatcher implements FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #handles = new Map<string, WatchHandle>();
  #scope: WatchScope = { roots: [], isWatched: () => false };
  /** The roots and all folders above them. */
  #onTheWay = new Set<string>();

  constructor(options: FileWatcherOptions) {
    this.#options = options;
  }

  get folders(): number {
    return this.#handles.size;
  }

  watch(scope: WatchScope, since?: number): void {
    const before = new Set(this.#scope.roots);
    this.#scope = scope;
    this.#onTheWay = new Set(scope.roots.flatMap(withParents));
    this.#openTops();
    if (since === undefined) return;
    for (const root of scope.roots) if (!before.has(root)) this.#tellFiles(root, (file) => changedSince(file, since));
  }

  rescan(): void {
    this.#openTops();
  }

  close(): void {
    for (const top of this.#handles.keys()) this.#close(top);
  }

  #openTops(): void {
    const tops = new Set(this.#scope.roots.map((root) => this.#topOf(root)));
    const outer = [...tops].filter((top) => ![...tops].some((other) => other !== top && isBelow(top, other)));
    for (const top of this.#handles.keys()) if (!outer.includes(top)) this.#close(top);
    for (const top of outer) this.#open(top);
  }

  /** The ground, or for what is outside it the nearest folder that is there. */
  #topOf(root: string): string {
    const { ground } = this.#options;
    if (root === ground || isBelow(root, ground)) return ground;
    let top = path.dirname(root);
    while (kindOf(top) !== 'folder' && path.dirname(top) !== top) top = path.dirname(top);
    return top;
  }

  #open(top: string): void {
    if (this.#handles.has(top)) return;
    const { openWatch = openSystemWatch } = this.#options;
    try {
      const handle = openWatch(
        top,
        // a folder that only leads somewhere may be the whole disk
        { recursive: top === this.#options.ground || this.#scope.isWatched(top) || !this.#leadsOnly(top) },
        {
          onEvent: (name, type) => this.#handle(name === null ? top : path.join(top, name), type),
          // Windows tells so of a folder that was removed
          onError: () => {
            this.#close(top);
            this.#openTops();
            this.#handle(top, 'rename');
          },
        },
      );
      this.#handles.set(top, handle);
    } catch (error) {
      // a folder that has just gone: the one above it will be looked at
      if (kindOf(top) === 'folder') throw error;
    }
  }

  /** Whether no root is there that begins directly in the folder. */
  #leadsOnly(top: string): boolean {
    return this.#scope.roots.every((root) => path.dirname(root) !== top || kindOf(root) === undefined);
  }

  #close(top: string): void {
    this.#handles.get(top)?.close();
    this.#handles.delete(top);
  }

  #handle(target: string, type: 'change' | 'rename'): void {
    const matters = this.#onTheWay.has(target);
    if (!matters && !this.#scope.isWatched(path.dirname(target))) return;
    const kind = kindOf(target);
    if (kind === 'file') return this.#options.onChange({ path: target, folder: false });
    if (kind === undefined) return this.#options.onChange({ path: target, folder: true });
    // what happened in it has its own notification
    if (type === 'change') return;
    if (matters) {
      this.#openTops();
      this.#options.onChange({ path: target, folder: true });
    }
    this.#tellFiles(target, () => true);
  }

  /** A folder that was moved here is told, and what is in it is not. */
  #tellFiles(target: string, isChange: (file: string) => boolean): void {
    const kind = kindOf(target);
    if (kind === 'file' && isChange(target)) this.#options.onChange({ path: target, folder: false });
    if (kind !== 'folder' || !this.#scope.isWatched(target)) return;
    for (const name of namesNow(target)) this.#tellFiles(path.join(target, name), isChange);
  }
}
