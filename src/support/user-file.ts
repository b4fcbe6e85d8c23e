import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { statIfExists, writeFileAtomic } from './files.ts';
import { removeLeftovers } from './temporary.ts';

/** Linux's limit of links in a path. */
const MAX_LINKS = 40;

/**
 * Writes a user's file atomically. Writes to the target of a link, which stays a link (users keep settings in repositories of
 * dotfiles). Keeps the permissions of an existing file.
 */
export async function writeUserFile(file: string, text: string, options: { mode?: number } = {}): Promise<void> {
  const target = await followLinks(file);
  const existing = await statIfExists(target);
  const mode = existing === undefined ? options.mode : existing.mode & 0o777;
  await writeFileAtomic(target, text, mode === undefined ? {} : { mode });
  // the process's umask applies only to new files
  if (existing !== undefined) await fs.chmod(target, existing.mode & 0o777);
  await removeLeftovers(path.dirname(target), { prefix: path.basename(target) });
}

/** Resolves the links of a path, even if the target does not exist. */
async function followLinks(file: string): Promise<string> {
  let target = file;
  for (let links = 0; links < MAX_LINKS; links++) {
    const next = await fs.readlink(target).catch(() => undefined);
    if (next === undefined) break;
    target = path.resolve(await fs.realpath(path.dirname(target)), next);
  }
  return target;
}
