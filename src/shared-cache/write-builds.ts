import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { createArtifactStore } from '../package/artifact-store.ts';
import type { ArtifactStore } from '../package/artifact-store.ts';
import type { CacheEntry } from '../builder/cache/build-cache.ts';
import { mapLimit } from '../support/map-limit.ts';
import { formatEntry } from './entry.ts';
import type { BuildEntry, Entry, ZipReference } from './entry.ts';
import { findEntry, nextKey } from './find-entry.ts';
import type { EntryWalk } from './find-entry.ts';
import type { GuardedScope } from './guarded-scope.ts';
import { toolVersions } from './machine.ts';
import type { BuildToWrite, SharedCache, SharedCacheOptions } from './shared-cache.ts';
import { hashInputs, inputPlace, toShared } from './shared-inputs.ts';
import type { SharedInput } from './shared-inputs.ts';
import { staticKey, whyNeverShared } from './static-key.ts';
import type { WrittenBuilds } from './summary.ts';

/** What writing takes. */
export interface WriteOptions extends Pick<SharedCacheOptions, 'secret' | 'machine' | 'reporter'> {
  scope: GuardedScope;
  /** The local build cache. Absolute. */
  storeDir: string;
  signal: AbortSignal;
}

const WRITES_AT_ONCE = 8;

/** Adds the builds of this run to a scope, as far as the project's files decide them. */
export async function writeBuilds(cache: SharedCache, options: WriteOptions): Promise<WrittenBuilds> {
  const zips = openZips(options);
  const result = { written: 0, writtenBytes: 0, present: 0, notShared: {} as Record<string, string> };
  try {
    await mapLimit(cache.made, WRITES_AT_ONCE, async (build) => {
      const outcome = await writeBuild(build, { cache, zips, ...options });
      if (outcome === undefined) return;
      if ('reason' in outcome) result.notShared[build.context.definition.ids.join(', ')] = outcome.reason;
      else if (outcome.added) result.written++;
      else result.present++;
      if ('bytes' in outcome) result.writtenBytes += outcome.bytes;
    });
  } finally {
    await zips.dispose();
  }
  reportNotShared(options.reporter, result.notShared);
  return result;
}

/** The zips of the run itself are stored beside the builds; only missing ones are made. */
function openZips({ storeDir, signal, reporter }: WriteOptions): ArtifactStore {
  const objects = { has: async () => false, ensure: async () => {}, sent: { objects: 0, bytes: 0 } };
  return createArtifactStore({ objects, bucket: '', prefix: undefined, storeDir, signal, reporter });
}

interface Writing extends WriteOptions {
  cache: SharedCache;
  zips: ArtifactStore;
}

type Outcome = { reason: string } | { added: boolean; bytes: number } | undefined;

async function writeBuild({ context, own }: BuildToWrite, writing: Writing): Promise<Outcome> {
  const { definition, options, hasher } = context;
  const never = whyNeverShared(context);
  if (never !== undefined) return { reason: never };
  if ('reason' in own.sharing) return own.sharing;
  const place = inputPlace(definition.codeDir, options.projectDir);
  const inputs = toShared(own.sharing.inputs, place);
  if ('reason' in inputs) return inputs;
  const hash = (some: readonly SharedInput[]): Promise<string> => hashInputs(some, place, hasher);
  const first = staticKey(context);
  const walk = await findEntry(first, writing.cache.readEntry, hash);
  const { artifact, dependencyLayer } = own;
  const { zips, scope, machine, cache } = writing;
  if (walk.build && !cache.untaken.has(definition.key)) return { added: false, bytes: 0 };
  const [code, dependencies] = await Promise.all([
    zipOf(zips, artifact),
    dependencyLayer && zipOf(zips, dependencyLayer),
  ]);
  const describe = async (key: string): Promise<BuildEntry> => ({
    kind: 'build',
    key,
    code: code.reference,
    ...(dependencies ? { dependencies: dependencies.reference } : {}),
    facts: factsOf(artifact),
    madeBy: {
      ...machine,
      image: definition.container?.image,
      tools: definition.container ? {} : await toolVersions(context.tools, own.programs),
    },
    durationMs: Math.round(own.ms),
    createdAt: new Date().toISOString(),
  });
  let bytes = 0;
  for (const zip of dependencies ? [code, dependencies] : [code]) {
    const { sha256, size } = zip.reference;
    // an expired zip comes back, if the entry is for the same bytes
    if (walk.build && ![walk.build.code, walk.build.dependencies].some((theirs) => theirs?.sha256 === sha256)) continue;
    const added = await scope.add(`cas/${sha256}`, { file: zip.file, size });
    if (added === undefined) return undefined;
    if (added === 'added') bytes += size;
  }
  const added = await addEntries({ walk, inputs, first, hash, describe, isCurrent: own.isCurrent }, writing);
  return added === undefined ? undefined : { added, bytes };
}

interface NewEntries {
  walk: EntryWalk;
  inputs: readonly SharedInput[];
  first: string;
  hash(inputs: readonly SharedInput[]): Promise<string>;
  describe(key: string): Promise<BuildEntry>;
  isCurrent(): Promise<boolean>;
}

/** Two machines may add different next steps at once: the slower one goes on from the other's. */
const MOST_TRIES = 8;

/** Adds the build's entry, and before it the one that names its inputs. Returns whether it was added; undefined if nothing was. */
async function addEntries(entries: NewEntries, writing: Writing): Promise<boolean | undefined> {
  const { inputs, first, hash, describe, isCurrent } = entries;
  const { scope, secret, cache } = writing;
  const put = (entry: Entry): ReturnType<GuardedScope['add']> =>
    scope.add(`ac/${entry.key}`, { text: formatEntry(entry, secret) });
  let { walk } = entries;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (walk.build) return false;
    const known = new Set(walk.inputs.map((input) => JSON.stringify(input)));
    const isComplete = inputs.every((input) => known.has(JSON.stringify(input)));
    const contentHash = isComplete ? undefined : await hash(inputs);
    const entry = isComplete ? await describe(walk.key) : ({ kind: 'inputs', key: walk.key, inputs } as const);
    // after the hashes: files saved since the build are in them, and not in the build
    if (!(await isCurrent())) return undefined;
    const added = await put(entry);
    if (added === undefined) return undefined;
    if (entry.kind === 'build') return added === 'added';
    walk =
      added === 'added' && contentHash !== undefined
        ? { key: nextKey(walk.key, contentHash), build: undefined, inputs: [...walk.inputs, ...inputs] }
        : await findEntry(first, (key) => cache.readEntry(key, true), hash);
  }
  return undefined;
}

async function zipOf(zips: ArtifactStore, { path }: CacheEntry): Promise<{ reference: ZipReference; file: string }> {
  const { path: file, size, sha256 } = await zips.zip({ kind: 'zip', path, label: 'build cache' });
  return { reference: { sha256: Buffer.from(sha256, 'base64').toString('hex'), size }, file };
}

function factsOf({ facts }: CacheEntry): BuildEntry['facts'] {
  const { bytes: _bytes, ms: _ms, ...others } = facts;
  return others;
}

/** One line for each reason: a hundred functions may have the same. */
function reportNotShared(reporter: Reporter, notShared: WrittenBuilds['notShared']): void {
  const byReason = new Map<string, string[]>();
  for (const [ids, reason] of Object.entries(notShared)) byReason.set(reason, [...(byReason.get(reason) ?? []), ids]);
  for (const [reason, ids] of byReason) note(reporter, 'info', `${ids.join(', ')}: not shared, because ${reason}`);
}
