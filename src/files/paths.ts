import * as fs from 'node:fs';
import * as path from 'node:path';

/** What is at a path; links are followed. undefined: nothing, or nothing that we may see. */
export type EntryKind = 'file' | 'folder' | undefined;

/** What is at a path now. */
export function kindOf(target: string): EntryKind {
  const stat = statNow(target);
  return stat && (stat.isDirectory() ? 'folder' : 'file');
}

/** `stat` without errors: a link in a circle and what we may not see are as good as not there. */
export function statNow(target: string): fs.Stats | undefined {
  try {
    return fs.statSync(target, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Where a path really is; undefined if nowhere. */
export function realPathNow(target: string): string | undefined {
  try {
    return fs.realpathSync(target);
  } catch {
    return undefined;
  }
}

/** The names in a folder; none if it is not there. */
export function namesNow(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether something was changed after a moment (milliseconds since the epoch). */
export function changedSince(target: string, since: number): boolean {
  const stat = statNow(target);
  return stat !== undefined && Math.max(stat.mtimeMs, stat.ctimeMs) >= since;
}

/** Whether a path is somewhere in a folder. */
export function isBelow(target: string, folder: string): boolean {
  return target.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}

/** The path and every folder above it. */
export function withParents(target: string): string[] {
  const parent = path.dirname(target);
  return parent === target ? [target] : [target, ...withParents(parent)];
}
