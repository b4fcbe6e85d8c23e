import * as path from 'node:path';
import { buildStoreDir } from '../builder/build-options.ts';
import { note } from '../console/reporter.ts';
import { UsageError } from '../errors.ts';
import { openFileScope } from '../shared-cache/scopes/file-scope.ts';
import { guardScope } from '../shared-cache/scopes/guarded-scope.ts';
import type { GuardedScope } from '../shared-cache/scopes/guarded-scope.ts';
import { forgetEntries, openLocalMemory } from '../shared-cache/local-memory.ts';
import type { LocalMemory } from '../shared-cache/local-memory.ts';
import { parseLocation } from '../shared-cache/scopes/location.ts';
import { currentLibc } from '../shared-cache/machine.ts';
import { openS3Scope } from '../shared-cache/scopes/s3-scope.ts';
import type { CacheScope } from '../shared-cache/scopes/scope.ts';
import { openSharedCache } from '../shared-cache/shared-cache.ts';
import type { SharedCache } from '../shared-cache/shared-cache.ts';
import { describeSummary } from '../shared-cache/summary.ts';
import type { CacheSummary, WrittenBuilds } from '../shared-cache/summary.ts';
import { addToUseCounts } from '../shared-cache/use-counts.ts';
import { writeBuilds } from '../shared-cache/write-builds.ts';
import type { WriteOptions } from '../shared-cache/write-builds.ts';
import { writeImages } from '../shared-cache/write-images.ts';
import type { SyncRun } from './sync-run.ts';

/** The builds that this run shares with other machines. */
export interface RunSharedBuilds {
  builds: NonNullable<SyncRun['sharedBuilds']>;
  /** Writes what is to be written, and reports. Returns the document's part for `--output json`. */
  finish(): Promise<CacheSummary & Partial<WrittenBuilds>>;
}

/** Opens the build caches of the options; undefined if there are none. Sends no request. */
export function openSharedBuilds(run: SyncRun): RunSharedBuilds | undefined {
  const { options, environment } = run;
  if (options.buildCache.length === 0) return undefined;
  const isWriting = options.buildCacheWrite && !options.dryRun && !options.watch;
  const { cache, settings, storeDir, memory } = openCache(run, { isWriting });
  return {
    builds: cache,
    finish: async () => {
      await memory.save();
      const written = isWriting ? await writeAll(cache, settings) : undefined;
      const text = describeSummary(cache.summary, written);
      if (text !== undefined) note(environment.reporter, 'info', text);
      if (!options.dryRun) await addToUseCounts(memoryDir(storeDir), cache.summary);
      return { ...cache.summary, ...written };
    },
  };
}

async function writeAll(cache: SharedCache, settings: WriteOptions): Promise<WrittenBuilds> {
  return addWritten(await writeBuilds(cache, settings), await writeImages(cache, settings));
}

/** Adds what was written of images. */
export function addWritten(
  builds: WrittenBuilds,
  images: Pick<WrittenBuilds, 'written' | 'present' | 'failed' | 'notShared'>,
): WrittenBuilds {
  return {
    ...builds,
    written: builds.written + images.written,
    present: builds.present + images.present,
    failed: builds.failed + images.failed,
    notShared: { ...builds.notShared, ...images.notShared },
  };
}

/** The cache of a run, and what writing to its first place takes. */
export interface OpenedCache {
  cache: SharedCache;
  scopes: readonly GuardedScope[];
  settings: WriteOptions;
  storeDir: string;
  /** To be saved at the end. */
  memory: LocalMemory;
}

/**
 * Opens the build caches of the options, of which there is at least one. `isWriting`: the run adds what they lack, whatever they had
 * in earlier runs.
 */
export function openCache(run: SyncRun, { isWriting }: { isWriting: boolean }): OpenedCache {
  const { options, environment } = run;
  const { reporter, signal, env, version } = environment;
  const storeDir = buildStoreDir(options.projectDir);
  const guard = { reporter, signal, timeoutMs: readTimeout(env['SAM_BUILD_CACHE_TIMEOUT']) };
  const scopes = openScopes(run).map((scope) => guardScope(scope, guard));
  const [first] = scopes as [GuardedScope];
  const machine = { version, platform: process.platform, architecture: process.arch, libc: currentLibc() };
  const shared = { secret: env['SAM_BUILD_CACHE_KEY'] || undefined, machine, reporter };
  const kept = openLocalMemory(memoryDir(storeDir));
  const memory = isWriting ? forgetEntries(kept) : kept;
  const cache = openSharedCache({ ...shared, scopes, memory, isWriting, accept: options.buildCacheAccept });
  return { cache, scopes, storeDir, memory, settings: { ...shared, scope: first, storeDir, signal } };
}

/** Returns the folder of what a project learned of shared caches. */
export function memoryDir(storeDir: string): string {
  return path.join(storeDir, 'shared');
}

/** Opens the places of `--build-cache`, in order. */
export function openScopes({ options, aws }: Pick<SyncRun, 'options' | 'aws'>): CacheScope[] {
  return options.buildCache.map((name) => {
    const location = parseLocation(name, options.projectDir);
    return location.kind === 'file' ? openFileScope(name, location.folder) : openS3Scope(aws, name, location);
  });
}

/** How long to wait for a cache (ms). */
const TIMEOUT = 5_000;

function readTimeout(seconds: string | undefined): number {
  if (seconds === undefined || seconds === '') return TIMEOUT;
  const ms = Number(seconds) * 1000;
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw new UsageError(`SAM_BUILD_CACHE_TIMEOUT: \`${seconds}\` is not a number of seconds`);
}
