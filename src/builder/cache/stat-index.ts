import * as fs from 'node:fs';
import type { BigIntStats } from 'node:fs';
import * as path from 'node:path';
import { writeFileAtomic } from '../../support/files.ts';

/** Hashes by file, valid as long as the file's time stamps, size and inode stay the same. */
export interface StatIndex {
  get(file: string, stat: BigIntStats): string | undefined;
  /** `readAt`: milliseconds since the epoch, taken before the file was read. */
  set(file: string, entry: { stat: BigIntStats; readAt: number; hash: string }): void;
  save(): Promise<void>;
}

/** Raised when the form of the file or of the hashes changes. */
const VERSION = 1;
/**
 * A file changed this shortly before it was read may change again within the same tick of the file system's clock and
 * look the same ("racily clean" in git's words), so its hash is not kept. FAT counts in steps of 2 s, the coarsest.
 */
const RACY_NS = 2_000_000_000n;
/** Entries of files that were not read for this long are dropped. */
const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;

/** Folder → name → `day:mtime:ctime:size:inode:hash`. */
type Folders = Map<string, Map<string, string>>;

/** Opens the index in a file. */
export function openStatIndex(file: string): StatIndex {
  const folders = readFolders(file);
  const today = Math.floor(Date.now() / DAY_MS);
  let changed = false;
  const put = (target: string, rest: string): void => {
    const folder = path.dirname(target);
    let names = folders.get(folder);
    if (!names) folders.set(folder, (names = new Map()));
    names.set(path.basename(target), `${today}:${rest}`);
    changed = true;
  };
  return {
    get: (target, stat) => {
      const line = folders.get(path.dirname(target))?.get(path.basename(target));
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
        await writeFileAtomic(file, JSON.stringify({ version: VERSION, folders: withoutOld(folders, today) }));
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

function withoutOld(folders: Folders, today: number): [string, [string, string][]][] {
  return [...folders]
    .map(([folder, names]): [string, [string, string][]] => [
      folder,
      [...names].filter(([, line]) => Number(line.split(':', 1)[0]) > today - KEEP_DAYS),
    ])
    .filter(([, names]) => names.length > 0);
}

/** Reads the saved index; an empty one if there is none, or a damaged one. */
function readFolders(file: string): Folders {
  try {
    const saved = JSON.parse(fs.readFileSync(file, 'utf8')) as { version?: unknown; folders?: unknown };
    if (saved.version !== VERSION || !isPairs(saved.folders, isNames)) return new Map();
    return new Map(saved.folders.map(([folder, names]) => [folder, new Map(names)]));
  } catch {
    return new Map();
  }
}

function isNames(value: unknown): value is [string, string][] {
  return isPairs(value, (line): line is string => typeof line === 'string');
}

function isPairs<T>(value: unknown, isValue: (value: unknown) => value is T): value is [string, T][] {
  return (
    Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string' && isValue(pair[1]))
  );
}
