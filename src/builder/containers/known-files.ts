import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { stampOfFile, unlessGone } from './copied-items.ts';
import type { CopiedItem } from './copied-items.ts';

/** The sources' files that a container has: where a build copies its project first, the container copies what it has, too. */
export interface KnownFiles {
  /** Adds what the container has now. `folder`: where the items are there. */
  add(folder: string, items: readonly CopiedItem[]): void;
  /** Returns the path in the container of a file with this name, mode and content; undefined: there is none. */
  find(item: CopiedItem): Promise<string | undefined>;
}

interface KnownFile {
  /** The path in the container. */
  target: string;
  stamp: string;
}

/** So many files of the same name and size are compared: `__init__.py`, `index.js`. */
const COMPARED = 8;

/** Starts with none. */
export function createKnownFiles(): KnownFiles {
  /** By what a copy has in common with its original, then by the path of the original. */
  const files = new Map<string, Map<string, KnownFile>>();
  return {
    add: (folder, items) => {
      for (const item of items) {
        if (item.kind !== 'file') continue;
        const alike = files.get(likenessOf(item)) ?? new Map<string, KnownFile>();
        alike.set(item.absolute, { target: path.posix.join(folder, item.name), stamp: item.stamp });
        files.set(likenessOf(item), alike);
      }
    },
    find: async (item) => {
      const alike = item.kind === 'file' ? [...(files.get(likenessOf(item)) ?? [])] : [];
      for (const [original, { target, stamp }] of alike.slice(0, COMPARED))
        if (await isCopy(item.absolute, original, stamp)) return target;
      return undefined;
    },
  };
}

function likenessOf({ name, stamp }: CopiedItem): string {
  const [, mode, size] = stamp.split(' ');
  return `${mode} ${size} ${path.posix.basename(name)}`;
}

/** The container has the original as it was when it had this stamp. */
async function isCopy(copy: string, original: string, stamp: string): Promise<boolean> {
  const same = await unlessGone(async () => {
    if ((await stampOfFile(original)) !== stamp) return false;
    const [a, b] = await Promise.all([fs.readFile(copy), fs.readFile(original)]);
    return a.equals(b);
  });
  return same === true;
}
