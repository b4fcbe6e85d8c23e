import * as path from 'node:path';
import { buildStoreDir } from '../../builder/build-options.ts';
import { openBuilder } from '../../builder/build.ts';
import type { BuildOutcome } from '../../builder/build.ts';
import { openSourceHasher } from '../../builder/cache/source-hash.ts';
import { planBuild } from '../../builder/plan-build.ts';
import type { BuildDefinition, BuildPlan } from '../../builder/plan-build.ts';
import type { SharedBuilds } from '../../builder/shared-builds.ts';
import { loadWorkflow } from '../../builder/workflows/load-workflow.ts';
import { note } from '../../console/reporter.ts';
import { BuildError, UsageError } from '../../errors.ts';
import { formatEntry } from '../../shared-cache/entry.ts';
import { isInCache, shareKey } from '../../shared-cache/missing-builds.ts';
import type { Lookup } from '../../shared-cache/missing-builds.ts';
import { whyNeverShared } from '../../shared-cache/static-key.ts';
import { describeFill } from '../../shared-cache/summary.ts';
import type { WrittenBuilds } from '../../shared-cache/summary.ts';
import { openBuildWriter } from '../../shared-cache/write-builds.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { buildOptionsOf } from '../build-options-of.ts';
import { addWritten, openCache } from '../open-shared-builds.ts';
import type { OpenedCache } from '../open-shared-builds.ts';
import { readTemplatesAsDeployed } from '../read-templates.ts';
import type { SyncReport, SyncRun } from '../sync-run.ts';
import type { Shard } from './cache-task.ts';
import { findImagesOf, listImages, pushAndAdd } from './fill-images.ts';
import type { ImageCandidate } from './fill-images.ts';
import { orderSlowestFirst, selectShare } from './select-share.ts';
import type { Candidate } from './select-share.ts';

const LOOKUPS_AT_ONCE = 32;

/** A build that the cache may lack. */
interface FillCandidate extends Candidate {
  definition: BuildDefinition;
  lookup: Lookup;
}

/** Builds what the caches lack, or a share of it, and adds each build as soon as it is made. Deploys nothing. */
export async function fillCache(run: SyncRun, shard: Shard | undefined): Promise<SyncReport> {
  const { reporter } = run.environment;
  if (run.options.buildCache.length === 0)
    throw new UsageError('sam-sync cache fill needs --build-cache', {
      hint: 'For example: sam-sync cache fill --build-cache s3://my-builds/app',
    });
  // only its name may matter, to a template that computes paths with it
  const region = await run.aws.region().catch(() => 'us-east-1');
  const root = await readTemplatesAsDeployed(run, { region, stack: async () => undefined });
  const options = buildOptionsOf(run);
  const plan = planBuild(root, options);
  const opened = openCache(run, { isWriting: true });
  const images = listImages(plan.images, run, root);
  findImagesOf(images, run, opened);
  const candidates = [...(await listCandidates(plan.definitions, run)), ...images.candidates];
  const share = shard === undefined ? candidates : selectShare(candidates, shard);
  const missing = await findMissing(share.filter(isCode), opened);
  const definitions = missing.map(({ definition }) => definition);
  const wanted = share.flatMap((one) => (isCode(one) ? [] : [one.definition]));
  const toBuild = { ...plan, definitions, images: wanted, checks: [] };
  const { result, failures, written: code } = await buildAndAdd(toBuild, run, opened);
  for (const { level, ids, text } of result.notes) note(reporter, level, `${ids.join(', ')}: ${text}`);
  const written = addWritten(code, await pushAndAdd(result, images, run, opened));
  const known = share.filter(isCode).length - missing.length + wanted.length - opened.cache.images.length;
  const present = known + written.present;
  const hasFailed = failures.length + written.failed > 0;
  note(
    reporter,
    hasFailed ? 'warning' : 'success',
    describeFill(opened.cache.summary, written, [present, share.length]),
  );
  if (failures.length > 0) throw new BuildError(failures);
  const document = {
    status: hasFailed ? 'failed' : 'filled',
    ...(shard ? { shard: `${shard.index}/${shard.count}` } : {}),
    builds: share.length,
    ...written,
    present,
  };
  return { document, exitCode: hasFailed ? 1 : 0 };
}

function isCode(candidate: FillCandidate | ImageCandidate): candidate is FillCandidate {
  return 'lookup' in candidate;
}

/** Builds, and adds each build as soon as it is made: what a run has made is not lost if it dies. */
async function buildAndAdd(
  plan: BuildPlan,
  run: SyncRun,
  opened: OpenedCache,
): Promise<Pick<BuildOutcome, 'result' | 'failures'> & { written: WrittenBuilds }> {
  const { reporter, signal } = run.environment;
  const { cache, settings, memory } = opened;
  const writer = openBuildWriter(cache, settings);
  const add: SharedBuilds['add'] = async (context, own) => {
    await cache.add(context, own);
    await writer.write({ context, own });
    await keepDuration(context, own.ms, opened);
  };
  const builder = openBuilder({ reporter, signal, options: buildOptionsOf(run), sharedBuilds: { ...cache, add } });
  try {
    const { result, failures, release } = await builder.build(plan);
    release();
    return { result, failures, written: await writer.close() };
  } catch (error) {
    await writer.close();
    throw error;
  } finally {
    await memory.save();
  }
}

/** Returns the builds that may be shared. The others are not worth building. */
async function listCandidates(definitions: readonly BuildDefinition[], run: SyncRun): Promise<FillCandidate[]> {
  const { reporter } = run.environment;
  const options = buildOptionsOf(run);
  const hasher = openSourceHasher(path.join(buildStoreDir(options.projectDir), 'source-index.json'));
  const candidates: FillCandidate[] = [];
  for (const definition of definitions) {
    if (definition.workflow === undefined) continue;
    const never = whyNeverShared({ definition, options });
    if (never === undefined) {
      const lookup = { definition, workflow: await loadWorkflow(definition), options, hasher };
      candidates.push({ definition, lookup, key: shareKey(lookup) });
    } else note(reporter, 'info', `${definition.ids.join(', ')}: not built, because it is not shared: ${never}`);
  }
  return candidates;
}

/** Returns what no cache has, the slowest builds first. */
async function findMissing(candidates: readonly FillCandidate[], { cache }: OpenedCache): Promise<FillCandidate[]> {
  const looked = await mapLimit(candidates, LOOKUPS_AT_ONCE, async (candidate) => {
    if (await isInCache(candidate.lookup, cache)) return undefined;
    const entry = await cache.readEntry(candidate.key);
    return { candidate, durationMs: entry?.kind === 'duration' ? entry.durationMs : undefined };
  });
  return orderSlowestFirst(looked.filter((one) => one !== undefined)).map(({ candidate }) => candidate);
}

async function keepDuration(lookup: Lookup, ms: number, { cache, settings }: OpenedCache): Promise<void> {
  const key = shareKey(lookup);
  if ((await cache.readEntry(key)) !== undefined) return;
  const { scope, secret } = settings;
  await scope.add(`ac/${key}`, { text: formatEntry({ kind: 'duration', key, durationMs: Math.round(ms) }, secret) });
}
