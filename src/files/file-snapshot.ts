import * as fs from 'node:fs';
import * as path from 'node:path';
import { preciseStatNow, realPathNow } from '../support/files.ts';
import { startsWithFolder } from './paths.ts';

/** A watched file, or a watched folder with everything below it. */
export interface WatchedPart {
  /** Absolute; it may not exist. */
  path: string;
  /** Only the entries of the folder, not what is below them. */
  direct: boolean;
  isExcluded(target: string): boolean;
}

/** Files and folders with a signature that changes when they are written or replaced: time stamps, size, inode. */
export type FileSnapshot = ReadonlyMap<string, string>;

/** Whether one of the parts contains the path. */
export function covers(parts: readonly WatchedPart[], target: string): boolean {
  return parts.some(({ path: root, direct, isExcluded }) => {
    const isInside = target === root || (direct ? path.dirname(target) === root : startsWithFolder(target, root));
    return isInside && !isExcluded(target);
  });
}

/** Takes a snapshot of the parts. Follows links, except to a folder that contains them. */
export function takeSnapshot(parts: readonly WatchedPart[]): FileSnapshot {
  const snapshot = new Map<string, string>();
  const visit = (part: WatchedPart, target: string, parents: readonly string[]): void => {
    if (part.isExcluded(target)) return;
    const signature = signatureNow(target);
    if (signature === undefined) return;
    snapshot.set(target, signature);
    if (!signature.startsWith(FOLDER) || (part.direct && target !== part.path)) return;
    for (const item of listNow(target)) {
      const inner = path.join(target, item.name);
      const real = item.isSymbolicLink() ? realPathNow(inner) : undefined;
      const isCircle =
        real !== undefined && parents.some((parent) => parent === real || startsWithFolder(parent, real));
      if (!isCircle) visit(part, inner, real === undefined ? parents : [...parents, real]);
    }
  };
  for (const part of parts) visit(part, part.path, [realPathNow(part.path) ?? part.path]);
  return snapshot;
}

/** Lists the paths that came, went or were written between two snapshots. */
export function changedPaths(before: FileSnapshot, after: FileSnapshot): string[] {
  const changed = [...after.keys()].filter((target) => before.get(target) !== after.get(target));
  return [...changed, ...[...before.keys()].filter((target) => !after.has(target))];
}

/** Gives the signature of a path as it is now; undefined: nothing exists there. */
export function signatureNow(target: string): string | undefined {
  const stat = preciseStatNow(target);
  return stat && signatureOf(stat);
}

/** Whether the path was a folder when the snapshot was taken. */
export function isFolderIn(snapshot: FileSnapshot, target: string): boolean {
  return snapshot.get(target)?.startsWith(FOLDER) ?? false;
}

const FOLDER = 'folder ';

function signatureOf(stat: fs.BigIntStats): string {
  // time stamps of a folder change with its entries, which have signatures of their own
  if (stat.isDirectory()) return `${FOLDER}${stat.ino}`;
  return `${stat.mtimeNs} ${stat.ctimeNs} ${stat.size} ${stat.ino} ${stat.mode}`;
}

function listNow(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
