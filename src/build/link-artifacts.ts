import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing, makeFolder, removeTree } from '../support/files.ts';
import { mapLimit } from '../support/map-limit.ts';
import { linkTree } from './file-tree.ts';

/** A folder of the built layout: which names are in it, and what they lead to. */
export interface LayoutFolder {
  dir: string;
  /** Name → the cached folder that it stands for. */
  links: ReadonlyMap<string, string>;
  /** Other names that belong there: templates, folders of nested stacks. */
  others: readonly string[];
}

const LINKS_AT_ONCE = 16;

/**
 * Lays out links to the cached folders where the peer's other commands look for artifacts, and removes what is not in the
 * application any more. Removing a link, here or by the peer, never touches the cache.
 */
export async function linkArtifacts(folders: readonly LayoutFolder[]): Promise<void> {
  for (const { dir, links, others } of folders) {
    await makeFolder(dir);
    const expected = new Set([...links.keys(), ...others]);
    for (const name of await fs.readdir(dir)) if (!expected.has(name)) await removeTree(path.join(dir, name));
    await mapLimit([...links], LINKS_AT_ONCE, ([name, target]) => linkFolder(path.join(dir, name), target));
  }
}

/** A link where the system lets us make one (a junction on Windows), else second names for every file. */
async function linkFolder(link: string, target: string): Promise<void> {
  if ((await leadsTo(link)) === target) return;
  await removeTree(link);
  try {
    if (process.platform === 'win32') await fs.symlink(target, link, 'junction');
    else await fs.symlink(path.relative(path.dirname(link), target), link, 'dir');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(code)) throw error;
    await linkTree(target, link);
  }
}

async function leadsTo(link: string): Promise<string | undefined> {
  try {
    return path.resolve(path.dirname(link), await fs.readlink(link));
  } catch (error) {
    if (isMissing(error) || ['EINVAL', 'UNKNOWN'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
