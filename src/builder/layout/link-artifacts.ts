import { lstatSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { makeFolder, removeTree } from '../../support/files.ts';
import { asSegment } from '../../support/places.ts';
import { isMakerGone, isTemporaryName, temporarySuffix } from '../../support/temporary-names.ts';
import { linkTree } from '../file-tree.ts';
import { linkTarget } from '../cache/linked-entries.ts';

/** A folder of the layout. */
export interface LayoutFolder {
  dir: string;
  /** Name → the cached folder to link to. */
  links: ReadonlyMap<string, string>;
  /** Names of templates. */
  files: readonly string[];
  /** Names of the folders of nested stacks. */
  folders: readonly string[];
}

/**
 * Links to the cached folders where SAM CLI's other commands look for artifacts, and removes what is no longer in the
 * application. Removing a link, here or by SAM CLI, never touches the cache. The first folder must be ours; folders of nested
 * stacks come after their parents and replace anything else of their name.
 */
export async function linkArtifacts(layout: readonly LayoutFolder[]): Promise<void> {
  for (const { dir, links, files, folders } of layout) {
    const expected = new Set([...links.keys(), ...files, ...folders]);
    for (const name of readdirSync(dir)) {
      if (!expected.has(name) && !isBeingMade(name)) await removeTree(path.join(dir, name));
    }
    for (const name of folders) await makeRealFolder(path.join(dir, asSegment(name, 'The ID of a nested stack')));
    for (const [name, target] of links) await linkArtifact(dir, name, target);
  }
}

/**
 * Creates a link (a junction on Windows), or hard links to every file where the system refuses links. Synchronous: there are
 * hundreds.
 */
export async function linkArtifact(dir: string, name: string, target: string): Promise<void> {
  const link = path.join(dir, asSegment(name, 'The ID of a function or layer'));
  if (linkTarget(link) === target) return;
  const temporary = path.join(dir, `link.${temporarySuffix()}`);
  try {
    if (process.platform === 'win32') symlinkSync(target, temporary, 'junction');
    else symlinkSync(path.relative(dir, target), temporary, 'dir');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(code)) throw error;
    await linkTree(target, temporary);
  }
  await replace(temporary, link);
}

/** Replaces atomically where possible: readers find the old or the new link. */
async function replace(temporary: string, link: string): Promise<void> {
  try {
    renameSync(temporary, link);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY', 'EPERM', 'EACCES'].includes(code)) throw error;
    await removeTree(link);
    await fs.rename(temporary, link);
  }
}

/** Creates a real folder: through a link we would replace files of the cache or the user. */
async function makeRealFolder(dir: string): Promise<void> {
  if (lstatSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  await removeTree(dir);
  await makeFolder(dir);
}

/** Whether a running process is creating a link under this temporary name. */
function isBeingMade(name: string): boolean {
  return isTemporaryName(name) && !isMakerGone(name);
}
