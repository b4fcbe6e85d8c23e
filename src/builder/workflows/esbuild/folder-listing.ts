import * as fs from 'node:fs';
import * as path from 'node:path';
import { stemsOf } from '../../../support/name-stems.ts';
import { keyOf } from '../../build-key.ts';
import { createStatMemo } from '../../cache/stat-memo.ts';
import type { StatMemo } from '../../cache/stat-memo.ts';

/** Whether a file belongs to an installed package. */
export function isInNodeModules(file: string): boolean {
  return file.includes(`${path.sep}node_modules${path.sep}`);
}

/** Folders that this build has read: the functions of a workspace share its `node_modules`, with thousands of links. */
export type FolderMemo = StatMemo<FolderContent>;

/** The content of a folder, and what is derived from it on demand. */
interface FolderContent {
  /** Entries by name, sorted. */
  items: ReadonlyMap<string, fs.Dirent>;
  /** Names by their stems. */
  byStem(): ReadonlyMap<string, readonly string[]>;
  /** The packages in the folder, with the targets of links, as a hash; folders of scopes are only named. */
  packagesKey(): string;
}

/** Creates an empty memo of folders. `clock`: ms since the epoch. */
export function createFolderMemo(clock?: () => number): FolderMemo {
  return createStatMemo((folder) => {
    const items = readFolder(folder);
    let byStem: Map<string, string[]> | undefined;
    let packagesKey: string | undefined;
    return {
      items,
      byStem: () => (byStem ??= indexStems(items.keys())),
      packagesKey: () => (packagesKey ??= keyOf(describePackages(folder, items.values()))),
    };
  }, clock);
}

/** Lists folders: for one key each is looked at once. */
export interface Listing {
  /** Returns a folder's entries by name, sorted; none if it does not exist, or cannot be read. */
  items(folder: string): ReadonlyMap<string, fs.Dirent>;
  /** Returns the names in a folder that are the stem, or begin with it and a dot. */
  named(folder: string, stem: string): readonly string[];
  /** Whether the path is a folder, or a link that may lead to one. */
  mayBeFolder(place: string): boolean;
  /** Hashes the names of the packages in a `node_modules`, and the targets of links, which decide what is found. */
  packagesKey(nodeModules: string): string;
  /** Returns the folders of scopes (`@name`) in a `node_modules`. Absolute, sorted. */
  scopes(nodeModules: string): readonly string[];
}

/** Creates an empty listing. */
export function createListing(memo: FolderMemo): Listing {
  const folders = new Map<string, FolderContent>();
  const content = (folder: string): FolderContent => {
    const known = folders.get(folder) ?? memo.get(folder);
    folders.set(folder, known);
    return known;
  };
  const items: Listing['items'] = (folder) => content(folder).items;
  const scopes: Listing['scopes'] = (nodeModules) =>
    [...items(nodeModules).keys()].filter((name) => name.startsWith('@')).map((name) => path.join(nodeModules, name));
  return {
    items,
    scopes,
    mayBeFolder: (place) => items(path.dirname(place)).get(path.basename(place))?.isFile() === false,
    named: (folder, stem) => content(folder).byStem().get(stem) ?? [],
    packagesKey: (nodeModules) =>
      keyOf([nodeModules, ...scopes(nodeModules)].map((folder) => content(folder).packagesKey())),
  };
}

function readFolder(folder: string): Map<string, fs.Dirent> {
  try {
    const items = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    return new Map(items.map((item) => [item.name, item]));
  } catch {
    return new Map();
  }
}

function indexStems(names: Iterable<string>): Map<string, string[]> {
  const index = new Map<string, string[]>();
  for (const name of names) {
    for (const stem of stemsOf(name)) {
      const same = index.get(stem);
      if (same) same.push(name);
      else index.set(stem, [name]);
    }
  }
  return index;
}

function describePackages(folder: string, items: Iterable<fs.Dirent>): string[] {
  return [...items]
    .filter(({ name }) => !name.startsWith('.'))
    .map((item) => item.name + (item.isSymbolicLink() ? ` → ${textOfLink(path.join(folder, item.name))}` : ''));
}

function textOfLink(link: string): string {
  try {
    return fs.readlinkSync(link);
  } catch {
    return ''; // gone since it was listed
  }
}
