import * as fs from 'node:fs';
import * as path from 'node:path';
import { isBelow, realPathNow } from './paths.ts';

/** A file, or a folder with what is below it, that something is made of. */
export interface WatchedPart {
  /** Absolute; it need not exist. */
  path: string;
  /** Of a folder only what is directly in it. */
  direct: boolean;
  isExcluded(target: string): boolean;
}

/** Files and folders with what differs when they are written or replaced: time stamps, size, inode. */
export type Snapshot = ReadonlyMap<string, string>;

/** Whether a path is in one of the parts. */
export function covers(parts: readonly WatchedPart[], target: string): boolean {
  return parts.some(({ path: root, direct, isExcluded }) => {
    const isInside = target === root || (direct ? path.dirname(target) === root : isBelow(target, root));
    return isInside && !isExcluded(target);
  });
}

/** What the parts hold now. Links are followed, except back to a folder that they are in. */
export function takeSnapshot(parts: readonly WatchedPart[]): Snapshot {
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
      const isCircle = real !== undefined && parents.some((parent) => parent === real || isBelow(parent, real));
      if (!isCircle) visit(part, inner, real === undefined ? parents : [...parents, real]);
    }
  };
  for (const part of parts) visit(part, part.path, [realPathNow(part.path) ?? part.path]);
  return snapshot;
}

/** The paths that came, went, or were written between two snapshots. */
export function changedPaths(before: Snapshot, after: Snapshot): string[] {
  const changed = [...after.keys()].filter((target) => before.get(target) !== after.get(target));
  return [...changed, ...[...before.keys()].filter((target) => !after.has(target))];
}

/** What a snapshot says of a path, as it is now; undefined: nothing is there. */
export function signatureNow(target: string): string | undefined {
  const stat = statPrecisely(target);
  return stat && signatureOf(stat);
}

/** Whether the snapshot says that a folder is at the path. */
export function isFolderIn(snapshot: Snapshot, target: string): boolean {
  return snapshot.get(target)?.startsWith(FOLDER) ?? false;
}

const FOLDER = 'folder ';

function signatureOf(stat: fs.BigIntStats): string {
  // a folder's time stamps change with what is in it, which has entries of its own
  if (stat.isDirectory()) return `${FOLDER}${stat.ino}`;
  return `${stat.mtimeNs} ${stat.ctimeNs} ${stat.size} ${stat.ino} ${stat.mode}`;
}

function statPrecisely(target: string): fs.BigIntStats | undefined {
  try {
    return fs.statSync(target, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function listNow(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
