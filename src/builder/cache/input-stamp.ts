import { lstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import * as path from 'node:path';
import { isMissing, preciseStatNow } from '../../support/files.ts';
import { isBelow, withParents } from '../../support/places.ts';
import type { BuildInput } from '../build-result.ts';
import { keyOf } from '../build-key.ts';
import { listTree } from '../file-tree.ts';
import type { Tree } from '../file-tree.ts';
import { isRacy, signatureOf } from './stat-index.ts';

/**
 * Returns a hash of the names, time stamps, sizes, inodes and executable bits of everything in the inputs of a build; undefined if
 * something cannot be looked at. Reads no file: equal stamps mean equal contents, as in the index of hashes.
 */
export function stampOf(inputs: readonly BuildInput[]): string | undefined {
  const lines: string[] = [];
  try {
    for (const input of inputs) {
      // only some of the names in it count
      if (input.direct === true) return undefined;
      const stat = preciseStatNow(input.path);
      lines.push(input.path);
      if (stat?.isDirectory() !== true) lines.push(describe(stat));
      else addTree(lines, input);
    }
  } catch (error) {
    if (isMissing(error)) return undefined; // gone since it was listed
    throw error;
  }
  // no name has the separator
  return keyOf(lines.join('\0'));
}

function addTree(lines: string[], { path: root, excludes }: BuildInput): void {
  const { files, dangling, special } = listTree(root, excludes);
  for (const { path: name, absolute, link, isLinked } of files)
    lines.push(name, link ?? `${describe(preciseStatNow(absolute))}${isLinked ? ' linked' : ''}`);
  lines.push(JSON.stringify([dangling, special]));
}

function describe(stat: BigIntStats | undefined): string {
  if (stat === undefined) return 'missing';
  const executable = process.platform !== 'win32' && (stat.mode & 0o111n) !== 0n;
  return `${executable ? 'x' : '-'}${stat.isFile() ? '' : 'special '}${signatureOf(stat)}`;
}

/** The beginning of a build that reads its inputs. */
export interface BuildStart {
  /** ms since the epoch. */
  since: number;
  codeDir: string;
  /** Identifies the folder that was at `codeDir`. */
  folder: string | undefined;
}

/** Returns the beginning of a build that reads this folder from now on. */
export function startReading(codeDir: string): BuildStart {
  return { since: Date.now(), codeDir, folder: folderAt(codeDir) };
}

/** A link, or a folder above, that leads to another folder by now changes nothing in either of the two. */
function folderAt(codeDir: string): string | undefined {
  const stat = preciseStatNow(codeDir);
  return stat && `${stat.dev}:${stat.ino}`;
}

/**
 * Whether nothing in the inputs changed since shortly before the start: what was read from then on is what they hold now. A removed file
 * changes its folder.
 */
export function isSettled(inputs: readonly BuildInput[], { since, codeDir, folder }: BuildStart): boolean {
  if (folderAt(codeDir) !== folder) return false;
  const isOld = (place: string): boolean => {
    const stat = preciseStatNow(place);
    return stat !== undefined && !isRacy(stat, since);
  };
  const isNewLink = (folder: string): boolean => {
    const stat = preciseStatNow(folder, lstatSync);
    return stat !== undefined && isRacy(stat, since);
  };
  return inputs.every(({ path: place, excludes }) => {
    // those above the code are covered by its folder
    const way = withParents(path.dirname(place)).filter((at) => at !== codeDir && !isBelow(codeDir, at));
    if (place !== codeDir && way.some(isNewLink)) return false;
    const stat = preciseStatNow(place);
    if (stat?.isDirectory() !== true) return isOld(existingFolder(place)) && (stat === undefined || isOld(place));
    const tree = listIfThere(place, excludes);
    if (tree === undefined) return false;
    const { files, folders, dangling } = tree;
    // a folder on the way to the target of a link may have changed
    const hasLinks = dangling.length > 0 || files.some(({ link, isLinked }) => link !== undefined || isLinked);
    return !hasLinks && folders.every(isOld) && files.every(({ absolute }) => isOld(absolute));
  });
}

/** undefined: a folder was removed while it was listed. */
function listIfThere(place: string, excludes: readonly string[]): Tree | undefined {
  try {
    return listTree(place, excludes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Returns the nearest folder above a path. */
function existingFolder(place: string): string {
  const above = path.dirname(place);
  return above === place || preciseStatNow(above) !== undefined ? above : existingFolder(above);
}
