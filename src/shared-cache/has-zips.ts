import { RefusedEntry } from './entry.ts';
import type { BuildEntry, ZipReference } from './entry.ts';
import type { GuardedScope } from './scopes/guarded-scope.ts';

type Zips = Pick<BuildEntry, 'code' | 'dependencies' | 'durationMs'>;

/** Tests whether the zips of a build are in a cache. `wrong`: another content is there under the name of one. */
export async function stateOfZips(
  { code, dependencies, durationMs }: Zips,
  isThere: (zip: ZipReference, worthMs: number) => Promise<boolean>,
): Promise<'there' | 'missing' | 'wrong'> {
  try {
    for (const zip of dependencies ? [code, dependencies] : [code])
      if (!(await isThere(zip, durationMs))) return 'missing';
    return 'there';
  } catch (error) {
    if (error instanceof RefusedEntry) return 'wrong';
    throw error;
  }
}

/**
 * Tests whether a zip is in a cache. Reads it only if the cache does not know its hash. Throws `RefusedEntry` if there is another
 * content under its name.
 */
export async function hasZip(
  { sha256, size }: ZipReference,
  { scopes, worthMs }: { scopes: readonly GuardedScope[]; worthMs: number },
): Promise<boolean> {
  let wrong: RefusedEntry | undefined;
  for (const scope of scopes) {
    const found = await scope.describe(`cas/${sha256}`, { most: size, worthMs });
    if (found === undefined) continue;
    if (found.size === size && found.sha256 === sha256) return true;
    wrong = wrongZip(found, size);
  }
  if (wrong !== undefined) throw wrong;
  return false;
}

/** Describes what is wrong with a zip that should be of this size. */
export function wrongZip(found: { size: number }, size: number): RefusedEntry {
  return new RefusedEntry(
    found.size === size ? 'its zip has another hash' : 'its zip is truncated or has another size',
  );
}
