import type { BuildEntry, ZipReference } from './entry.ts';
import type { GuardedScope } from './scopes/guarded-scope.ts';

/** Tests whether the zips of a build are in a cache. Downloads none. */
export async function hasZips(build: BuildEntry, scopes: readonly GuardedScope[]): Promise<boolean> {
  for (const zip of build.dependencies ? [build.code, build.dependencies] : [build.code])
    if (!(await isInAny(zip, scopes))) return false;
  return true;
}

/** One of another size was replaced, or is truncated. */
async function isInAny({ sha256, size }: ZipReference, scopes: readonly GuardedScope[]): Promise<boolean> {
  for (const scope of scopes) if ((await scope.size(`cas/${sha256}`)) === size) return true;
  return false;
}
