import { writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, exists, isMissing, makeFolder, writeFileAtomic } from '../../support/files.ts';
import { asSegment } from '../../support/places.ts';
import { removeLeftovers } from '../../support/temporary.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { CONTENT, FACTS, madeAt, moveInto, readEntry } from './cache-entries.ts';
import type { EntryFacts } from './cache-entries.ts';
import { openLeases } from './leases.ts';
import type { Leases } from './leases.ts';
import { ENTRY_KINDS, layoutsOf, neededEntries, removeUnneeded, removeUnused } from './remove-unused.ts';
import type { EntryKind } from './remove-unused.ts';

/** The description of a new entry, from `make`. */
export interface WrittenEntry {
  facts: EntryFacts;
  /** The entry's key, if it is known only afterwards. */
  key?: string | undefined;
}

/** A finished build in the cache. */
export interface CacheEntry {
  key: string;
  /** The folder of its content, which never changes. Absolute. */
  path: string;
  facts: EntryFacts;
  /** Whether it existed before this call. */
  cached: boolean;
}

/** An entry as it was found before. */
export interface KnownEntry {
  key: string;
  facts: EntryFacts;
  /** Of its content (`madeAt`). */
  made: string;
}

/** Caches finished builds by key. */
export interface BuildCache {
  /** Returns the entry, and makes it first if it does not exist. At most one `make` of a key runs at a time in this process. */
  obtain(kind: EntryKind, key: string, make: (content: string) => Promise<WrittenEntry>): Promise<CacheEntry>;
  /**
   * Records `key` as the artifact of `owner` and removes its artifact of several versions ago, unless that is held, laid out or
   * used elsewhere.
   */
  keepNewest(owner: string, key: string): Promise<void>;
  /** Returns the same cache; entries obtained or found through it are kept until `release`. */
  hold(): { cache: BuildCache; release(): void };
  /** Returns the entry if it exists. */
  find(kind: EntryKind, key: string): Promise<CacheEntry | undefined>;
  /** Returns an entry that was found within the last hour, if its content is still the same (`madeAt`). Reads nothing. */
  confirm(kind: EntryKind, known: KnownEntry): CacheEntry | undefined;
  /** Runs `work` with an empty folder, which is removed afterwards. */
  withScratch<T>(work: (folder: string) => Promise<T>): Promise<T>;
  /** Removes leftovers of killed builds and, at most once an hour, entries that were not used for long. */
  prune(): Promise<void>;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Code is built again quickly, dependencies are not. */
const KEEP_MS: Record<EntryKind, number> = { artifacts: 2 * DAY_MS, deps: 21 * DAY_MS };

/** How often an entry is made: `rm -rf .aws-sam` takes a while, and goes on beside the next try. */
const MAX_TRIES = 3;

/** Versions of one artifact that a long session keeps: enough to go back and forth between two states. */
const KEEP_VERSIONS = 6;

/**
 * Opens the cache below `root`. An entry is made under a temporary name and then renamed, so it is complete or absent. If two
 * processes make the same entry, the second one uses that of the first.
 */
export function openBuildCache(root: string): BuildCache {
  const making = new Map<string, Promise<CacheEntry>>();
  /** Owner → its keys in this process, the newest last. */
  const versions = new Map<string, string[]>();
  const leases = openLeases(root);
  const temporary = path.join(root, 'tmp');
  const folderOf = (kind: EntryKind, key: string): string =>
    path.join(root, kind, asSegment(key, 'The key of a build'));

  const find: BuildCache['find'] = async (kind, key) => {
    const entry = readEntry(folderOf(kind, key));
    return entry && { ...entry, key, cached: true };
  };

  const confirm: BuildCache['confirm'] = (kind, { key, facts, made }) => {
    const content = path.join(folderOf(kind, key), CONTENT);
    return madeAt(content) === made ? { key, facts, path: content, cached: true } : undefined;
  };

  const create = async (
    kind: EntryKind,
    key: string,
    make: (content: string) => Promise<WrittenEntry>,
  ): Promise<CacheEntry> => {
    for (let tries = 1; ; tries++) {
      const entry = (await find(kind, key)) ?? (await tryToCreate(kind, key, { make, isLastTry: tries === MAX_TRIES }));
      if (entry) return entry;
    }
  };

  /** undefined: somebody removed the cache meanwhile. */
  const tryToCreate = async (
    kind: EntryKind,
    key: string,
    { make, isLastTry }: { make: (content: string) => Promise<WrittenEntry>; isLastTry: boolean },
  ): Promise<CacheEntry | undefined> => {
    // as deep as the entry, so that relative links out of it lead to the same place from both
    const folder = path.join(temporary, `${key}.${temporarySuffix()}`);
    try {
      await makeFolder(folder);
      await makeFolder(path.join(folder, CONTENT));
      const entry = await make(path.join(folder, CONTENT));
      writeFileSync(path.join(folder, FACTS), JSON.stringify(entry.facts));
      const finalKey = entry.key ?? key;
      return { ...(await moveInto(folder, folderOf(kind, finalKey), entry.facts)), key: finalKey, cached: false };
    } catch (error) {
      if (!isLastTry && isMissing(error) && !(await exists(folder))) return undefined;
      throw error;
    } finally {
      await discard(folder);
    }
  };

  const cache: BuildCache = {
    find,
    confirm,
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
      const keys = [...(versions.get(owner) ?? []).filter((earlier) => earlier !== key), key];
      const outdated = keys.splice(0, Math.max(0, keys.length - KEEP_VERSIONS));
      versions.set(owner, keys);
      if (outdated.length === 0) return;
      const newest = new Set([...versions.values()].flat());
      const isNeeded = neededEntries(root, leases);
      const stay = outdated.filter((old) => !newest.has(old) && isNeeded(folderOf('artifacts', old)));
      // checked again next time
      versions.set(owner, [...stay, ...keys]);
      for (const old of outdated.filter((old) => !newest.has(old) && !stay.includes(old)))
        await removeUnneeded(root, folderOf('artifacts', old), leases);
    },
    hold: () => {
      const lease = leases.open();
      const obtain: BuildCache['obtain'] = async (kind, key, make) => {
        // before the lookup: from then on no process removes it
        lease.add(folderOf(kind, key));
        const entry = await cache.obtain(kind, key, async (content) => {
          const written = await make(content);
          if (written.key !== undefined) lease.add(folderOf(kind, written.key));
          return written;
        });
        lease.add(folderOf(kind, entry.key));
        return entry;
      };
      const findHeld: BuildCache['find'] = async (kind, key) => {
        lease.add(folderOf(kind, key));
        return find(kind, key);
      };
      const confirmHeld: BuildCache['confirm'] = (kind, known) => {
        lease.add(folderOf(kind, known.key));
        return confirm(kind, known);
      };
      const held = { ...cache, obtain, find: findHeld, confirm: confirmHeld };
      return { cache: held, release: () => lease.close() };
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
    prune: () => prune(root, leases),
  };
  return cache;
}

async function prune(root: string, leases: Leases): Promise<void> {
  await removeLeftovers(path.join(root, 'tmp'));
  await leases.afterKilled(() => removeHalfWritten(root));
  const marker = path.join(root, 'pruned');
  const now = Date.now();
  const last = await fs.stat(marker).catch(() => undefined);
  if (last && now - last.mtimeMs < HOUR_MS) return;
  if (!(await exists(root))) return;
  await writeFileAtomic(marker, '');
  for (const kind of ENTRY_KINDS) await removeUnused(root, { kind, before: now - KEEP_MS[kind] }, leases);
  await removeHalfWritten(root);
}

/** Removes temporary files beside those that they were to replace: in the store and its entries, and in the layouts. */
async function removeHalfWritten(root: string): Promise<void> {
  await removeLeftovers(root, { depth: 2 });
  // a folder for each level of nested stacks
  for (const folder of layoutsOf(root)) await removeLeftovers(folder, { depth: 5 });
}
