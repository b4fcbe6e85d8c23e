import { readFileSync, statSync, utimesSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing, removeTree, temporarySuffix } from '../support/files.ts';
import { either, flag, parseJson, recordOf, text } from '../support/shapes.ts';

/** Facts about an entry that are kept with it. */
export type EntryFacts = Readonly<Record<string, string | boolean>>;

/** In an entry's folder: its facts, whose time stamp is when the entry was last used, and its content. */
export const FACTS = 'entry.json';
export const CONTENT = 'content';

/** Renames a finished entry to its name. If another process was faster, its entry is the one. */
export async function moveInto(
  from: string,
  to: string,
  facts: EntryFacts,
): Promise<{ path: string; facts: EntryFacts }> {
  await fs.mkdir(path.dirname(to), { recursive: true });
  try {
    await fs.rename(from, to);
  } catch (error) {
    const winner = readEntry(to);
    if (winner) return winner;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(code)) throw error;
    // something is there that is no entry, e.g. half of one that was deleted by hand
    await removeTree(to);
    await fs.rename(from, to);
  }
  return { path: path.join(to, CONTENT), facts };
}

const readFacts = recordOf(either(text, flag));

/**
 * An entry that is whole; undefined if there is none, or one that somebody damaged. In one go: hundreds of entries are looked
 * up where nothing changed, and waiting for each would be most of the time.
 */
export function readEntry(folder: string): { path: string; facts: EntryFacts } | undefined {
  const content = path.join(folder, CONTENT);
  try {
    const facts = readFacts(parseJson(readFileSync(path.join(folder, FACTS), 'utf8')));
    const isThere = statSync(content, { throwIfNoEntry: false })?.isDirectory() === true;
    return facts && isThere ? { path: content, facts } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Says that the entry is used now; gives the time stamp by which that is known. undefined: there is none. */
export function markUsed(folder: string): number | undefined {
  try {
    const now = Date.now() / 1000;
    utimesSync(path.join(folder, FACTS), now, now);
  } catch {
    // there is none, or it is on a disk that we may only read, which works as well
  }
  return usedAtOf(folder);
}

/** When the entry was used last (ms since the epoch). */
export function usedAtOf(folder: string): number | undefined {
  return statSync(path.join(folder, FACTS), { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * Removes an entry that was used last at `usedAt`: one that somebody else has used since stays. It is renamed first, so that
 * nobody finds half of it, and gets its name back if it was used at that very moment.
 */
export async function removeEntry(folder: string, temporaryDir: string, usedAt: number | undefined): Promise<void> {
  if (usedAtOf(folder) !== usedAt) return;
  const doomed = path.join(temporaryDir, `${path.basename(folder)}.${temporarySuffix()}`);
  await fs.mkdir(temporaryDir, { recursive: true });
  try {
    await fs.rename(folder, doomed);
  } catch {
    return; // another process removed it, or has a file of it open (Windows): the next time will do
  }
  // who used it meanwhile and did not find it makes it again
  if (usedAtOf(doomed) !== usedAt && (await renameBack(doomed, folder))) return;
  await removeTree(doomed);
}

async function renameBack(from: string, to: string): Promise<boolean> {
  try {
    await fs.rename(from, to);
    return true;
  } catch {
    return false;
  }
}
