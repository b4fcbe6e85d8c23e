import * as fs from 'node:fs';
import * as path from 'node:path';

/** What exists at a path, links followed. undefined: nothing, or nothing that may be read. */
export type EntryKind = 'file' | 'folder' | undefined;

/** Returns what exists at a path. */
export function kindOf(target: string): EntryKind {
  const stat = statNow(target);
  return stat && (stat.isDirectory() ? 'folder' : 'file');
}

/** `stat` without errors: links in a circle and paths that may not be read count as missing. */
export function statNow(target: string): fs.Stats | undefined {
  try {
    return fs.statSync(target, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The same of a link itself. A folder on the way may be a file by now, for which Node throws in spite of `throwIfNoEntry`. */
export function lstatNow(target: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(target, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Lists the names in a folder; none if it cannot be read. */
export function namesNow(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether a file changed at or after a moment (ms since the epoch). */
export function changedSince(target: string, since: number): boolean {
  const stat = statNow(target);
  return stat !== undefined && Math.max(stat.mtimeMs, stat.ctimeMs) >= since;
}

/**
 * Whether a path is below a folder, by its text: both are absolute and normalized, as every path of a watcher is. Watchers
 * call it for each watched folder; `isBelow` of support/places.ts, which takes any path, needs five times as long.
 */
export function startsWithFolder(target: string, folder: string): boolean {
  return target.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}
