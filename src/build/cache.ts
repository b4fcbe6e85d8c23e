import { readFileSync, statSync, utimesSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, exists, isMissing, makeFolder, removeTree, writeFileAtomic } from '../support/files.ts';
import { removeLeftovers } from '../support/temporary.ts';
import { temporarySuffix } from '../support/temporary-names.ts';

/** The two kinds of folders that are kept: what is deployed as code, and installed dependencies. */
export type EntryKind = 'artifacts' | 'deps';

/** Facts about an entry that are kept with it. */
export type EntryFacts = Readonly<Record<string, string | boolean>>;

/** What `make` says of what it made. */
export interface MadeEntry {
  facts: EntryFacts;
  /** The key that it turned out to have, where that is known only afterwards. */
  key?: string | undefined;
}

/** A finished build in the store. */
export interface CacheEntry {
  key: string;
  /** Its content; never changes. Absolute. */
  path: string;
  facts: EntryFacts;
  /** Whether it was there already. */
  cached: boolean;
}

/** Finished builds by key. */
export interface BuildCache {
  /** The entry, made if it is not there. At most one call of `make` for a key at a time in this process. */
  obtain(kind: EntryKind, key: string, make: (content: string) => Promise<MadeEntry>): Promise<CacheEntry>;
  /** Says that `key` is now the artifact of `owner`: what was its artifact several versions ago is removed. */
  keepNewest(owner: string, key: string): Promise<void>;
  /** The entry if it is there. */
  find(kind: EntryKind, key: string): Promise<CacheEntry | undefined>;
  /** A folder of its own that is removed when `work` is over. */
  withScratch<T>(work: (folder: string) => Promise<T>): Promise<T>;
  /** Removes what killed builds left and, at most once in an hour, what was not used for long. */
  prune(): Promise<void>;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Unused code is made again in a moment, dependencies are not. */
const KEEP_MS: Record<EntryKind, number> = { artifacts: 2 * DAY_MS, deps: 21 * DAY_MS };

/** Versions of one artifact that a long session keeps: enough for going back and forth between two states. */
const KEEP_VERSIONS = 6;

const FACTS = 'entry.json';
const CONTENT = 'content';

/**
 * A store of folders by key below `root`: an entry is made under a temporary name and renamed, so it is whole or not
 * there. Of two processes that make the same entry, the second finds that of the first.
 */
export function openBuildCache(root: string): BuildCache {
  const making = new Map<string, Promise<CacheEntry>>();
  /** Owner → its keys in this process, the newest last. */
  const versions = new Map<string, string[]>();
  const temporary = path.join(root, 'tmp');
  const folderOf = (kind: EntryKind, key: string): string => path.join(root, kind, key);

  const find: BuildCache['find'] = async (kind, key) => {
    const entry = readEntry(folderOf(kind, key));
    return entry && { ...entry, key, cached: true };
  };

  const create = async (
    kind: EntryKind,
    key: string,
    make: (content: string) => Promise<MadeEntry>,
  ): Promise<CacheEntry> => {
    const found = await find(kind, key);
    if (found) return found;
    // as deep as the entry, so that relative links to the outside lead to the same place from both
    const folder = path.join(temporary, `${key}.${temporarySuffix()}`);
    try {
      await makeFolder(path.join(folder, CONTENT));
      const made = await make(path.join(folder, CONTENT));
      await fs.writeFile(path.join(folder, FACTS), JSON.stringify(made.facts));
      const finalKey = made.key ?? key;
      return { ...(await moveInto(folder, folderOf(kind, finalKey), made.facts)), key: finalKey, cached: false };
    } finally {
      await discard(folder);
    }
  };

  return {
    find,
    obtain: (kind, key, make) => {
      const name = `${kind}/${key}`;
      let entry = making.get(name);
      if (!entry) {
        entry = create(kind, key, make).finally(() => making.delete(name));
        making.set(name, entry);
      }
      return entry;
    },
    keepNewest: async (owner, key) => {
      const keys = [...(versions.get(owner) ?? []).filter((known) => known !== key), key];
      const outdated = keys.splice(0, Math.max(0, keys.length - KEEP_VERSIONS));
      versions.set(owner, keys);
      if (outdated.length === 0) return;
      const inUse = new Set([...versions.values()].flat());
      for (const old of outdated) if (!inUse.has(old)) await removeEntry(root, 'artifacts', old);
    },
    withScratch: async (work) => {
      const folder = path.join(temporary, `scratch.${temporarySuffix()}`);
      await makeFolder(folder);
      try {
        return await work(folder);
      } finally {
        await discard(folder);
      }
    },
    prune: () => prune(root),
  };
}

/** Renames a finished entry to its name. If another process was faster, its entry is the one. */
async function moveInto(from: string, to: string, facts: EntryFacts): Promise<{ path: string; facts: EntryFacts }> {
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

/** In one go: hundreds of entries are looked up where nothing changed, and waiting for each would be most of the time. */
function readEntry(folder: string): { path: string; facts: EntryFacts } | undefined {
  const file = path.join(folder, FACTS);
  const content = path.join(folder, CONTENT);
  try {
    const facts = JSON.parse(readFileSync(file, 'utf8')) as EntryFacts;
    if (!statSync(content, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    markUsed(file);
    return { path: content, facts };
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The time stamp of an entry's facts is when it was last used, to the hour. */
function markUsed(file: string): void {
  const now = Date.now();
  try {
    if (now - statSync(file).mtimeMs > HOUR_MS) utimesSync(file, now / 1000, now / 1000);
  } catch {
    // a cache on a disk that we may only read works as well
  }
}

async function prune(root: string): Promise<void> {
  await removeLeftovers(path.join(root, 'tmp'));
  const marker = path.join(root, 'pruned');
  const now = Date.now();
  const last = await fs.stat(marker).catch(() => undefined);
  if (last && now - last.mtimeMs < HOUR_MS) return;
  if (!(await exists(root))) return;
  await writeFileAtomic(marker, '');
  for (const kind of ['artifacts', 'deps'] as const) await pruneEntries(path.join(root, kind), now - KEEP_MS[kind]);
  // files that were to replace others: beside these, in the store and in its entries
  await removeLeftovers(root, { depth: 2 });
}

async function pruneEntries(folder: string, before: number): Promise<void> {
  for (const name of await namesIn(folder)) {
    const entry = path.join(folder, name);
    const used = await fs.stat(path.join(entry, FACTS)).catch(() => undefined);
    if (used && used.mtimeMs >= before) continue;
    await removeEntry(path.dirname(folder), path.basename(folder) as EntryKind, name);
  }
}

/** Renamed first: nobody may find half an entry. */
async function removeEntry(root: string, kind: EntryKind, key: string): Promise<void> {
  const doomed = path.join(root, 'tmp', `${key}.${temporarySuffix()}`);
  await makeFolder(path.dirname(doomed));
  try {
    await fs.rename(path.join(root, kind, key), doomed);
  } catch {
    return; // another process removed it, or has a file of it open (Windows): the next time will do
  }
  await removeTree(doomed);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await fs.readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
