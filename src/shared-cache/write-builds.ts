import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { createArtifactStore } from '../package/artifact-store.ts';
import type { ArtifactStore } from '../package/artifact-store.ts';
import type { OwnPackages } from '../builder/shared-builds.ts';
import type { CacheEntry } from '../builder/cache/build-cache.ts';
import { mapLimit } from '../support/map-limit.ts';
import { formatEntry } from './entry.ts';
import type { BuildEntry, Entry } from './entry.ts';
import { findEntry, nextKey } from './find-entry.ts';
import type { EntryWalk } from './find-entry.ts';
import type { GuardedScope } from './scopes/guarded-scope.ts';
import { toolVersions } from './machine.ts';
import type { BuildToWrite, SharedCache, SharedCacheOptions } from './shared-cache.ts';
import { hashNamed, inputPlace, toShared } from './shared-inputs.ts';
import type { SharedInput } from './shared-inputs.ts';
import { packagesKey, staticKey, whyNeverShared } from './static-key.ts';
import type { WrittenBuilds } from './summary.ts';
import { createZipWriter } from './zip-writer.ts';
import type { ZipWriter } from './zip-writer.ts';

/** What writing takes. */
export interface WriteOptions extends Pick<SharedCacheOptions, 'secret' | 'machine' | 'reporter'> {
  scope: GuardedScope;
  /** The local build cache. Absolute. */
  storeDir: string;
  signal: AbortSignal;
}

const WRITES_AT_ONCE = 8;

/** Adds the builds of a run to a scope. */
export interface BuildWriter {
  /** Adds a build, as far as the project's files decide it, and its packages. */
  write(build: BuildToWrite): Promise<void>;
  /** Reports what was not shared, and ends. */
  close(): Promise<WrittenBuilds>;
}

/** Opens a writer. */
export function openBuildWriter(cache: SharedCache, options: WriteOptions): BuildWriter {
  const store = openZips(options);
  const zips = createZipWriter(store, options.scope);
  const writing = { cache, zips, blocked: new Set<string>(), ...options };
  const result = { written: 0, packagesWritten: 0, present: 0, failed: 0, notShared: {} as Record<string, string> };
  const packages = new Set<string>();
  return {
    write: async (build) => {
      const outcome = await writeBuild(build, writing);
      if (outcome === undefined) return void result.failed++;
      if ('reason' in outcome) result.notShared[build.context.definition.ids.join(', ')] = outcome.reason;
      else if (outcome.added) result.written++;
      else result.present++;
      const own = ownPackages(build);
      if (own === undefined || packages.has(own.key)) return;
      packages.add(own.key);
      if (await writePackages(build, own, writing)) result.packagesWritten++;
    },
    close: async () => {
      await store.dispose();
      reportNotShared(options.reporter, result.notShared);
      reportBlocked(writing);
      return { ...result, writtenBytes: zips.sentBytes() };
    },
  };
}

/** Adds all builds of this run. */
export async function writeBuilds(cache: SharedCache, options: WriteOptions): Promise<WrittenBuilds> {
  const writer = openBuildWriter(cache, options);
  try {
    await mapLimit(cache.made, WRITES_AT_ONCE, (build) => writer.write(build));
  } catch (error) {
    await writer.close();
    throw error;
  }
  return writer.close();
}

/** The zips of the run itself are stored beside the builds; only missing ones are made. */
function openZips({ storeDir, signal, reporter }: WriteOptions): ArtifactStore {
  const objects = { has: async () => false, ensure: async () => {}, sent: { objects: 0, bytes: 0 } };
  return createArtifactStore({ objects, bucket: '', prefix: undefined, storeDir, signal, reporter });
}

interface Writing extends WriteOptions {
  cache: SharedCache;
  zips: ZipWriter;
  /** Keys of entries that are refused here, or lead to content that is. */
  blocked: Set<string>;
}

type Outcome = { reason: string } | { added: boolean } | undefined;

async function writeBuild({ context, own }: BuildToWrite, writing: Writing): Promise<Outcome> {
  const { definition, options, hasher } = context;
  const never = whyNeverShared(context);
  if (never !== undefined) return { reason: never };
  if ('reason' in own.sharing) return own.sharing;
  const place = inputPlace(definition.codeDir, options.projectDir);
  const inputs = toShared(own.sharing.inputs, place);
  if ('reason' in inputs) return inputs;
  const hash: NewEntries['hash'] = (some) => hashNamed(some, place, hasher);
  const first = staticKey(context);
  const walk = await findEntry(first, writing.cache.readEntry, hash);
  const { artifact, dependencyLayer } = own;
  const { zips, cache } = writing;
  const state = walk.build && (await cache.stateOfZips(walk.build));
  if (state === 'there' && !cache.untaken.has(definition.key)) return { added: false };
  const [code, dependencies] = await Promise.all([zips.zip(artifact), dependencyLayer && zips.zip(dependencyLayer)]);
  const describe = async (key: string): Promise<BuildEntry> => ({
    ...(await describeMaker({ context, own }, writing)),
    kind: 'build',
    key,
    code: code.reference,
    ...(dependencies ? { dependencies: dependencies.reference } : {}),
    facts: factsOf(artifact),
    durationMs: Math.round(own.ms),
  });
  let isRepaired = false;
  for (const zip of dependencies ? [code, dependencies] : [code]) {
    const sent = await zips.send(zip, walk.build);
    if (sent === undefined) return undefined;
    isRepaired ||= sent === 'added';
  }
  if (walk.build && (state === 'wrong' || cache.refused.has(definition.key)) && !isRepaired) {
    writing.blocked.add(walk.key);
    return undefined;
  }
  const added = await addEntries({ walk, inputs, first, hash, describe, isCurrent: own.isCurrent }, writing);
  return added === undefined ? undefined : { added };
}

/** Returns the packages of a build that may be shared, with their key in the cache. */
function ownPackages({ context, own: { packages } }: BuildToWrite): OwnPackages | undefined {
  if (packages === undefined || 'reason' in packages) return undefined;
  return { ...packages, key: packagesKey(context, packages.key) };
}

/** Adds packages on their own, for builds with other code. Returns whether they were added. */
async function writePackages(build: BuildToWrite, { entry, key }: OwnPackages, writing: Writing): Promise<boolean> {
  const { zips, cache, scope, secret } = writing;
  const known = await cache.readEntry(key);
  const isThere = known?.kind === 'build' && (await cache.stateOfZips(known)) === 'there';
  if (isThere && !cache.untaken.has(key)) return false;
  const zip = await zips.zip(entry);
  const sent = await zips.send(zip, known?.kind === 'build' ? known : undefined);
  if (sent === undefined || known !== undefined) return false;
  const described: BuildEntry = {
    ...(await describeMaker(build, writing)),
    kind: 'build',
    key,
    code: zip.reference,
    facts: {},
    durationMs: Number(entry.facts['ms'] ?? 0),
  };
  // after everything was read: manifests saved since the installation are in the key, and not in the packages
  if (!(await build.own.isCurrent())) return false;
  return (await scope.add(`ac/${key}`, { text: formatEntry(described, secret) })) === 'added';
}

async function describeMaker(
  { context: { definition, tools }, own }: BuildToWrite,
  { machine }: Writing,
): Promise<Pick<BuildEntry, 'madeBy' | 'createdAt'>> {
  const image = definition.container?.image;
  const versions = image === undefined ? await toolVersions(tools, own.programs) : {};
  return { madeBy: { ...machine, image, tools: versions }, createdAt: new Date().toISOString() };
}

interface NewEntries {
  walk: EntryWalk;
  inputs: readonly SharedInput[];
  first: string;
  hash(inputs: readonly SharedInput[]): Promise<string | undefined>;
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
  writing.blocked.add(walk.key);
  return undefined;
}

const MOST_NAMED = 3;

function reportBlocked({ reporter, scope, blocked }: Pick<Writing, 'reporter' | 'scope' | 'blocked'>): void {
  if (blocked.size === 0) return;
  const names = [...blocked].slice(0, MOST_NAMED).map((key) => `ac/${key}`);
  const others = blocked.size > MOST_NAMED ? ` and ${blocked.size - MOST_NAMED} others` : '';
  note(
    reporter,
    'warning',
    `Build cache ${scope.name}: some builds cannot be added, because entries that are refused here have their names: ${names.join(', ')}${others}`,
    'Nothing is replaced. Remove them (sam-sync cache prune --refused --build-cache-write), or write to another prefix, for example after a change of SAM_BUILD_CACHE_KEY.',
  );
}

function factsOf({ facts }: CacheEntry): BuildEntry['facts'] {
  const { bytes: _bytes, ms: _ms, ...others } = facts;
  return others;
}

/** Reports why builds are not shared, one line for each reason: a hundred functions may have the same. */
export function reportNotShared(reporter: Reporter, notShared: WrittenBuilds['notShared']): void {
  const byReason = new Map<string, string[]>();
  for (const [ids, reason] of Object.entries(notShared)) byReason.set(reason, [...(byReason.get(reason) ?? []), ids]);
  for (const [reason, ids] of byReason) note(reporter, 'info', `${ids.join(', ')}: not shared, because ${reason}`);
}
