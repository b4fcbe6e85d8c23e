import { lstatSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { makeFolder, removeTree } from '../../support/files.ts';
import { asSegment } from '../../support/places.ts';
import { isMakerGone, isTemporaryName, temporarySuffix } from '../../support/temporary-names.ts';
import { linkTree } from '../file-tree.ts';
import { linkTarget } from '../cache/linked-entries.ts';
import type { LayoutFolder, LinkMemory } from './link-memory.ts';

/**
 * Links to the cached folders where SAM CLI's other commands look for artifacts, and removes what is no longer in the
 * application. Removing a link, here or by SAM CLI, never touches the cache. The first folder must be ours; folders of nested
 * stacks come after their parents and replace anything else of their name.
 */
export async function linkArtifacts(layout: readonly LayoutFolder[], memory?: LinkMemory): Promise<void> {
  for (const folder of layout) {
    if (memory?.isDone(folder)) continue;
    const since = Date.now();
    const { dir, links, files, folders } = folder;
    const expected = new Set([...links.keys(), ...files, ...folders]);
    const present = new Set(readdirSync(dir));
    for (const name of present) {
      if (!expected.has(name) && !isBeingMade(name)) await removeTree(path.join(dir, name));
    }
    for (const name of folders) await makeRealFolder(path.join(dir, asSegment(name, 'The ID of a nested stack')));
    for (const [name, target] of links) await linkArtifact(dir, name, target, { isNew: !present.has(name) });
    memory?.add(folder, since);
  }
  await memory?.save();
}

/**
 * Creates a link (a junction on Windows), or hard links to every file where the system refuses links. Synchronous: there are
 * hundreds. `isNew`: nothing has the name, so there is nothing to replace.
 */
export async function linkArtifact(dir: string, name: string, target: string, { isNew = false } = {}): Promise<void> {
  const link = path.join(dir, asSegment(name, 'The ID of a function or layer'));
  if (isNew && tryLink(dir, target, link)) return;
  if (linkTarget(link) === target) return;
  if (createLink(dir, target, link)) return;
  const temporary = path.join(dir, `link.${temporarySuffix()}`);
  if (!tryLink(dir, target, temporary)) await linkTree(target, temporary);
  await replace(temporary, link);
}

/** Creates a link to a folder; false if the system refuses links, or if something has the name by now. */
function tryLink(dir: string, target: string, place: string): boolean {
  try {
    if (process.platform === 'win32') symlinkSync(target, place, 'junction');
    else symlinkSync(path.relative(dir, target), place, 'dir');
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EEXIST', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(code)) throw error;
    return false;
  }
}

/** Creates a link where there is nothing yet, which needs no temporary name. Returns false if it is to be made the long way. */
function createLink(dir: string, target: string, link: string): boolean {
  if (process.platform === 'win32') return false;
  try {
    symlinkSync(path.relative(dir, target), link, 'dir');
    return true;
  } catch {
    return false;
  }
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
