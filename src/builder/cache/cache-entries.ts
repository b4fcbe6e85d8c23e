import { readFileSync, statSync, utimesSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing, makeFolder, removeTree } from '../../support/files.ts';
import { either, flag, parseJson, recordOf, text } from '../../support/shapes.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';

/** Facts about an entry that are kept with it. */
export type EntryFacts = Readonly<Record<string, string | boolean>>;

/** In an entry's folder: its facts, whose time stamp is when the entry was last used, and its content. */
export const FACTS = 'entry.json';
export const CONTENT = 'content';

const HOUR_MS = 3_600_000;

/** Renames a finished entry to its name. If another process was faster, its entry is the one. */
export async function moveInto(
  from: string,
  to: string,
  facts: EntryFacts,
): Promise<{ path: string; facts: EntryFacts }> {
  await makeFolder(path.dirname(to));
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
    if (facts === undefined || !isThere) return undefined;
    markUsed(folder);
    return { path: content, facts };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Says that the entry is used now: the time stamp of its facts, to the hour. */
function markUsed(folder: string): void {
  const file = path.join(folder, FACTS);
  const now = Date.now();
  try {
    if (now - statSync(file).mtimeMs > HOUR_MS) utimesSync(file, now / 1000, now / 1000);
  } catch {
    // a cache on a disk that we may only read works as well
  }
}

/** When the entry was used last (ms since the epoch), to the hour; undefined: it is none. */
export function usedAtOf(folder: string): number | undefined {
  return statSync(path.join(folder, FACTS), { throwIfNoEntry: false })?.mtimeMs;
}

/** Removes an entry unless it is needed. It is renamed first, so that nobody finds half of it. */
export async function removeEntry(
  folder: string,
  { temporaryDir, isNeeded }: { temporaryDir: string; isNeeded: () => boolean },
): Promise<void> {
  if (isNeeded()) return;
  const doomed = path.join(temporaryDir, `${path.basename(folder)}.${temporarySuffix()}`);
  await makeFolder(temporaryDir);
  try {
    await fs.rename(folder, doomed);
  } catch {
    return; // another process removed it, or has a file of it open (Windows): the next time will do
  }
  // who began to use it at that very moment has it back, or makes it again
  if (isNeeded() && (await renameBack(doomed, folder))) return;
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
