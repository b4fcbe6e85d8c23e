import { hashOf } from '../builder/build-key.ts';
import type { SharedBuildContext } from '../builder/shared-builds.ts';
import { findEntry } from './find-entry.ts';
import type { SharedCache } from './shared-cache.ts';
import { hashNamed, inputPlace, placeOfCode } from './shared-inputs.ts';
import { staticKey } from './static-key.ts';

/** What looking up a build takes. */
export type Lookup = Pick<SharedBuildContext, 'definition' | 'workflow' | 'options' | 'hasher'>;

/** Tests whether a cache has a build with its zips. */
export async function isInCache(
  context: Lookup,
  cache: Pick<SharedCache, 'readEntry' | 'stateOfZips'>,
): Promise<boolean> {
  const { definition, options, hasher } = context;
  const place = inputPlace(definition.codeDir, options.projectDir);
  const read = (key: string): ReturnType<SharedCache['readEntry']> => cache.readEntry(key);
  const { build } = await findEntry(staticKey(context), read, (inputs) => hashNamed(inputs, place, hasher));
  return build !== undefined && (await cache.stateOfZips(build)) === 'there';
}

/** Returns a key that is equal for the same build in all checkouts, whatever its source. In hex. */
export function shareKey(context: Lookup): string {
  const { definition, options } = context;
  return hashOf('sam-sync duration', staticKey(context), placeOfCode(definition.codeDir, options.projectDir));
}
