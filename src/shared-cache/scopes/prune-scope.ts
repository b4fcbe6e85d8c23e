import { mapLimit } from '../../support/map-limit.ts';
import { fields, parseJson, text } from '../../support/shapes.ts';
import type { CacheScope, ScopeObject } from './scope.ts';

/** A writer adds the zip first and its entry after that: a zip without an entry may be at that point (ms). */
const UNFINISHED = 3_600_000;

const READS_AT_ONCE = 16;

/** What was removed, or would be. */
export interface PrunedScope {
  name: string;
  entries: number;
  zips: number;
  bytes: number;
}

/**
 * Removes the builds that were written before `before`, and then the zips of that age that no entry names. Entries that lead to builds
 * stay as long as there are any. A reader that has found an entry whose zip is removed at that moment builds by itself.
 */
export async function pruneScope(
  scope: CacheScope,
  { before, dryRun, signal }: { before: number; dryRun: boolean; signal: AbortSignal },
): Promise<PrunedScope> {
  const known = await readEntries(scope, (await listScope(scope, signal)).filter(isEntry), signal);
  const isOldBuild = ({ leads, object }: KnownEntry): boolean => !leads && object.writtenAt < before;
  const hasBuilds = known.some((entry) => !entry.leads && !isOldBuild(entry));
  const old = known.filter((entry) => isOldBuild(entry) || (!hasBuilds && entry.object.writtenAt < before));
  const removed = new Set(old.map(({ object }) => object.name));
  if (!dryRun) await scope.remove([...removed], signal);
  // listed again: entries that were added meanwhile keep their zips
  const left = (await listScope(scope, signal)).filter(({ name }) => !removed.has(name));
  const seen = new Set(known.map(({ object }) => object.name));
  const added = await readEntries(
    scope,
    left.filter((one) => isEntry(one) && !seen.has(one.name)),
    signal,
  );
  const staying = [...known.filter(({ object }) => !removed.has(object.name)), ...added];
  const named = new Set(staying.flatMap(({ zips }) => zips));
  const limit = Math.min(before, Date.now() - UNFINISHED);
  const zips = left.filter((one) => !isEntry(one) && one.writtenAt < limit && !named.has(one.name));
  const zipNames = zips.map(({ name }) => name);
  if (!dryRun) await scope.remove(zipNames, signal);
  const bytes = [...old.map(({ object }) => object), ...zips].reduce((sum, { size }) => sum + size, 0);
  return { name: scope.name, entries: old.length, zips: zips.length, bytes };
}

interface KnownEntry {
  object: ScopeObject;
  /** It leads to builds, and is none. */
  leads: boolean;
  /** The zips that it names. */
  zips: readonly string[];
}

/** Whether an object is an entry, and no zip. */
export function isEntry({ name }: ScopeObject): boolean {
  return name.startsWith('ac/');
}

/** Lists all objects of a scope. */
export async function listScope(scope: CacheScope, signal: AbortSignal): Promise<ScopeObject[]> {
  const objects: ScopeObject[] = [];
  for await (const object of scope.list(signal)) objects.push(object);
  return objects;
}

function readEntries(
  scope: CacheScope,
  objects: readonly ScopeObject[],
  signal: AbortSignal,
): Promise<readonly KnownEntry[]> {
  return mapLimit(objects, READS_AT_ONCE, async (object) => {
    const entry = fields(parseJson((await scope.read(object.name, signal)) ?? ''));
    const hashes = ['code', 'dependencies'].map((zip) => text(fields(entry?.[zip])?.['sha256']));
    const zips = hashes.flatMap((hash) => (hash === undefined ? [] : [`cas/${hash}`]));
    return { object, leads: entry?.['kind'] === 'inputs', zips };
  });
}
