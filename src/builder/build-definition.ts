import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../errors.ts';
import { isMissing, makeFolder } from '../support/files.ts';
import { assertReadable } from '../support/regular-file.ts';
import { keyOf } from './build-key.ts';
import type { KeyPart } from './build-key.ts';
import { decisiveVariables } from './decisive-variables.ts';
import type { CacheEntry, WrittenEntry } from './cache/build-cache.ts';
import { linkTree, treeSize } from './file-tree.ts';
import type { BuildDefinition } from './plan-build.ts';
import type { SharedBuilds } from './shared-builds.ts';
import { layerFolder } from './workflows/select-workflow.ts';
import { takePackages } from './take-packages.ts';
import { SourceChangedError } from './workflows/workflow.ts';
import type { DependencySet, BuildOutput, PreparedBuild, Workflow, BuildContext } from './workflows/workflow.ts';

/** The result of building one definition. */
export interface DefinitionResult {
  artifact: CacheEntry;
  /** Installed packages that become a dependency layer. */
  dependencyLayer: CacheEntry | undefined;
  /** The installed packages, wherever they go. */
  installed: CacheEntry | undefined;
  /** Why there is no dependency layer although the definition wants one. */
  layerSkipped: LayerSkipReason | undefined;
  /** It was built just now, and its source did not change meanwhile. */
  isVerified: boolean;
  /** The key of the source that it was built from; undefined if that kept changing. */
  sourceKey: string | undefined;
}

/** Why packages stay with the code, and whether the user should know. */
interface LayerSkipReason {
  level: 'debug' | 'info';
  reason: string;
}

/** The largest size of a function with its layers, unzipped (Lambda quota: 250 MiB). */
const MAX_BYTES = 250 * 1024 * 1024;

/** A file that the build itself writes would repeat it forever. */
const MAX_TRIES = 3;

/** Finds the build in the cache, or installs its dependencies, builds it and stores it there. */
export async function buildDefinition(
  definition: BuildDefinition,
  prepared: PreparedBuild,
  how: { workflow: Workflow; context: BuildContext; sharedBuilds?: SharedBuilds | undefined },
): Promise<DefinitionResult> {
  const { dependencies } = prepared;
  const installed = dependencies && (await obtainDependencies(dependencies, { definition, ...how }));
  const layerSkipped = skipReason(prepared, installed);
  const job: ArtifactJob = {
    definition,
    prepared,
    installed,
    ...how,
    layerSkipped,
    isLastTry: false,
    isVerified: false,
    sourceKey: undefined,
  };
  const artifact = await untilUnchanged(definition, how.context, async (isLastTry) => {
    job.isLastTry = isLastTry;
    const built = await obtainArtifact(job);
    if (!hasLayer(job) || bytesOf(built) + bytesOf(installed) <= MAX_BYTES) return built;
    job.layerSkipped = { level: 'info', reason: "code and packages together exceed Lambda's limit of 250 MB" };
    return obtainArtifact(job);
  });
  await how.context.cache.keepNewest(definition.key, artifact.key);
  const dependencyLayer = hasLayer(job) ? installed : undefined;
  const { isVerified, sourceKey } = job;
  return { artifact, dependencyLayer, installed, layerSkipped: job.layerSkipped, isVerified, sourceKey };
}

/** Repeats a part of a build while its source changes; `work` learns which try is the last. */
export async function untilUnchanged<T>(
  { ids, codeDir }: BuildDefinition,
  { tools }: BuildContext,
  work: (isLastTry: boolean) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    tools.signal.throwIfAborted();
    try {
      return await work(tries === MAX_TRIES);
    } catch (error) {
      if (!(error instanceof SourceChangedError)) throw error;
      if (tries === MAX_TRIES) {
        throw new UserError(`The source of ${ids.join(', ')} keeps changing during the build`, {
          cause: error,
          hint: `Look for a program, or a build, that writes into ${codeDir}.`,
        });
      }
    }
  }
}

/** Throws if the code's folder is missing, or holds a named pipe or a device, which a tool might read forever. */
export async function assertCodeDir({ codeDir, ids }: BuildDefinition): Promise<void> {
  try {
    for (const item of readdirSync(codeDir, { withFileTypes: true }))
      if (!item.isSocket()) assertReadable(path.join(codeDir, item.name), item);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(`The code folder of ${ids.join(', ')} does not exist: ${codeDir}`, {
      hint: 'Correct CodeUri, ContentUri or Code in the template; relative paths start at the template or at --base-dir.',
    });
  }
}

async function obtainDependencies(
  dependencies: DependencySet,
  how: {
    definition: BuildDefinition;
    workflow: Workflow;
    context: BuildContext;
    sharedBuilds?: SharedBuilds | undefined;
  },
): Promise<CacheEntry> {
  const { workflow, context } = how;
  const key = keyOf(workflow.name, workflow.version, dependencies.key, ...environmentOf(workflow, context));
  const own = await context.cache.find('deps', key);
  const taken = own === undefined ? await takePackages(dependencies, how) : undefined;
  if (taken !== undefined) return taken;
  return context.cache.obtain('deps', key, async (content) => {
    const started = performance.now();
    const folder = path.join(content, dependencies.folder);
    await makeFolder(folder);
    await dependencies.install(folder);
    return { facts: { bytes: String(treeSize(folder)), ms: elapsed(started) } };
  });
}

function elapsed(started: number): string {
  return String(Math.round(performance.now() - started));
}

/** The environment that built it: variables that decide the result, and what it was if not this machine. */
function environmentOf({ name }: Workflow, { tools }: BuildContext): KeyPart[] {
  const variables = decisiveVariables(name, tools.env);
  return [...(tools.identity === undefined ? [] : [tools.identity]), ...(variables.length === 0 ? [] : [variables])];
}

/** Returns the size of an entry's files (bytes); 0 for entries of older versions, which did not count them. */
function bytesOf(entry: CacheEntry | undefined): number {
  return Number(entry?.facts['bytes'] ?? 0);
}

function skipReason(prepared: PreparedBuild, installed: CacheEntry | undefined): LayerSkipReason | undefined {
  if (installed === undefined || installed.facts['bytes'] === '0')
    return { level: 'debug', reason: 'there are no packages to put into it' };
  if (prepared.dependencies?.use === 'runtime') return undefined;
  return { level: 'debug', reason: 'its install scripts need source and packages together' };
}

interface ArtifactJob {
  layerSkipped: LayerSkipReason | undefined;
  /** The result counts even if the source changes meanwhile. */
  isLastTry: boolean;
  isVerified: boolean;
  sourceKey: string | undefined;
  definition: BuildDefinition;
  prepared: PreparedBuild;
  installed: CacheEntry | undefined;
  workflow: Workflow;
  context: BuildContext;
}

async function obtainArtifact(job: ArtifactJob): Promise<CacheEntry> {
  const { prepared, context } = job;
  const sourceKey = await prepared.sourceKey();
  job.sourceKey = sourceKey;
  if (sourceKey !== undefined)
    return context.cache.obtain('artifacts', artifactKey(job, sourceKey), (content) =>
      makeArtifact(job, content, sourceKey),
    );
  // a placeholder that no other build uses, until the key is known
  return context.cache.obtain('artifacts', keyOf('unknown', job.definition.key), (content) =>
    makeArtifact(job, content, undefined),
  );
}

/** Whether the installed packages become a dependency layer. */
function hasLayer({ definition, layerSkipped }: ArtifactJob): boolean {
  return definition.wantsDependencyLayer && layerSkipped === undefined;
}

function artifactKey(job: ArtifactJob, sourceKey: string): string {
  const { definition, installed, workflow } = job;
  const dependencies = hasLayer(job) ? undefined : installed?.key;
  const place = definition.kind === 'layer' ? layerFolder(workflow.name) : undefined;
  return keyOf(
    workflow.name,
    workflow.version,
    place,
    sourceKey,
    dependencies,
    ...environmentOf(workflow, job.context),
  );
}

async function makeArtifact(job: ArtifactJob, content: string, sourceKey: string | undefined): Promise<WrittenEntry> {
  const { definition, prepared, installed, workflow } = job;
  const started = performance.now();
  const isLayer = definition.kind === 'layer';
  const target = isLayer ? path.join(content, layerFolder(workflow.name)) : content;
  const packages = installed && prepared.dependencies && path.join(installed.path, prepared.dependencies.folder);
  if (packages && prepared.dependencies?.use === 'runtime' && !hasLayer(job)) {
    const { folder, inFunction = '' } = prepared.dependencies;
    await linkTree(packages, path.join(content, isLayer ? folder : inFunction));
  }
  const output = await makeUnlessChanged(prepared, sourceKey, () => prepared.make(target, packages));
  const builtKey = output.sourceKey ?? sourceKey;
  if (builtKey === undefined) throw new Error(`${workflow.name}: a build without a key`);
  const currentKey = await prepared.sourceKey();
  const isUnsettled = output.isUnsettled === true || (currentKey !== undefined && currentKey !== builtKey);
  if (isUnsettled && !job.isLastTry) throw new SourceChangedError();
  if (isUnsettled) noteUnsettled(job);
  // without a key of the source nothing can be compared
  job.isVerified = currentKey !== undefined && !isUnsettled;
  job.sourceKey = isUnsettled ? undefined : builtKey;
  const facts = {
    bytes: String(treeSize(content)),
    ms: elapsed(started),
    ...(output.handler === undefined ? {} : { handler: output.handler }),
    ...(output.sourceMaps ? { sourceMaps: true } : {}),
  };
  // no known source leads to this result
  const key = isUnsettled ? keyOf('content', await job.context.hasher.hashTree(content)) : builtKey;
  return { facts, key: artifactKey(job, key) };
}

/** Usually the build itself writes there, so building again does not help. */
function noteUnsettled({ definition, context }: ArtifactJob): void {
  const text = `the source keeps changing during the build, perhaps by the build itself: sam-sync uses the last result, and the next sync builds again (${definition.codeDir})`;
  context.note('warning', text);
}

/** Treats a file that is gone when it is read as a change of the source. */
async function makeUnlessChanged(
  prepared: PreparedBuild,
  sourceKey: string | undefined,
  work: () => Promise<BuildOutput>,
): Promise<BuildOutput> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error) && sourceKey !== undefined && (await prepared.sourceKey()) !== sourceKey)
      throw new SourceChangedError();
    throw error;
  }
}
