import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { statIfExists, writeFileAtomic } from './files.ts';
import { removeLeftovers } from './temporary.ts';

/** As many links in a row as Linux follows. */
const MAX_LINKS = 40;

/**
 * Writes a file of the user's, whole or not at all. A link stays a link, as those who keep their settings in a repository
 * of dotfiles need it: what it leads to is written. A file that is there keeps its permissions.
 */
export async function writeUserFile(file: string, text: string, options: { mode?: number } = {}): Promise<void> {
  const target = await followLinks(file);
  const there = await statIfExists(target);
  const mode = there === undefined ? options.mode : there.mode & 0o777;
  await writeFileAtomic(target, text, mode === undefined ? {} : { mode });
  // for a new file the process's mask counts, not for one that was there
  if (there !== undefined) await fs.chmod(target, there.mode & 0o777);
  await removeLeftovers(path.dirname(target), { prefix: path.basename(target) });
}

/** Where a path leads, also if nothing is there yet. */
async function followLinks(file: string): Promise<string> {
  let target = file;
  for (let links = 0; links < MAX_LINKS; links++) {
    const next = await fs.readlink(target).catch(() => undefined);
    if (next === undefined) break;
    target = path.resolve(await fs.realpath(path.dirname(target)), next);
  }
  return target;
}
