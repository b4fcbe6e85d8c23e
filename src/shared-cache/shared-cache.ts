import type {
  OwnBuild,
  SharedBuild,
  SharedBuildContext,
  SharedBuilds,
  TakenPackages,
} from '../builder/shared-builds.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { oncePerName } from '../support/once.ts';
import { whyUnacceptable } from './acceptance.ts';
import type { Acceptance } from './acceptance.ts';
import { formatEntry, parseEntry, parseInputs, RefusedEntry } from './entry.ts';
import type { BuildEntry, Entry, ZipReference } from './entry.ts';
import { findEntry } from './find-entry.ts';
import type { GuardedScope } from './scopes/guarded-scope.ts';
import type { LocalMemory } from './local-memory.ts';
import { hasZip, stateOfZips } from './has-zips.ts';
import { platformOf } from './machine.ts';
import type { Maker } from './machine.ts';
import { createPatience } from './scopes/patience.ts';
import { fromShared, hashInputs, hashNamed, inputPlace, toRelative } from './shared-inputs.ts';
import { findImage, whyImageNeverShared } from './shared-images.ts';
import type { ImagePlaces, ImageToWrite } from './shared-images.ts';
import { packagesKey, staticKey, whyNeverShared } from './static-key.ts';
import type { CacheSummary } from './summary.ts';
import { takeBuild, takeZip } from './take-build.ts';
import type { TakeOptions } from './take-build.ts';

const FOREIGN_INPUTS = 'it names files that are outside the repository, cannot be read or are too many';

/** Entries of others decide which files are hashed: for so long at most, while no build is found (ms). */
const MOST_HASHING_MS = 60_000;
const SLOW_HASHING = 'Build cache: hashing what its entries name took a minute, and led to no build';

/** What the shared cache of a run consists of. */
export interface SharedCacheOptions {
  /** Read in this order; the first one is written. */
  scopes: readonly GuardedScope[];
  memory: LocalMemory;
  /** The key of signatures; undefined: entries need none. */
  secret: string | undefined;
  accept: Acceptance;
  /** The run adds what its places lack. */
  isWriting: boolean;
  /** This machine. */
  machine: Omit<Maker, 'tools' | 'image'>;
  reporter: Reporter;
}

/** A build of this run that may be written. */
export interface BuildToWrite {
  context: SharedBuildContext;
  own: OwnBuild;
}

/** The shared cache of a run. */
export interface SharedCache extends SharedBuilds {
  summary: CacheSummary;
  /** The builds of this machine, in order. */
  made: readonly BuildToWrite[];
  images: readonly ImageToWrite[];
  /** Where images are; undefined before `placeImages`: none is taken. */
  places(): ImagePlaces | undefined;
  placeImages(places: ImagePlaces): void;
  /** Keys of definitions, and of packages, that have an entry whose content could not be used. */
  untaken: ReadonlySet<string>;
  /** Those of which the content is not what the entry says: wherever it is taken, it is refused. */
  refused: ReadonlySet<string>;
  /** What the scopes have of the zips of a build: `wrong`: another content. */
  stateOfZips(entry: BuildEntry): Promise<'there' | 'missing' | 'wrong'>;
  /** Reads an entry from the scopes; `isNew`: not one that was read before. */
  readEntry(key: string, isNew?: boolean): Promise<Entry | undefined>;
}

/** Opens the shared cache. */
export function openSharedCache(options: SharedCacheOptions): SharedCache {
  const { scopes, memory, secret, reporter } = options;
  const names = scopes.map(({ name }) => name);
  const summary: CacheSummary = { hits: 0, taken: 0, misses: 0, packagesTaken: 0, fetchedBytes: 0, savedMs: 0 };
  const made: BuildToWrite[] = [];
  const images: ImageToWrite[] = [];
  let places: ImagePlaces | undefined;
  const reading = new Map<string, Promise<Entry | undefined>>();
  const checking = new Map<string, Promise<boolean>>();
  const asked = new Set<string>();
  const untaken = new Set<string>();
  const refused = new Set<string>();
  const warn = createWarnings(reporter);
  const hashing = createPatience(MOST_HASHING_MS);

  const parse = (json: string, key: string, from: string): Entry | undefined => {
    try {
      return parseEntry(json, key, secret);
    } catch (error) {
      if (!(error instanceof RefusedEntry)) throw error;
      return warn(`Build cache ${from}: an entry was refused, because ${error.message}`, 'Its builds are made here.');
    }
  };
  const readScopes = async (key: string): Promise<Entry | undefined> => {
    for (const scope of scopes) {
      const json = await scope.read(`ac/${key}`);
      const entry = json === undefined ? undefined : parse(json, key, scope.name);
      if (entry === undefined) continue;
      await memory.keepEntry(key, scope.name, formatEntry(entry, secret));
      return entry;
    }
    return undefined;
  };
  const readEntry: SharedCache['readEntry'] = (key, isNew = false) => {
    if (isNew) reading.delete(key);
    return oncePerName(reading, key, () => readScopes(key));
  };
  const readMemory = async (key: string): Promise<Entry | undefined> => {
    const json = await memory.readEntry(key, names);
    return json === undefined ? undefined : parse(json, key, 'of this machine');
  };

  /** Calls `work` if the options accept who made the entry, and reports what is wrong with its content. */
  const takeIfTrusted = async <T>(
    entry: BuildEntry,
    { context, what, key }: { context: SharedBuildContext; what: string; key: string },
    work: (foreignPlatform: string | undefined) => Promise<T | undefined>,
  ): Promise<T | undefined> => {
    const refusal = await whyUnacceptable(entry.madeBy, { ...options, tools: context.tools });
    if (refusal !== undefined)
      return warn(`Build cache: ${refusal}, which --build-cache-accept refuses`, 'Such builds are made here.');
    const theirs = platformOf(entry.madeBy);
    const isForeign = theirs !== platformOf({ ...options.machine, image: entry.madeBy.image });
    try {
      const taken = await work(isForeign ? theirs : undefined);
      if (taken && isForeign) warn(`Build cache: using builds that were made on ${theirs}`, undefined, 'info');
      return taken;
    } catch (error) {
      if (!(error instanceof RefusedEntry)) throw error;
      refused.add(key);
      return warn(`Build cache: ${what} was refused, because ${error.message}`, 'It is made here.');
    }
  };

  const isInScopes = (zip: ZipReference, worthMs: number): Promise<boolean> =>
    oncePerName(checking, zip.sha256, () => hasZip(zip, { scopes, worthMs }));
  /** What a writer has taken before is made again if its places lack it now. */
  const isThere: TakeOptions['isThere'] = async (...zip) => !options.isWriting || isInScopes(...zip);

  const take = (entry: BuildEntry, context: SharedBuildContext): Promise<SharedBuild | undefined> => {
    const what = `the build of ${context.definition.ids.join(', ')}`;
    return takeIfTrusted(entry, { context, what, key: context.definition.key }, async () => {
      const taken = await takeBuild(entry, { scopes, cache: context.cache, isThere });
      if (taken === undefined) return undefined;
      const { artifact, dependencyLayer, bytes } = taken;
      const isNew = !artifact.cached || dependencyLayer?.cached === false;
      if (isNew) summary.taken++;
      if (isNew) summary.savedMs += entry.durationMs;
      summary.fetchedBytes += bytes;
      return { artifact, dependencyLayer, inputs: [], isNew };
    });
  };

  const takePackages = (entry: BuildEntry, context: SharedBuildContext): Promise<TakenPackages | undefined> =>
    takeIfTrusted(entry, { context, what: 'an installation of packages', key: entry.key }, async (platform) => {
      const { code, durationMs } = entry;
      const { cache } = context;
      const taken = await takeZip('deps', code, { facts: {}, scopes, cache, isThere, worthMs: durationMs });
      if (taken === undefined) return undefined;
      if (taken.bytes > 0) {
        summary.packagesTaken++;
        summary.savedMs += durationMs;
        summary.fetchedBytes += taken.bytes;
      }
      return { entry: taken.entry, ms: durationMs, platform };
    });

  return {
    summary,
    made,
    images,
    places: () => places,
    placeImages: (given) => void (places = given),
    untaken,
    refused,
    readEntry,
    stateOfZips: (entry) => stateOfZips(entry, isInScopes),
    find: async (context) => {
      if (whyNeverShared(context) !== undefined) return undefined;
      const { definition, options: build, hasher } = context;
      const place = inputPlace(definition.codeDir, build.projectDir);
      const first = staticKey(context);
      const own = await memory.readOwn(first);
      const ownInputs = own && parseInputs(own.inputs);
      if (ownInputs && (await hashInputs(ownInputs, place, { hasher })) === own.hash) return undefined;
      // in a watch a changed build is most likely new
      const mayAsk = !asked.has(definition.key);
      asked.add(definition.key);
      const read = async (key: string): Promise<Entry | undefined> =>
        (await readMemory(key)) ?? (mayAsk ? readEntry(key) : undefined);
      const walk = await findEntry(first, read, async (inputs) =>
        hashing.isSpent() ? undefined : hashing.wait(() => hashNamed(inputs, place, hasher)),
      );
      if (walk.isRefused && hashing.isSpent()) warn(SLOW_HASHING, 'The rest is built here.');
      else if (walk.isRefused)
        warn(`Build cache: an entry was refused, because ${FOREIGN_INPUTS}`, 'Its builds are made here.');
      const found = walk.build && (await take(walk.build, context));
      if (walk.build && !found) untaken.add(definition.key);
      if (found === undefined) summary.misses += mayAsk ? 1 : 0;
      else summary.hits++;
      if (found) hashing.renew();
      return found && { ...found, inputs: fromShared(walk.inputs, place) };
    },
    findPackages: async (context, { key }) => {
      const name = packagesKey(context, key);
      const entry = (await readMemory(name)) ?? (await readEntry(name));
      if (entry?.kind !== 'build') return undefined;
      const taken = await takePackages(entry, context);
      if (taken === undefined) untaken.add(name);
      return taken;
    },
    add: async (context, build) => {
      if (whyNeverShared(context) === undefined) await rememberOwn(memory, context, build);
      made.push({ context, own: build });
    },
    findImage: async (context) => {
      if (places === undefined || whyImageNeverShared(context) !== undefined) return undefined;
      const mayAsk = !asked.has(context.definition.key);
      asked.add(context.definition.key);
      let isNew = false;
      const read = async (key: string): Promise<Entry | undefined> => {
        const known = await readMemory(key);
        isNew ||= known === undefined;
        return known ?? (mayAsk ? readEntry(key) : undefined);
      };
      const found = await findImage(context, { places, readEntry: read, warn });
      if (found === undefined) summary.misses += mayAsk ? 1 : 0;
      else summary.hits++;
      if (found && isNew) summary.taken++;
      if (found && isNew) summary.savedMs += found.durationMs;
      return found?.imageId;
    },
    addImage: (context, own) => void images.push({ context, own }),
  };
}

async function rememberOwn(memory: LocalMemory, context: SharedBuildContext, build: OwnBuild): Promise<void> {
  const { definition, options, hasher } = context;
  const place = inputPlace(definition.codeDir, options.projectDir);
  const decisive = 'inputs' in build.sharing ? build.sharing.inputs : build.inputs;
  const inputs = decisive.map((input) => toRelative(input, place));
  const hash = await hashInputs(inputs, place, { hasher });
  await memory.keepOwn(staticKey(context), { inputs: JSON.stringify(inputs), hash });
}

/** Others write what messages quote: platforms, versions, names in zips. */
function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}

type Warn = (text: string, hint?: string, level?: 'warning' | 'info') => undefined;

/** Reports each text once. */
function createWarnings(reporter: Reporter): Warn {
  const reported = new Set<string>();
  return (given, hint, level = 'warning') => {
    const text = withoutControls(given);
    if (!reported.has(text)) note(reporter, level, text, hint);
    reported.add(text);
    return undefined;
  };
}
