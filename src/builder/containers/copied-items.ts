import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing, makeFolder } from '../../support/files.ts';
import { compileExcludes } from '../../support/globs.ts';
import { isBelow } from '../../support/places.ts';
import { listTree } from '../file-tree.ts';

/** A file or folder of this machine that the programs in a container read. Absolute. */
export interface CopiedSource {
  path: string;
  excludes: readonly string[];
}

/** One item below a folder. */
export interface CopiedItem {
  /** Relative to the folder, with `/`. */
  name: string;
  absolute: string;
  kind: 'file' | 'folder' | 'link';
  /** Differs if the content does. */
  stamp: string;
}

type FileValues = Pick<Stats, 'mode' | 'size' | 'mtimeMs' | 'ctimeMs' | 'ino'>;

/** Returns the folder of a source and what belongs to it; undefined: it does not exist. */
export async function sourceItems({
  path: place,
  excludes,
}: CopiedSource): Promise<{ folder: string; items: CopiedItem[] } | undefined> {
  const stat = await fs.stat(place).catch(() => undefined);
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return { folder: place, items: await itemsBelow(place, { excludes, inside: true }) };
  const item = await followedItem(path.basename(place), place);
  return { folder: path.dirname(place), items: [item] };
}

/**
 * Returns all that is below a folder; folders come before what they hold. Links stay links; `inside`: only those that do not
 * leave the folder.
 */
export async function itemsBelow(
  folder: string,
  { excludes = [] as readonly string[], inside = false } = {},
): Promise<CopiedItem[]> {
  const isExcluded = compileExcludes(excludes);
  const root = await fs.realpath(folder);
  const walk = async (prefix: string): Promise<CopiedItem[]> => {
    const items: CopiedItem[] = [];
    for (const entry of await fs.readdir(path.join(folder, prefix), { withFileTypes: true })) {
      if (isExcluded(entry.name, prefix === '')) continue;
      const name = prefix + entry.name;
      const absolute = path.join(folder, name);
      const found = async (): Promise<CopiedItem[]> => {
        if (entry.isSymbolicLink()) return linkItems(name, absolute, inside ? root : undefined);
        if (entry.isDirectory()) return [await folderItem(name, absolute), ...(await walk(`${name}/`))];
        // nothing can read a socket or a pipe as a file
        return entry.isFile() ? [await followedItem(name, absolute)] : [];
      };
      // one at a time: more than 100,000 arguments are too many
      for (const item of (await unlessGone(found)) ?? []) items.push(item);
    }
    return items;
  };
  return walk('');
}

async function linkItems(name: string, absolute: string, root: string | undefined): Promise<CopiedItem[]> {
  const link: CopiedItem = { name, absolute, kind: 'link', stamp: `link ${await fs.readlink(absolute)}` };
  const real = root === undefined ? undefined : await fs.realpath(absolute).catch(() => undefined);
  if (root === undefined || real === undefined || isBelow(real, root)) return [link];
  if (!(await fs.stat(real)).isDirectory()) return [await followedItem(name, absolute)];
  const { files } = listTree(absolute, ['.aws-sam', '.git']);
  return Promise.all(files.map((file) => followedItem(`${name}/${file.path}`, file.absolute)));
}

async function folderItem(name: string, absolute: string): Promise<CopiedItem> {
  return { name, absolute, kind: 'folder', stamp: `folder ${(await fs.lstat(absolute)).mode}` };
}

async function followedItem(name: string, absolute: string): Promise<CopiedItem> {
  return { name, absolute, kind: 'file', stamp: await stampOfFile(absolute) };
}

/** Returns the stamp of a file, or of the one that a link leads to. */
export async function stampOfFile(file: string): Promise<string> {
  const readAt = Date.now();
  return stampOf(await fs.stat(file), readAt);
}

/** The coarsest clock of a file system (ms): FAT counts in steps of 2 s. */
const COARSEST_STEP = 2000;

/** Returns the stamp of a file with these values. `readAt`: when they were read (ms since the epoch). */
export function stampOf({ mode, size, mtimeMs, ctimeMs, ino }: FileValues, readAt: number): string {
  // a file that is moved or unpacked here may have the time and the size of the one before
  const stamp = `file ${mode} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  // where times are whole seconds, a change that follows may look the same: such a stamp equals no other
  const isRacy = ctimeMs % 1000 === 0 && ctimeMs + COARSEST_STEP > readAt;
  return isRacy ? `${stamp} ${readAt}` : stamp;
}

/** Does something with an item; undefined if it no longer exists: temporary files of editors come and go. */
export async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Copies an item. Modes and times stay: zips and wheels hold them. */
export async function copyItem({ absolute, kind }: CopiedItem, target: string): Promise<void> {
  await makeFolder(path.dirname(target));
  if (kind === 'link') return fs.symlink(await fs.readlink(absolute), target);
  const stat = await fs.stat(absolute);
  if (kind === 'folder') await makeFolder(target);
  else await fs.copyFile(absolute, target, fs.constants.COPYFILE_FICLONE);
  await fs.chmod(target, (stat.mode & 0o7777) | (kind === 'folder' ? 0o700 : 0));
  if (kind === 'file') await fs.utimes(target, stat.atime, stat.mtime);
}

/** The kind of the item that has this stamp. */
export function kindOf(stamp: string | undefined): string | undefined {
  return stamp?.split(' ')[0];
}

/** The stamps of items by name. */
export function stampsOf(items: readonly CopiedItem[]): Map<string, string> {
  return new Map(items.map((item) => [item.name, item.stamp]));
}
