import { createHash } from 'node:crypto';
import { mapLimit } from '../support/map-limit.ts';
import { parseEntry, RefusedEntry } from './entry.ts';
import { isEntry, listScope } from './scopes/prune-scope.ts';
import type { PrunedScope } from './scopes/prune-scope.ts';
import { chunksOf } from './scopes/scope.ts';
import type { CacheScope, ScopeObject } from './scopes/scope.ts';

const READS_AT_ONCE = 8;

/**
 * Removes entries that are damaged, for another key or, with a secret, not signed with it, and zips whose content does not have the
 * hash in their names: nothing replaces them otherwise. Writers then add good ones.
 */
export async function pruneRefused(
  scope: CacheScope,
  { secret, dryRun, signal }: { secret: string | undefined; dryRun: boolean; signal: AbortSignal },
): Promise<PrunedScope> {
  const objects = await listScope(scope, signal);
  const checked = await mapLimit(objects, READS_AT_ONCE, async (object) => {
    signal.throwIfAborted();
    const isGood = isEntry(object)
      ? isAccepted(await scope.read(object.name, signal), { object, secret })
      : await hasItsHash(scope, object, signal);
    return isGood ? undefined : object;
  });
  const refused = checked.filter((object) => object !== undefined);
  const names = refused.map(({ name }) => name);
  if (!dryRun) await scope.remove(names, signal);
  const entries = refused.filter(isEntry).length;
  const bytes = refused.reduce((sum, { size }) => sum + size, 0);
  return { name: scope.name, entries, zips: refused.length - entries, bytes };
}

function isAccepted(
  json: string | undefined,
  { object, secret }: { object: ScopeObject; secret: string | undefined },
): boolean {
  if (json === undefined) return false;
  try {
    parseEntry(json, object.name.slice('ac/'.length), secret);
    return true;
  } catch (error) {
    if (error instanceof RefusedEntry) return false;
    throw error;
  }
}

/** What is gone meanwhile counts as good. */
async function hasItsHash(scope: CacheScope, { name }: ScopeObject, signal: AbortSignal): Promise<boolean> {
  const found = await scope.open(name, signal);
  if (found === undefined) return true;
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(found.body)) hash.update(chunk as Buffer);
  return name === `cas/${hash.digest('hex')}`;
}
