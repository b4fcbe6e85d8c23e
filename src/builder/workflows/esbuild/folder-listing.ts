import * as fs from 'node:fs';
import * as path from 'node:path';
import { stemsOf } from '../../../support/name-stems.ts';

/** Whether a file belongs to an installed package. */
export function isInNodeModules(file: string): boolean {
  return file.includes(`${path.sep}node_modules${path.sep}`);
}

/** Lists folders, each read once. */
export interface Listing {
  /** Returns a folder's entries by name, sorted; none if it does not exist, or cannot be read. */
  items(folder: string): ReadonlyMap<string, fs.Dirent>;
  /** Returns the names in a folder that are the stem, or begin with it and a dot. */
  named(folder: string, stem: string): readonly string[];
  /** Whether the path is a folder, or a link that may lead to one. */
  mayBeFolder(place: string): boolean;
}

/** Creates an empty listing. */
export function createListing(): Listing {
  const folders = new Map<string, ReadonlyMap<string, fs.Dirent>>();
  const byStem = new Map<string, Map<string, string[]>>();
  const items: Listing['items'] = (folder) => {
    const entries = folders.get(folder) ?? readFolder(folder);
    folders.set(folder, entries);
    return entries;
  };
  return {
    items,
    mayBeFolder: (place) => items(path.dirname(place)).get(path.basename(place))?.isFile() === false,
    named: (folder, stem) => {
      const index = byStem.get(folder) ?? indexStems(items(folder).keys());
      byStem.set(folder, index);
      return index.get(stem) ?? [];
    },
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

/** Returns the packages of a `node_modules`, with the targets of links, which decide what is found. */
export function packagesIn(nodeModules: string, listing: Listing): string[] {
  const describe = (folder: string, prefix: string): string[] =>
    [...listing.items(folder).values()]
      .filter(({ name }) => !name.startsWith('.'))
      .flatMap((item) => {
        const place = path.join(folder, item.name);
        if (prefix === '' && item.name.startsWith('@')) return describe(place, `${item.name}/`);
        return [prefix + item.name + (item.isSymbolicLink() ? ` → ${textOfLink(place)}` : '')];
      });
  return describe(nodeModules, '');
}

function textOfLink(link: string): string {
  try {
    return fs.readlinkSync(link);
  } catch {
    return ''; // gone since it was listed
  }
}
