import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../errors.ts';
import { isMissing, makeFolder, statIfExists } from '../support/files.ts';
import { assertReadable } from '../support/regular-file.ts';
import { keyOf } from './build-key.ts';
import type { CacheEntry, WrittenEntry } from './cache/build-cache.ts';
import { linkTree, treeSize } from './file-tree.ts';
import type { BuildDefinition } from './plan-build.ts';
import { layerFolder } from './workflows/select-workflow.ts';
import { SourceChangedError } from './workflows/workflow.ts';
import type { DependencySet, BuildOutput, PreparedBuild, Workflow, BuildContext } from './workflows/workflow.ts';

/** What one build gave. */
export interface DefinitionResult {
  artifact: CacheEntry;
  /** Installed packages that are to be a layer of their own. */
  dependencyLayer: CacheEntry | undefined;
  /** Why they are not, where that was asked for. */
  notApart: Apartness | undefined;
  /** It was made just now, and its source was the same at the end. */
  isVerified: boolean;
}

/** Whether packages stay with the code although a layer was asked for, and whether that is news. */
interface Apartness {
  level: 'debug' | 'info';
  why: string;
}

/** A function and its layers may not be larger than this, unzipped (Lambda quota: 250 MiB). */
const MAX_BYTES = 250 * 1024 * 1024;

/** A file that is written again and again, e.g. by the build itself, would repeat it forever. */
const MAX_TRIES = 3;

/** Looks the build up in the cache, or installs its dependencies, makes it and puts it there. */
export async function buildDefinition(
  definition: BuildDefinition,
  prepared: PreparedBuild,
  how: { workflow: Workflow; context: BuildContext },
): Promise<DefinitionResult> {
  const { dependencies } = prepared;
  const installed = dependencies && (await obtainDependencies(dependencies, how));
  const notApart = whyNotApart(prepared, installed);
  const job: ArtifactJob = { definition, prepared, installed, ...how, notApart, isLastTry: false, isVerified: false };
  const artifact = await untilUnchanged(definition, how.context, async (isLastTry) => {
    job.isLastTry = isLastTry;
    const made = await obtainArtifact(job);
    if (!isApart(job) || bytesOf(made) + bytesOf(installed) <= MAX_BYTES) return made;
    job.notApart = { level: 'info', why: 'code and packages have more than the 250 MB that Lambda takes' };
    return obtainArtifact(job);
  });
  await how.context.cache.keepNewest(definition.key, artifact.key);
  const { isVerified } = job;
  return { artifact, dependencyLayer: isApart(job) ? installed : undefined, notApart: job.notApart, isVerified };
}

/** Does a part of a build again while files are saved under it; `work` hears when it is the last time. */
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
        throw new UserError(`The source of ${ids.join(', ')} keeps changing while it is built`, {
          cause: error,
          hint: `Look for a program that writes into ${codeDir}, or for a build that does so itself.`,
        });
      }
    }
  }
}

/** Throws if the code's folder is missing, or holds a named pipe or a device: a tool that takes it for a manifest would wait forever. */
export async function assertCodeDir(definition: BuildDefinition): Promise<void> {
  const { codeDir } = definition;
  const stat = await statIfExists(codeDir);
  if (stat?.isDirectory()) {
    for (const item of readdirSync(codeDir, { withFileTypes: true }))
      if (!item.isSocket()) assertReadable(path.join(codeDir, item.name), item);
    return;
  }
  throw new UserError(`The code of ${definition.ids.join(', ')} is not there: ${definition.codeDir}`, {
    hint: 'Correct CodeUri, ContentUri or Code in the template; relative paths start at the template or at --base-dir.',
  });
}

async function obtainDependencies(
  dependencies: DependencySet,
  { workflow, context }: { workflow: Workflow; context: BuildContext },
): Promise<CacheEntry> {
  const key = keyOf(workflow.name, workflow.version, dependencies.key, ...madeWith(context));
  return context.cache.obtain('deps', key, async (content) => {
    const folder = path.join(content, dependencies.folder);
    await makeFolder(folder);
    await dependencies.install(folder);
    return { facts: { bytes: String(await treeSize(folder)) } };
  });
}

/** What made it, if that was not this machine. */
function madeWith({ tools }: BuildContext): string[] {
  return tools.identity === undefined ? [] : [tools.identity];
}

/** Bytes of an entry's files; 0 for one that an older version made, which did not count them. */
function bytesOf(entry: CacheEntry | undefined): number {
  return Number(entry?.facts['bytes'] ?? 0);
}

function whyNotApart(prepared: PreparedBuild, installed: CacheEntry | undefined): Apartness | undefined {
  if (installed === undefined || installed.facts['bytes'] === '0')
    return { level: 'debug', why: 'nothing to put into it' };
  if (prepared.dependencies?.use === 'runtime') return undefined;
  return { level: 'debug', why: 'scripts of its own need source and packages together' };
}

interface ArtifactJob {
  notApart: Apartness | undefined;
  /** What is made now is taken, even if its source changes meanwhile. */
  isLastTry: boolean;
  isVerified: boolean;
  definition: BuildDefinition;
  prepared: PreparedBuild;
  installed: CacheEntry | undefined;
  workflow: Workflow;
  context: BuildContext;
}

async function obtainArtifact(job: ArtifactJob): Promise<CacheEntry> {
  const { prepared, context } = job;
  const sourceKey = await prepared.sourceKey();
  if (sourceKey !== undefined)
    return context.cache.obtain('artifacts', artifactKey(job, sourceKey), (content) => make(job, content, sourceKey));
  // a name that no other build has, until its own is known
  return context.cache.obtain('artifacts', keyOf('unknown', job.definition.key), (content) =>
    make(job, content, undefined),
  );
}

/** Whether the installed packages become a layer of their own. */
function isApart({ definition, notApart }: ArtifactJob): boolean {
  return definition.wantsDependencyLayer && notApart === undefined;
}

function artifactKey(job: ArtifactJob, sourceKey: string): string {
  const { definition, installed, workflow } = job;
  const dependencies = isApart(job) ? undefined : installed?.key;
  const place = definition.kind === 'layer' ? layerFolder(workflow.name) : undefined;
  return keyOf(workflow.name, workflow.version, place, sourceKey, dependencies, ...madeWith(job.context));
}

async function make(job: ArtifactJob, content: string, sourceKey: string | undefined): Promise<WrittenEntry> {
  const { definition, prepared, installed, workflow } = job;
  const isLayer = definition.kind === 'layer';
  const target = isLayer ? path.join(content, layerFolder(workflow.name)) : content;
  const packages = installed && prepared.dependencies && path.join(installed.path, prepared.dependencies.folder);
  if (packages && prepared.dependencies?.use === 'runtime' && !isApart(job)) {
    const { folder, inFunction = '' } = prepared.dependencies;
    await linkTree(packages, path.join(content, isLayer ? folder : inFunction));
  }
  const made = await makeUnlessChanged(prepared, sourceKey, () => prepared.make(target, packages));
  const built = made.sourceKey ?? sourceKey;
  if (built === undefined) throw new Error(`${workflow.name}: a build without a key`);
  const now = await prepared.sourceKey();
  const isUnsettled = made.isUnsettled === true || (now !== undefined && now !== built);
  if (isUnsettled && !job.isLastTry) throw new SourceChangedError();
  if (isUnsettled) noteUnsettled(job);
  // where only what was made has a key, there is no telling
  job.isVerified = now !== undefined && !isUnsettled;
  const facts = {
    bytes: String(await treeSize(content)),
    ...(made.handler === undefined ? {} : { handler: made.handler }),
    ...(made.sourceMaps ? { sourceMaps: true } : {}),
  };
  // no source can be said to give this
  const key = isUnsettled ? keyOf('content', await job.context.hasher.hashTree(content)) : built;
  return { facts, key: artifactKey(job, key) };
}

/** Most often it is the build that writes there, so building again does not help. */
function noteUnsettled({ definition, context }: ArtifactJob): void {
  const text = `the source keeps changing while it is built, perhaps by the build itself: what was built last is used, and the next sync builds again (${definition.codeDir})`;
  context.note('warning', text);
}

/** A file that was listed and is gone when it is read: something was saved or removed in the meantime. */
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
