import type { Dirent } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing } from '../support/files.ts';
import { runtimeLink } from '../support/runtime-links.ts';

/** A file or link of a tree to zip. */
export interface TreeEntry {
  /** Relative to the tree's root, with `/`. */
  path: string;
  /** Path of its content. */
  absolute: string;
  size: number;
  executable: boolean;
  /** Target of a link to keep, with `/`. */
  linkTarget?: string;
  /** Of a file in the tree: which file this is and when it was written. Hard links to a file have the same stamp. */
  stamp?: string;
}

/**
 * Lists the files of a tree by path (bytes), so that equal trees give equal lists on every machine. Keeps links whose target
 * is inside the tree or exists in Lambda, follows other links, and skips dangling ones. Skips empty folders: Lambda has no
 * use for them.
 */
export async function listEntries(root: string): Promise<TreeEntry[]> {
  const realRoot = await fs.realpath(root);
  const entries: TreeEntry[] = [];
  await listFolder({ realRoot, entries }, realRoot, '', [realRoot]);
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

interface Walk {
  realRoot: string;
  entries: TreeEntry[];
}

async function listFolder(walk: Walk, folder: string, prefix: string, parents: readonly string[]): Promise<void> {
  const items = await fs.readdir(folder, { withFileTypes: true });
  await Promise.all(items.map((item) => listItem(walk, item, { folder, prefix, parents })));
}

async function listItem(
  walk: Walk,
  item: Dirent,
  at: { folder: string; prefix: string; parents: readonly string[] },
): Promise<void> {
  const absolute = path.join(at.folder, item.name);
  const name = at.prefix + item.name;
  if (item.isDirectory()) return listFolder(walk, absolute, `${name}/`, at.parents);
  if (item.isFile()) return addFile(walk, name, absolute, at.parents.length === 1);
  if (!item.isSymbolicLink()) return; // sockets, pipes and devices have no content
  const target = runtimeLink(absolute, walk.realRoot) ?? (await insideTarget(walk.realRoot, at.folder, absolute));
  if (target !== undefined) {
    walk.entries.push({ path: name, absolute, size: target.length, executable: false, linkTarget: target });
    return;
  }
  const real = await realpathIfExists(absolute);
  if (real === undefined) return; // a dangling link, here and in Lambda
  const stat = await fs.stat(real);
  // do not follow a link to a folder above it
  if (stat.isDirectory() && !at.parents.includes(real))
    return listFolder(walk, real, `${name}/`, [...at.parents, real]);
  if (stat.isFile()) return addFile(walk, name, real, false);
}

/** `isOwn`: no link on the way to it leaves the tree. */
async function addFile(walk: Walk, name: string, absolute: string, isOwn: boolean): Promise<void> {
  const stat = await fs.stat(absolute, { bigint: true });
  const executable = process.platform === 'win32' ? await looksExecutable(absolute) : (stat.mode & 0o111n) !== 0n;
  const entry: TreeEntry = { path: name, absolute, size: Number(stat.size), executable };
  if (isOwn) entry.stamp = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.birthtimeNs].join(' ');
  walk.entries.push(entry);
}

/** Recognizes scripts and Linux programs by their first bytes: Windows has no executable bit. */
async function looksExecutable(file: string): Promise<boolean> {
  const handle = await fs.open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    return head.startsWith('#!') || head === '\x7fELF';
  } finally {
    await handle.close();
  }
}

/** Returns the link's relative target if it exists inside the tree. */
async function insideTarget(realRoot: string, folder: string, link: string): Promise<string | undefined> {
  const real = await realpathIfExists(link);
  if (real === undefined) return undefined;
  const inside = path.relative(realRoot, real);
  if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside)) return undefined;
  // below a followed link the relative path would not lead there
  const fromFolder = path.relative(realRoot, await fs.realpath(folder));
  if (fromFolder.startsWith('..')) return undefined;
  return (
    path
      .relative(await fs.realpath(folder), real)
      .split(path.sep)
      .join('/') || '.'
  );
}

async function realpathIfExists(file: string): Promise<string | undefined> {
  try {
    return await fs.realpath(file);
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return undefined;
    throw error;
  }
}
