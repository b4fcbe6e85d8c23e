import * as fs from 'node:fs';
import { copyFile, readlink, rm, symlink } from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing, makeFolder, removeTree } from '../support/files.ts';
import { mapLimit } from '../support/map-limit.ts';
import { placeBelow } from '../support/places.ts';
import { runtimeLink } from '../support/runtime-links.ts';
import { compileExcludes } from '../support/globs.ts';
import { spend } from './cache/work-budget.ts';
import type { WorkBudget } from './cache/work-budget.ts';

/** A file below a folder. Links are followed. */
export interface TreeFile {
  /** With `/` on every system. */
  path: string;
  absolute: string;
  /** The target of a link to a place that only Lambda has: such links are kept. */
  link?: string;
  /** It is a link, or below one. */
  isLinked?: true;
}

/** The files below a folder. */
export interface Tree {
  /** Sorted by path. */
  files: TreeFile[];
  /** Links that lead nowhere, or back to a folder that they are in: they have no content. Sorted. */
  dangling: string[];
  /** Named pipes, sockets and devices, which are not read. Sorted. */
  special: string[];
  /** The folders that were listed, with the targets of links. Absolute. */
  folders: string[];
}

type Linked = Pick<TreeFile, 'isLinked'>;
const LINKED: Linked = { isLinked: true };

/** More files at a time do not make a disk faster. */
const FILES_AT_ONCE = 32;

/**
 * Lists the files below a folder, sorted by path, without names that match `excludes` at any depth; a pattern with a leading
 * `/` counts directly below the folder only. `budget`: how much may be listed.
 */
export function listTree(root: string, excludes: readonly string[] = [], budget?: WorkBudget): Tree {
  const isExcluded = compileExcludes(excludes);
  const tree: Tree = { files: [], dangling: [], special: [], folders: [] };
  const walk = (folder: string, prefix: string, parents: () => readonly string[], linked: Linked = {}): void => {
    const items = fs.readdirSync(folder, { withFileTypes: true });
    spend(budget, { items: items.length });
    tree.folders.push(folder);
    for (const item of items) {
      if (isExcluded(item.name, prefix === '')) continue;
      const absolute = path.join(folder, item.name);
      const name = prefix + item.name;
      if (item.isDirectory()) walk(absolute, `${name}/`, parents, linked);
      else if (item.isFile()) tree.files.push({ path: name, absolute, ...linked });
      else if (item.isSymbolicLink()) {
        const link = runtimeLink(absolute, root);
        const target = link === undefined ? followLink(absolute, parents()) : undefined;
        if (link !== undefined) tree.files.push({ path: name, absolute, link });
        else if (target === undefined) tree.dangling.push(name);
        else if (target.folder) walk(absolute, `${name}/`, () => [...parents(), target.real], LINKED);
        else tree.files.push({ path: name, absolute, ...LINKED });
      } else tree.special.push(name);
    }
  };
  // most trees have no links, and need no resolved path
  let realRoot: string | undefined;
  walk(root, '', () => [(realRoot ??= fs.realpathSync(root))]);
  tree.files.sort((a, b) => compareNames(a.path, b.path));
  tree.dangling.sort(compareNames);
  tree.special.sort(compareNames);
  return tree;
}

/** Lists the files of a folder as `listTree` does, or a file itself. Absolute; none if there is nothing. */
export function listFiles(place: string, excludes: readonly string[]): string[] {
  const stat = statOf(place);
  if (stat?.isDirectory()) return listTree(place, excludes).files.map(({ absolute }) => absolute);
  return stat?.isFile() ? [place] : [];
}

function statOf(place: string): fs.Stats | undefined {
  try {
    return fs.statSync(place, { throwIfNoEntry: false });
  } catch {
    return undefined; // what cannot be looked at
  }
}

/** Returns the size of the files below a folder, in bytes. */
export function treeSize(root: string): number {
  let sum = 0;
  for (const { absolute, link } of listTree(root).files) if (link === undefined) sum += fs.statSync(absolute).size;
  return sum;
}

/** Orders names by their UTF-16 code units, on every machine alike. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Returns the target of a link; undefined if it leads nowhere, or to a folder that holds it, which would never end. */
function followLink(file: string, parents: readonly string[]): { folder: boolean; real: string } | undefined {
  try {
    const real = fs.realpathSync(file);
    const stat = fs.statSync(real);
    if (stat.isFile()) return { folder: false, real };
    const inside = parents.some((parent) => parent === real || parent.startsWith(real + path.sep));
    return stat.isDirectory() && !inside ? { folder: true, real } : undefined;
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return undefined;
    throw error;
  }
}

/** Copies files to the same relative paths below `target`; replaces files that exist, never writes into them. */
export async function copyFiles(files: readonly TreeFile[], target: string): Promise<void> {
  const places = files.map((file) => ({ file, place: placeBelow(target, file.path, 'The path of a file') }));
  await makeFolders(
    target,
    places.map(({ place }) => path.dirname(place)),
  );
  await mapLimit(places, FILES_AT_ONCE, ({ file: { absolute, link }, place }) =>
    link === undefined ? copyOver(absolute, place) : replaceLink(link, place),
  );
}

/** Copies a folder's content without excluded names; links are followed. */
export async function copyTree(source: string, target: string, excludes: readonly string[] = []): Promise<void> {
  await makeFolder(target);
  await copyFiles(listTree(source, excludes).files, target);
}

/** An existing folder stays: it holds installed packages. */
async function replaceLink(text: string, place: string): Promise<void> {
  if (fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) return;
  await rm(place, { force: true });
  await symlink(text, place);
}

/** Creates folders below `target`, with their parents. Replaces a link in the way: its target is not ours. */
export async function makeFolders(target: string, folders: readonly string[]): Promise<void> {
  await makeFolder(target);
  const created = new Set([path.resolve(target)]);
  const make = async (folder: string): Promise<void> => {
    if (created.has(folder)) return;
    await make(path.dirname(folder));
    created.add(folder);
    const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return;
    if (stat !== undefined) await removeTree(folder);
    await makeFolder(folder);
  };
  for (const folder of folders) await make(folder);
}

/** Copies one file. An existing file may be a hard link to a cached one, so it is replaced, not overwritten. */
export async function copyOver(source: string, target: string): Promise<void> {
  try {
    await copyNew(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    fs.unlinkSync(target);
    await copyNew(source, target);
  }
}

/** Up to here (bytes) a synchronous copy is several times faster than a promise. */
const SMALL_FILE = 1024 * 1024;

async function copyNew(source: string, target: string): Promise<void> {
  const flags = fs.constants.COPYFILE_FICLONE | fs.constants.COPYFILE_EXCL;
  if (fs.statSync(source).size > SMALL_FILE) await copyFile(source, target, flags);
  else fs.copyFileSync(source, target, flags);
}

/**
 * Hard-links every file of an immutable tree below `target`, which costs no space; copies where the file system has no hard
 * links. Symbolic links stay links.
 */
export async function linkTree(source: string, target: string): Promise<void> {
  await makeFolder(target);
  const items = fs.readdirSync(source, { withFileTypes: true });
  await mapLimit(items, FILES_AT_ONCE, async (item) => {
    const from = path.join(source, item.name);
    const to = path.join(target, item.name);
    if (item.isDirectory()) await linkTree(from, to);
    else if (item.isSymbolicLink()) await copyLink(from, to);
    else await linkOrCopy(from, to);
  });
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EEXIST'].includes(code))
      throw error;
    await copyOver(from, to);
  }
}

async function copyLink(from: string, to: string): Promise<void> {
  try {
    await symlink(await readlink(from), to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'ENOSYS'].includes(code)) throw error;
    // Windows lets only some users create links: copy the content instead
    if (fs.statSync(from, { throwIfNoEntry: false })?.isFile()) await copyOver(from, to);
  }
}
