import * as fs from 'node:fs';
import * as path from 'node:path';
import { isMissing } from '../support/files.ts';
import type { FileWatcher, FileWatcherOptions, WatchScope } from './file-watcher.ts';
import { FollowedLinks } from './link-places.ts';
import { openFolderWatches } from './folder-watch.ts';
import type { FolderWatches } from './folder-watch.ts';
import { changedSince, isBelow, kindOf, namesNow, realPathNow, statNow, withParents } from './paths.ts';
import type { EntryKind } from './paths.ts';

/** A folder that is watched. */
interface Folder {
  inode: number;
  /** What was in it when it was last looked at. */
  names: Map<string, EntryKind>;
  /** Names that are links. */
  links: Set<string>;
}

/** Whether a file that is found in a folder that was not watched so far is a change. */
type IsChange = (file: string) => boolean;

/**
 * One watch for each folder that matters and for those that lead there, and none for others: inotify knows no trees.
 *
 * What a notification says is never believed: what is at its path now is looked at. Easily missed, and seen to here: files
 * that are in a new folder before it is watched (it is listed after the watch is set); a folder that is removed and made
 * again, even with the same inode (the old one's watch tells its end under the folder's own name, then it is opened
 * anew); a root that goes and comes back (the folders that lead to it are watched); what is behind a link (its own folder
 * is watched, and that of each link on the way there).
 */
export class FolderWatcher implements FileWatcher {
  readonly #ground: string;
  readonly #onChange: FileWatcherOptions['onChange'];
  readonly #watches: FolderWatches;
  readonly #folders = new Map<string, Folder>();
  #scope: WatchScope = { roots: [], isWatched: () => false };
  /** The roots and all folders above them. */
  #onTheWay = new Set<string>();
  /** Folders that are watched because they lead to a root. */
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
    for (const root of scope.roots) this.#follow(root);
    for (const [folder, { links }] of Array.from(this.#folders)) {
      if (scope.isWatched(folder)) for (const name of links) this.#follow(path.join(folder, name));
    }
    for (const folder of this.#folders.keys()) {
      if (!this.#leading.has(folder) && !scope.isWatched(folder)) this.#forget(folder);
    }
    const isChange = since === undefined ? undefined : (file: string) => changedSince(file, since);
    for (const root of scope.roots) this.#settle(root, before.has(root) ? undefined : isChange);
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

  /** The folder of a root, and those above it up to the ground: renaming one of them moves the root away. */
  #foldersTo(root: string): string[] {
    const folders = [path.dirname(root)];
    for (let at = path.dirname(root); isBelow(at, this.#ground);) folders.push((at = path.dirname(at)));
    return folders.reverse();
  }

  /** Watches what leads to a root, and what is below it. */
  #settle(root: string, isChange?: IsChange): void {
    for (const folder of this.#foldersTo(root)) this.#open(folder);
    this.#openNearest(root);
    this.#follow(root);
    const kind = kindOf(root);
    if (kind === 'folder') return this.#walk(root, [], isChange);
    if (kind === 'file' && isChange?.(root)) this.#tell(root, false);
  }

  /** Watches the folder of a path; if that is not there, the nearest one above it will see it come. */
  #openNearest(target: string): void {
    for (let at = path.dirname(target); ; at = path.dirname(at)) {
      this.#leading.add(at);
      this.#open(at);
      if (this.#folders.has(at) || at === path.dirname(at)) return;
    }
  }

  /** Watches a folder and those below it that matter. */
  #walk(folder: string, parents: readonly string[], isChange?: IsChange): void {
    if (!this.#scope.isWatched(folder)) return;
    const isNew = !this.#folders.has(folder);
    const opened = this.#open(folder);
    const real = opened && realPathNow(folder);
    // a link to a folder that holds it would never end
    if (!opened || real === undefined || parents.some((parent) => parent === real || isBelow(parent, real))) return;
    for (const [name, kind] of opened.names) {
      const target = path.join(folder, name);
      if (kind === 'folder' && this.#scope.isWatched(target)) this.#walk(target, [...parents, real], isChange);
      // of a folder that is not watched only its coming counts
      else if (isNew && isChange?.(target)) this.#tell(target, kind === 'folder');
    }
  }

  /** The watched folder; undefined if it is not there, or not ours to see. */
  #open(folder: string): Folder | undefined {
    const known = this.#folders.get(folder);
    if (known) return known;
    try {
      // first the watch, then the list: what comes in between is in one of them
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
    const known = this.#folders.get(folder);
    const target = path.join(folder, name);
    known?.names.set(name, kindOf(target));
    known?.links.add(name);
    if (this.#scope.isWatched(folder)) this.#follow(target);
  }

  /** Watches the folders of all that decides what is behind a link. */
  #follow(link: string): void {
    for (const place of this.#links.follow(link)) {
      for (const part of withParents(place)) this.#onTheWay.add(part);
      this.#openNearest(place);
    }
  }

  /** What is behind a link is another. */
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
    for (const known of this.#folders.keys()) if (known === folder || isBelow(known, folder)) this.#forget(known);
  }

  #tell(target: string, folder: boolean): void {
    this.#onChange({ path: target, folder });
    for (const link of this.#links.concernedBy(target, folder)) this.#followAgain(link);
  }

  /** Something happened at a name in a folder: looks at what is there now. */
  #handle(folder: string, name: string | null): void {
    const known = this.#folders.get(folder);
    if (!known) return;
    if (name === null) {
      const names = new Set([...known.names.keys(), ...namesNow(folder)]);
      for (const each of names) this.#handle(folder, each);
      if (kindOf(folder) !== 'folder') this.#reopen(folder);
      return;
    }
    const target = path.join(folder, name);
    const stat = statNow(target);
    // a folder's own end is told under its own name
    if (!stat && name === path.basename(folder) && !known.names.has(name)) return this.#reopen(folder);
    if (!this.#scope.isWatched(folder) && !this.#onTheWay.has(target)) return;
    const was = known.names.get(name);
    const isLink = fs.lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
    if (!stat && !isLink) return this.#leave(known, { target, name, was });
    if (isLink) this.#noteLink(folder, name);
    else known.links.delete(name);
    if (stat?.isDirectory()) {
      // its own attributes are nobody's business
      if (this.#folders.get(target)?.inode === stat.ino) return;
      known.names.set(name, 'folder');
      this.#forgetWithAllBelow(target);
      return this.#arrive(target);
    }
    known.names.set(name, stat && 'file');
    if (was === 'folder') this.#forgetWithAllBelow(target);
    this.#tell(target, was === 'folder');
  }

  #leave(known: Folder, { target, name, was }: { target: string; name: string; was: EntryKind }): void {
    known.names.delete(name);
    known.links.delete(name);
    const matters = this.#onTheWay.has(target);
    // made and removed before anybody looked
    if (was === undefined && !matters) return;
    this.#forgetWithAllBelow(target);
    this.#tell(target, was === 'folder' || matters);
  }

  /** A folder is there that was not, or another one in its place. */
  #arrive(folder: string): void {
    this.#walk(folder, [], () => true);
    if (!this.#onTheWay.has(folder)) {
      if (!this.#scope.isWatched(folder)) this.#tell(folder, true);
      return;
    }
    for (const root of this.#scope.roots) {
      if (root === folder || isBelow(root, folder)) this.#settle(root, () => true);
    }
    this.#tell(folder, true);
  }

  /** A watched folder was removed or moved away; perhaps another one is in its place by now. */
  #reopen(folder: string): void {
    this.#forgetWithAllBelow(folder);
    if (kindOf(folder) === 'folder') return this.#arrive(folder);
    this.#tell(folder, true);
    for (const root of this.#scope.roots) if (root === folder || isBelow(root, folder)) this.#settle(root);
  }
}
