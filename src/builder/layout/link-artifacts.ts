import { lstatSync, readdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { makeFolder, removeTree } from '../../support/files.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { asSegment } from '../../support/places.ts';
import { isMakerGone, isTemporaryName, temporarySuffix } from '../../support/temporary-names.ts';
import { linkTree } from '../file-tree.ts';
import { linkTarget } from '../cache/linked-entries.ts';

/** A folder of the built layout: which names are in it, and what they lead to. */
export interface LayoutFolder {
  dir: string;
  /** Name → the cached folder that it stands for. */
  links: ReadonlyMap<string, string>;
  /** Templates that belong there. */
  files: readonly string[];
  /** Folders of nested stacks. */
  folders: readonly string[];
}

const LINKS_AT_ONCE = 16;

/**
 * Lays out links to the cached folders where AWS SAM CLI's other commands look for artifacts, and removes what is not in the
 * application any more. Removing a link, here or by AWS SAM CLI, never touches the cache. The first folder must be ours;
 * those of nested stacks follow after the one that they are in, and whatever else has their name is replaced.
 */
export async function linkArtifacts(layout: readonly LayoutFolder[]): Promise<void> {
  for (const { dir, links, files, folders } of layout) {
    const expected = new Set([...links.keys(), ...files, ...folders]);
    for (const name of readdirSync(dir)) {
      if (!expected.has(name) && !isBeingMade(name)) await removeTree(path.join(dir, name));
    }
    for (const name of folders) await makeRealFolder(path.join(dir, asSegment(name, 'The ID of a nested stack')));
    await mapLimit([...links], LINKS_AT_ONCE, ([name, target]) => linkArtifact(dir, name, target));
  }
}

/** A link where the system lets us make one (a junction on Windows), else second names for every file. */
export async function linkArtifact(dir: string, name: string, target: string): Promise<void> {
  const link = path.join(dir, asSegment(name, 'The ID of a function or layer'));
  if (linkTarget(link) === target) return;
  const temporary = path.join(dir, `link.${temporarySuffix()}`);
  try {
    if (process.platform === 'win32') await fs.symlink(target, temporary, 'junction');
    else await fs.symlink(path.relative(dir, target), temporary, 'dir');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(code)) throw error;
    await linkTree(target, temporary);
  }
  await replace(temporary, link);
}

/** At once where that is possible: whoever reads meanwhile finds the old or the new one. */
async function replace(temporary: string, link: string): Promise<void> {
  try {
    await fs.rename(temporary, link);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY', 'EPERM', 'EACCES'].includes(code)) throw error;
    await removeTree(link);
    await fs.rename(temporary, link);
  }
}

/** A real folder: through a link files of the cache, or of the user, would be replaced. */
async function makeRealFolder(dir: string): Promise<void> {
  if (lstatSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  await removeTree(dir);
  await makeFolder(dir);
}

/** A link under its temporary name, of a process that is at work. */
function isBeingMade(name: string): boolean {
  return isTemporaryName(name) && !isMakerGone(name);
}
