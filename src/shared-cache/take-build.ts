import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { keyOf } from '../builder/build-key.ts';
import type { BuildCache, CacheEntry } from '../builder/cache/build-cache.ts';
import { unpackZip } from '../builder/workflows/unpack-zip.ts';
import { UserError } from '../errors.ts';
import { sumOf, treeKey } from '../package/artifact-key.ts';
import type { FileSum } from '../package/artifact-key.ts';
import { keyName, ZIP_FILE, ZIP_RECORD, zipRecord } from '../package/zip/zip-record.ts';
import { RefusedEntry } from './entry.ts';
import type { BuildEntry, ZipReference } from './entry.ts';
import { wrongZip } from './has-zips.ts';
import type { FetchedZip, GuardedScope } from './scopes/guarded-scope.ts';

/** A build that was taken from the cache. */
export interface TakenBuild {
  artifact: CacheEntry;
  dependencyLayer: CacheEntry | undefined;
  /** Bytes that were fetched. */
  bytes: number;
}

/** Where builds come from, and go to. */
export interface TakeOptions {
  scopes: readonly GuardedScope[];
  /** The local cache. */
  cache: BuildCache;
  /** Whether one that is in the local cache may be used, as far as the scopes are concerned. */
  isThere(zip: ZipReference, worthMs: number): Promise<boolean>;
}

/**
 * Puts a build into the local cache: zips are fetched, verified, and unpacked, unless they are there from an earlier run. undefined:
 * no scope gave them. Throws `RefusedEntry` if their content is not what the entry says.
 */
export async function takeBuild(entry: BuildEntry, options: TakeOptions): Promise<TakenBuild | undefined> {
  const how = { ...options, worthMs: entry.durationMs };
  const [code, dependencies] = await Promise.all([
    takeZip('artifacts', entry.code, { ...how, facts: entry.facts }),
    entry.dependencies && takeZip('deps', entry.dependencies, { ...how, facts: {} }),
  ]);
  if (code === undefined || (entry.dependencies && dependencies === undefined)) return undefined;
  return {
    artifact: code.entry,
    dependencyLayer: dependencies?.entry,
    bytes: code.bytes + (dependencies?.bytes ?? 0),
  };
}

/** Puts one zip of an entry into the local cache. Fails as `takeBuild` does. */
export async function takeZip(
  kind: 'artifacts' | 'deps',
  zip: ZipReference,
  how: TakeOptions & { facts: BuildEntry['facts']; worthMs: number },
): Promise<{ entry: CacheEntry; bytes: number } | undefined> {
  const { facts, scopes, cache, isThere, worthMs } = how;
  let bytes = 0;
  try {
    const entry = await cache.obtain(kind, keyOf('shared', zip.sha256, { ...facts }), async (content) => {
      const folder = path.dirname(content);
      const file = path.join(folder, ZIP_FILE);
      const { size, origin, content: inMemory } = await fetchZip(zip, { scopes, target: file, worthMs });
      bytes += size;
      if (inMemory) writeFileSync(file, inMemory);
      const sums = new Map<string, FileSum | undefined>();
      const unpacked = await unpack(file, content, { inMemory, sums });
      const sha256 = Buffer.from(zip.sha256, 'hex').toString('base64');
      const record = { ...zipRecord({ sha256, size, origin }, file), ...recordedKey([...sums.values()]) };
      writeFileSync(path.join(folder, ZIP_RECORD), JSON.stringify(record));
      return { facts: { ...facts, bytes: String(unpacked) } };
    });
    return bytes > 0 || (await isThere(zip, worthMs)) ? { entry, bytes } : undefined;
  } catch (error) {
    if (error instanceof NotFetched) return undefined;
    throw error;
  }
}

class NotFetched extends Error {}

async function fetchZip(
  { sha256, size }: ZipReference,
  { scopes, target, worthMs }: { scopes: readonly GuardedScope[]; target: string; worthMs: number },
): Promise<FetchedZip> {
  let wrong: RefusedEntry | undefined;
  for (const scope of scopes) {
    const fetched = await scope.fetch(`cas/${sha256}`, { target, most: size, worthMs });
    if (fetched === undefined) continue;
    if (fetched.sha256 === sha256 && fetched.size === size) return fetched;
    wrong = wrongZip(fetched, size);
  }
  throw wrong ?? new NotFetched();
}

/** The S3 key of the content, which otherwise is read again for it. Large files and links are left to that. */
function recordedKey(sums: readonly (FileSum | undefined)[]): Record<string, string> {
  const known = sums.filter((sum) => sum !== undefined);
  return known.length === sums.length ? { [keyName()]: treeKey(known) } : {};
}

async function unpack(
  zip: string,
  content: string,
  { inMemory, sums }: { inMemory: Buffer | undefined; sums: Map<string, FileSum | undefined> },
): Promise<number> {
  const onFile = (name: string, bytes: Buffer | undefined): void =>
    void sums.set(name, bytes === undefined ? undefined : sumOf(name, bytes));
  try {
    return await unpackZip(zip, content, { links: true, inMemory, onFile });
  } catch (error) {
    // a full disk is no fault of the entry
    if (error instanceof UserError) throw new RefusedEntry(error.message);
    throw error;
  }
}
