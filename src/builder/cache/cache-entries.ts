import { readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing, makeFolder, preciseStatNow, removeTree } from '../../support/files.ts';
import { either, flag, parseJson, recordOf, text } from '../../support/shapes.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';

/** Facts about an entry, stored with it. */
export type EntryFacts = Readonly<Record<string, string | boolean>>;

/** Names in an entry's folder: its facts, whose time stamp is the entry's last use, and its content. */
export const FACTS = 'entry.json';
export const CONTENT = 'content';

/** Uses of entries are recorded to the hour (ms). */
export const HOUR_MS = 3_600_000;

/** Renames a finished entry to its name. If another process was faster, its entry counts. */
export async function moveInto(
  from: string,
  to: string,
  facts: EntryFacts,
): Promise<{ path: string; facts: EntryFacts }> {
  await makeFolder(path.dirname(to));
  try {
    renameSync(from, to);
  } catch (error) {
    const winner = readEntry(to);
    if (winner) return winner;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(code)) throw error;
    // not an entry, e.g. half of one that was deleted by hand
    await removeTree(to);
    await fs.rename(from, to);
  }
  return { path: path.join(to, CONTENT), facts };
}

const readFacts = recordOf(either(text, flag));

/**
 * Reads an entry; undefined if there is none, or a damaged one. Synchronous: a sync without changes looks up hundreds of
 * entries, and awaiting each would take most of its time.
 */
export function readEntry(folder: string): { path: string; facts: EntryFacts } | undefined {
  const content = path.join(folder, CONTENT);
  try {
    if (statSync(content, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
    const facts = readFacts(parseJson(readFileSync(path.join(folder, FACTS), 'utf8')));
    if (facts === undefined) return undefined;
    markUsed(folder);
    return { path: content, facts };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Identifies the content of an entry: one that was removed and made again has its old name, and perhaps another content. undefined: there
 * is none. Its folder gets no more files, so its time of change stays the same.
 */
export function madeAt(content: string): string | undefined {
  const stat = preciseStatNow(content);
  return stat?.isDirectory() === true ? `${stat.ino}:${stat.ctimeNs}` : undefined;
}

/** Records the use of an entry, to the hour, in the time stamp of its facts. */
function markUsed(folder: string): void {
  const file = path.join(folder, FACTS);
  const now = Date.now();
  try {
    if (now - statSync(file).mtimeMs > HOUR_MS) utimesSync(file, now / 1000, now / 1000);
  } catch {
    // a cache on a read-only disk works as well
  }
}

/** Returns the entry's last use (ms since the epoch), to the hour; undefined if it is no entry. */
export function usedAtOf(folder: string): number | undefined {
  // a file in the place of an entry, such as Finder's .DS_Store, is none either
  const stat = preciseStatNow(path.join(folder, FACTS));
  return stat && Number(stat.mtimeMs);
}

/** Removes an entry unless it is needed. Renames it first, so that no process finds half of it. */
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
    return; // another process removed it, or has a file of it open (Windows): try again next time
  }
  // give it back to a build that began to use it at that moment
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
