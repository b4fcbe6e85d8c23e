import * as fs from 'node:fs';
import * as path from 'node:path';
import { isMissing } from '../support/files.ts';
import type { FileWatcher, FileWatcherOptions, WatchScope } from './file-watcher.ts';
import { FollowedLinks } from './link-places.ts';
import type { ReadLink } from './link-places.ts';
import { openFolderWatches } from './watch-or-poll.ts';
import type { FolderWatches } from './watch-or-poll.ts';
import { realPathNow } from '../support/files.ts';
import { withParents } from '../support/places.ts';
import { changedSince, startsWithFolder, kindOf, lstatNow, namesNow, statNow } from './paths.ts';
import type { EntryKind } from './paths.ts';

/** A watched folder. */
interface Folder {
  inode: number;
  /** Its entries as they were listed last. */
  names: Map<string, EntryKind>;
  /** Names of entries that are links. */
  links: Set<string>;
}

/** Whether a file in a folder that was not watched before counts as changed. */
type IsChange = (file: string) => boolean;

/**
 * Watches each folder in the scope and each folder that leads there, one by one: inotify cannot watch trees.
 *
 * A notification only says where to look; what counts is what exists there now. Cases that are easily missed:
 * - Files that a new folder holds before its watch is set: it is listed after that.
 * - A folder that is removed and created again, even with the same inode: the old watch reports its end under the folder's
 *   own name, and the folder is opened again.
 * - A root that goes and comes back: the folders that lead to it are watched.
 * - A file behind a link: its real folder is watched, and that of each link on the way.
 */
export class FolderWatcher implements FileWatcher {
  readonly #ground: string;
  readonly #onChange: FileWatcherOptions['onChange'];
  readonly #watches: FolderWatches;
  readonly #folders = new Map<string, Folder>();
  #scope: WatchScope = { roots: [], isWatched: () => false };
  /** The roots and all folders above them. */
  #onTheWay = new Set<string>();
  /** Folders watched because they lead to a root. */
  #leading = new Set<string>();
  readonly #links: FollowedLinks;

  constructor(options: FileWatcherOptions) {
    this.#ground = options.ground;
    this.#onChange = options.onChange;
    this.#links = new FollowedLinks(options.ground);
    this.#watches = openFolderWatches(options, (folder, name) => this.#handle(folder, name));
  }

  get folders(): number {
    return this.#folders.size;
  }

  watch(scope: WatchScope, since?: number): void {
    const before = new Set(this.#scope.roots);
    this.#scope = scope;
    this.#onTheWay = new Set(scope.roots.flatMap(withParents));
    this.#leading = new Set(scope.roots.flatMap((root) => this.#foldersTo(root)));
    this.#links.clear();
    const readBefore = this.#links.readOnce();
    for (const root of scope.roots) this.#follow(root, readBefore);
    for (const [folder, { links }] of Array.from(this.#folders)) {
      if (scope.isWatched(folder)) for (const name of links) this.#follow(path.join(folder, name));
    }
    for (const folder of this.#folders.keys()) {
      if (!this.#leading.has(folder) && !scope.isWatched(folder)) this.#forget(folder);
    }
    const isChange = since === undefined ? undefined : (file: string) => changedSince(file, since);
    // again: a link that changed before its folder was watched
    const read = this.#links.readOnce();
    for (const root of scope.roots) {
      if (before.has(root)) this.#settle(root, undefined, readBefore);
      else this.#settle(root, scope.wasRead?.(root) === false ? undefined : isChange, read);
    }
  }

  rescan(): void {
    for (const [folder, { names }] of Array.from(this.#folders)) {
      const now = new Set(namesNow(folder));
      for (const name of now) if (!names.has(name)) this.#handle(folder, name);
      for (const name of names.keys()) if (!now.has(name)) this.#handle(folder, name);
    }
  }

  close(): void {
    this.#folders.clear();
    this.#watches.closeAll();
  }

  /** Lists the folder of a root and those above it up to the ground: a rename of any of them moves the root away. */
  #foldersTo(root: string): string[] {
    const folders = [path.dirname(root)];
    for (let at = path.dirname(root); startsWithFolder(at, this.#ground);) folders.push((at = path.dirname(at)));
    return folders.reverse();
  }

  /** Watches the folders that lead to a root and those below it. */
  #settle(root: string, isChange?: IsChange, read?: ReadLink): void {
    for (const folder of this.#foldersTo(root)) this.#open(folder);
    this.#openNearest(root);
    const real = this.#follow(root, read);
    const kind = this.#folders.has(root) ? 'folder' : kindOf(root);
    if (kind === 'folder') return this.#walk(root, [], isChange, real);
    if (kind === 'file' && isChange?.(root)) this.#report(root, false);
  }

  /** Watches the folder of a path, or the nearest one above it that exists and will report the missing one. */
  #openNearest(target: string): void {
    for (let at = path.dirname(target); ; at = path.dirname(at)) {
      this.#leading.add(at);
      this.#open(at);
      if (this.#folders.has(at) || at === path.dirname(at)) return;
    }
  }

  /** Watches a folder and those below it that are in the scope. `known`: its real path. */
  #walk(folder: string, parents: readonly string[], isChange?: IsChange, known?: string): void {
    if (!this.#scope.isWatched(folder)) return;
    const isNew = !this.#folders.has(folder);
    const opened = this.#open(folder);
    const real = opened && (known ?? realPathNow(folder));
    // stops at a link to a folder that contains the link
    if (!opened || real === undefined || parents.some((parent) => parent === real || startsWithFolder(parent, real)))
      return;
    for (const [name, kind] of opened.names) {
      const target = path.join(folder, name);
      const realInner = opened.links.has(name) ? undefined : path.join(real, name);
      if (kind === 'folder' && this.#scope.isWatched(target))
        this.#walk(target, [...parents, real], isChange, realInner);
      // of a folder outside the scope only its arrival counts
      else if (isNew && isChange?.(target)) this.#report(target, kind === 'folder');
    }
  }

  /** Watches a folder; undefined if it does not exist or may not be read. */
  #open(folder: string): Folder | undefined {
    const watched = this.#folders.get(folder);
    if (watched) return watched;
    try {
      // the watch before the list, so that no entry that comes in between is missed
      this.#watches.open(folder);
      const opened: Folder = { inode: fs.statSync(folder).ino, names: new Map(), links: new Set() };
      const items = fs.readdirSync(folder, { withFileTypes: true });
      this.#folders.set(folder, opened);
      for (const item of items) {
        if (item.isSymbolicLink()) this.#noteLink(folder, item.name);
        else opened.names.set(item.name, item.isDirectory() ? 'folder' : 'file');
      }
      return opened;
    } catch (error) {
      this.#forget(folder);
      if (isMissing(error) || ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
        return undefined;
      throw error;
    }
  }

  #noteLink(folder: string, name: string): void {
    const watched = this.#folders.get(folder);
    const target = path.join(folder, name);
    watched?.names.set(name, kindOf(target));
    watched?.links.add(name);
    if (this.#scope.isWatched(folder)) this.#follow(target);
  }

  /** Watches the folders of all paths that decide what is behind a link. Returns its real path. */
  #follow(link: string, read?: ReadLink): string {
    const { places, end } = this.#links.follow(link, read);
    for (const place of places) {
      for (const part of withParents(place)) this.#onTheWay.add(part);
      this.#openNearest(place);
    }
    return end;
  }

  /** Reports that something else is behind a link. */
  #followAgain(link: string): void {
    this.#follow(link);
    this.#folders.get(path.dirname(link))?.names.set(path.basename(link), kindOf(link));
    const wasFolder = this.#folders.has(link);
    this.#forgetWithAllBelow(link);
    const isFolder = kindOf(link) === 'folder';
    if (isFolder) this.#walk(link, [], () => true);
    this.#onChange({ path: link, folder: wasFolder || isFolder });
  }

  #forget(folder: string): void {
    this.#folders.delete(folder);
    this.#watches.close(folder);
  }

  #forgetWithAllBelow(folder: string): void {
    for (const watched of this.#folders.keys())
      if (watched === folder || startsWithFolder(watched, folder)) this.#forget(watched);
  }

  #report(target: string, folder: boolean, isNew = false): void {
    this.#onChange({ path: target, folder, isNew });
    for (const link of this.#links.affectedBy(target, folder)) this.#followAgain(link);
  }

  /** Handles a notification by looking at what is there now. */
  #handle(folder: string, name: string | null): void {
    const watched = this.#folders.get(folder);
    if (!watched) return;
    if (name === null) {
      const names = new Set([...watched.names.keys(), ...namesNow(folder)]);
      for (const each of names) this.#handle(folder, each);
      if (kindOf(folder) !== 'folder') this.#reopen(folder);
      return;
    }
    const target = path.join(folder, name);
    const stat = statNow(target);
    // a removed folder is reported under its own name
    if (!stat && name === path.basename(folder) && !watched.names.has(name)) return this.#reopen(folder);
    if (!this.#scope.isWatched(folder) && !this.#onTheWay.has(target)) return;
    const was = watched.names.get(name);
    const isLink = lstatNow(target)?.isSymbolicLink() ?? false;
    if (!stat && !isLink) return this.#leave(watched, { target, name, was });
    if (isLink) this.#noteLink(folder, name);
    else watched.links.delete(name);
    if (stat?.isDirectory()) {
      // a change of its attributes does not count
      if (this.#folders.get(target)?.inode === stat.ino) return;
      watched.names.set(name, 'folder');
      this.#forgetWithAllBelow(target);
      return this.#arrive(target);
    }
    watched.names.set(name, stat && 'file');
    if (was === 'folder') this.#forgetWithAllBelow(target);
    this.#report(target, was === 'folder', was === undefined);
  }

  #leave(watched: Folder, { target, name, was }: { target: string; name: string; was: EntryKind }): void {
    watched.names.delete(name);
    watched.links.delete(name);
    const matters = this.#onTheWay.has(target);
    // created and removed before it was listed
    if (was === undefined && !matters) return;
    this.#forgetWithAllBelow(target);
    this.#report(target, was === 'folder' || matters);
  }

  /** Handles a new folder, or another one in its place. */
  #arrive(folder: string): void {
    this.#walk(folder, [], () => true);
    if (!this.#onTheWay.has(folder)) {
      if (!this.#scope.isWatched(folder)) this.#report(folder, true);
      return;
    }
    for (const root of this.#scope.roots) {
      if (root === folder || startsWithFolder(root, folder)) this.#settle(root, () => true);
    }
    this.#report(folder, true);
  }

  /** Handles a watched folder that was removed or moved away; another one may be in its place. */
  #reopen(folder: string): void {
    this.#forgetWithAllBelow(folder);
    if (kindOf(folder) === 'folder') return this.#arrive(folder);
    this.#report(folder, true);
    for (const root of this.#scope.roots) if (root === folder || startsWithFolder(root, folder)) this.#settle(root);
  }
}
