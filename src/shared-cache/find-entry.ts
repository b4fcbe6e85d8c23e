import { hashOf } from '../builder/build-key.ts';
import type { BuildEntry, Entry } from './entry.ts';
import type { SharedInput } from './shared-inputs.ts';

/** How far the entries of a build lead. */
export interface EntryWalk {
  /** The key at which the walk ended: of `build`, or the first one without an entry. */
  key: string;
  build: BuildEntry | undefined;
  /** Everything that the keys so far depend on. */
  inputs: readonly SharedInput[];
  /** The entry at `key` names files that must not, or cannot, be read here. */
  isRefused?: true;
}

/** Longer chains are not ours. */
const LONGEST = 16;

/**
 * Follows the entries of a build from its first key: an entry names files, whose content gives the next key, until a key has a
 * build. So a build is found without knowing beforehand which files decide it.
 */
export async function findEntry(
  first: string,
  read: (key: string) => Promise<Entry | undefined>,
  hash: (inputs: readonly SharedInput[]) => Promise<string | undefined>,
): Promise<EntryWalk> {
  let key = first;
  const inputs: SharedInput[] = [];
  for (let length = 0; length < LONGEST; length++) {
    const entry = await read(key);
    if (entry?.kind === 'build') return { key, build: entry, inputs };
    if (entry?.kind !== 'inputs') break;
    const hashed = await hash(entry.inputs);
    if (hashed === undefined) return { key, build: undefined, inputs, isRefused: true };
    inputs.push(...entry.inputs);
    key = nextKey(key, hashed);
  }
  return { key, build: undefined, inputs };
}

/** Returns the key after an entry whose inputs have this hash. */
export function nextKey(key: string, inputsHash: string): string {
  return hashOf(key, inputsHash);
}
