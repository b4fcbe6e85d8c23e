import type { BigIntStats } from 'node:fs';
import * as path from 'node:path';
import { writeFileAtomic } from '../../support/files.ts';
import { readFolderLines } from '../../support/folder-lines.ts';

/** Hashes by file, valid as long as the file's time stamps, size and inode stay the same. */
export interface StatIndex {
  get(file: string, stat: BigIntStats): string | undefined;
  /** `readAt`: milliseconds since the epoch, taken before the file was read. */
  set(file: string, entry: { stat: BigIntStats; readAt: number; hash: string }): void;
  save(): Promise<void>;
}

/** Raised when the form of the file or of the hashes changes. */
const VERSION = 2;
/**
 * A file changed this shortly before it was read may change again within the same tick of the file system's clock and
 * look the same ("racily clean" in git's words), so its hash is not kept. FAT counts in steps of 2 s, the coarsest.
 */
const RACY_NS = 2_000_000_000n;
/** Entries of files that were not read for this long are dropped. */
const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;

/** Opens the index in a file: for each path `day:mtime:ctime:size:inode:hash`. */
export function openStatIndex(file: string): StatIndex {
  const lines = readFolderLines(file, { version: VERSION, dayOf: (value) => Number(value.split(':', 1)[0]) });
  const today = Math.floor(Date.now() / DAY_MS);
  let changed = false;
  const put = (target: string, rest: string): void => {
    lines.set(path.dirname(target), path.basename(target), `${today}:${rest}`);
    changed = true;
  };
  return {
    get: (target, stat) => {
      const line = lines.get(path.dirname(target), path.basename(target));
      if (line === undefined) return undefined;
      const signature = `:${signatureOf(stat)}:`;
      const dayEnd = line.indexOf(':');
      const hash = line.slice(dayEnd + signature.length);
      if (!line.startsWith(signature, dayEnd) || hash === '') return undefined;
      if (Number(line.slice(0, dayEnd)) !== today) put(target, line.slice(dayEnd + 1));
      return hash;
    },
    set: (target, { stat, readAt, hash }) => {
      if (isRacy(stat, readAt)) return;
      put(target, `${signatureOf(stat)}:${hash}`);
    },
    save: async () => {
      if (!changed) return;
      changed = false;
      try {
        await writeFileAtomic(file, lines.toText(today - KEEP_DAYS + 1));
      } catch {
        // a full or read-only disk: the next run reads more
      }
    },
  };
}

/** Whether the path changed so shortly before `readAt` (ms since the epoch) that a later change may look the same. */
export function isRacy({ mtimeNs, ctimeNs }: BigIntStats, readAt: number): boolean {
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return newest + RACY_NS > BigInt(readAt) * 1_000_000n;
}

/** Returns the values that change with a path's content. */
export function signatureOf(stat: BigIntStats): string {
  return `${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}:${stat.ino}`;
}
