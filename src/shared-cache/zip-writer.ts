import type { CacheEntry } from '../builder/cache/build-cache.ts';
import type { ArtifactStore } from '../package/artifact-store.ts';
import { oncePerName } from '../support/once.ts';
import type { BuildEntry, ZipReference } from './entry.ts';
import type { GuardedScope } from './scopes/guarded-scope.ts';

/** The zip of a build or of packages. */
interface OwnZip {
  reference: ZipReference;
  file: string;
}

/** Zips builds and adds the zips to a scope, each once. */
export interface ZipWriter {
  zip(entry: CacheEntry): Promise<OwnZip>;
  /** Adds a zip; one that has expired only if `known` is for the same bytes. `taken`: it is there; undefined: the scope could not take it. */
  send(zip: OwnZip, known: BuildEntry | undefined): Promise<'added' | 'taken' | undefined>;
  sentBytes(): number;
}

/** Creates a writer for one run. */
export function createZipWriter(zips: ArtifactStore, scope: GuardedScope): ZipWriter {
  const sending = new Map<string, ReturnType<GuardedScope['add']>>();
  let bytes = 0;
  return {
    zip: async ({ path }) => {
      const { path: file, size, sha256 } = await zips.zip({ kind: 'zip', path, label: 'build cache' });
      return { reference: { sha256: Buffer.from(sha256, 'base64').toString('hex'), size }, file };
    },
    send: async ({ reference: { sha256, size }, file }, known) => {
      if (known && ![known.code, known.dependencies].some((theirs) => theirs?.sha256 === sha256)) return 'taken';
      return oncePerName(sending, sha256, async () => {
        const added = await scope.add(`cas/${sha256}`, { file, size });
        if (added === 'added') bytes += size;
        return added;
      });
    },
    sentBytes: () => bytes,
  };
}
