import * as path from 'node:path';
import { timed } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import type { Engine } from '../support/engine/container-engine.ts';
import type { createGate } from '../support/map-limit.ts';
import { takeTurns } from '../support/pause.ts';
import { assertCodeDir, buildDefinition, untilUnchanged } from './build-definition.ts';
import type { DefinitionResult } from './build-definition.ts';
import { observeSource, observeTools } from './build-observer.ts';
import type { BuildEnd, BuildObserver, ObserveBuild } from './build-observer.ts';
import { buildStoreDir } from './build-options.ts';
import type { BuildOptions } from './build-options.ts';
import type { BuildInput, BuiltFolder } from './build-result.ts';
import type { BuildCache, CacheEntry } from './cache/build-cache.ts';
import type { BuildMemory } from './cache/build-memory.ts';
import { startReading } from './cache/input-stamp.ts';
import type { SourceHasher } from './cache/source-hash.ts';
import { notePrivateFiles } from './checks/private-files.ts';
import type { ContainerPool, ContainerTools } from './containers/container-tools.ts';
import { nameImage, obtainImage } from './images/build-image.ts';
import { imageInputs } from './images/plan-images.ts';
import type { ImageDefinition } from './images/plan-images.ts';
import type { BuildDefinition } from './plan-build.ts';
import { recallBuild, rememberBuild } from './recall-build.ts';
import type { RecallContext } from './recall-build.ts';
import type { ResultCollector } from './result-collector.ts';
import type { SharedBuilds } from './shared-builds.ts';
import { failurePlace } from './tools/failure-place.ts';
import type { Tools } from './tools/tools.ts';
import { findShared, offerBuild, recordPrograms } from './use-shared-builds.ts';
import type { EndedBuild } from './use-shared-builds.ts';
import { loadWorkflow } from './workflows/load-workflow.ts';
import type { ProjectMemos } from './workflows/project-memos.ts';
import type { BuildContext } from './workflows/workflow.ts';

/** What a build takes from its caller and reports to it. */
export interface BuildEnvironment {
  reporter: Reporter;
  signal: AbortSignal;
  options: BuildOptions;
  /** Called as soon as a folder is built, so that it can be zipped and uploaded while other builds still run. */
  onBuilt?:
    | ((folder: BuiltFolder, ids: readonly ResourceIdentifier[], content: 'code' | 'dependencies') => void)
    | undefined;
  observe?: ObserveBuild | undefined;
  /** Containers on other machines wait for further builds. The caller closes the builder. */
  keepsContainers?: boolean | undefined;
  /** Builds of other machines (`--build-cache`). */
  sharedBuilds?: SharedBuilds | undefined;
}

/** What all builds of one run share. */
export interface SharedContext {
  environment: BuildEnvironment;
  cache: BuildCache;
  hasher: SourceHasher;
  /** undefined: there are too few builds for it. */
  memory: BuildMemory | undefined;
  tools: Tools;
  /** Workspaces, lock files and folders that this run has read. */
  projects: ProjectMemos;
  containers: ContainerPool;
  /** Limits the builds that run at the same time. */
  atOnce: ReturnType<typeof createGate>;
  /** Limits the images that are built at the same time. */
  imagesAtOnce: ReturnType<typeof createGate>;
  /** Finds the engine when the first image needs it. */
  engine: () => Promise<Engine>;
  /** Runs the steps that name images one at a time: an archive may carry the name that a build is about to give. */
  inTurn: ReturnType<typeof createGate>;
}

/** Builds the code of a function or layer, as one step of the report. Failures go to the collector. */
export async function buildCode(
  definition: BuildDefinition,
  shared: SharedContext,
  collector: ResultCollector,
): Promise<void> {
  const { environment, cache, hasher } = shared;
  const { signal, options } = environment;
  if (signal.aborted) return;
  const { ids } = definition;
  const step = startStep(ids, environment.reporter);
  const note: BuildContext['note'] = (level, text) => collector.addNote({ level, ids, text });
  const observer = environment.observe?.(definition);
  let ending: BuildEnd = 'unverified';
  try {
    const found = await findShared(definition, environment.sharedBuilds, {
      options,
      cache,
      hasher,
      tools: shared.tools,
      note,
    });
    if (found) {
      collector.setInputs(ids, found.inputs);
      collect(definition, found, { collector, onBuilt: environment.onBuilt });
      return step.end(found.isNew ? 'done' : 'unchanged', 'build cache');
    }
    await shared.atOnce(async () => {
      const { result, label } = await buildHere(definition, shared, { stepId: step.id, note, collector, observer });
      if (result.isVerified) ending = 'verified';
      collect(definition, result, { collector, onBuilt: environment.onBuilt });
      const isCached = result.artifact.cached && result.dependencyLayer?.cached !== false;
      step.end(isCached ? 'unchanged' : 'done', label);
      // small builds only compute: uploads of finished ones go on meanwhile
      if (!isCached) await takeTurns();
    });
  } catch (error) {
    step.end(signal.aborted ? 'aborted' : 'failed');
    // a missing file may appear anywhere in the code's folder
    const ownFolder = { path: definition.codeDir, excludes: ['.aws-sam', '.git', 'node_modules'] };
    collector.setInputs(ids, [...(collector.inputs.get(ids[0] ?? '') ?? []), ownFolder]);
    // after an abort the other builds still clean up; their errors say nothing
    if (!signal.aborted) collector.addFailure(ids, error, failurePlace(error, definition.codeDir, options.projectDir));
  } finally {
    observer?.ended(signal.aborted ? 'aborted' : ending);
  }
}

/** Builds with the tools of this machine or of a container, and offers the result to other machines. */
async function buildHere(
  definition: BuildDefinition,
  shared: SharedContext,
  how: Pick<BuildContext, 'stepId' | 'note'> & { collector: ResultCollector; observer: BuildObserver | undefined },
): Promise<{ result: DefinitionResult; label: string }> {
  const { environment, cache, hasher, projects } = shared;
  const { stepId, note, collector, observer } = how;
  const { options, sharedBuilds, reporter } = environment;
  const recall: RecallContext = { ...shared, reporter };
  // builds that are shared need what a preparation finds out
  const recalled = sharedBuilds === undefined ? await recallBuild(definition, recall, observer) : undefined;
  if (recalled !== undefined) {
    collector.setInputs(definition.ids, recalled.inputs);
    noteSkippedLayer(definition, recalled.result, note);
    return recalled;
  }
  const start = startReading(definition.codeDir);
  let hasNotes = false;
  const programs = new Set<string>();
  const open = async (): Promise<ContainerTools | undefined> =>
    definition.container && shared.containers.open(definition, definition.container, stepId);
  const container = await open();
  try {
    const tools = recordPrograms(observeTools(container ?? shared.tools, observer), programs);
    const hostTools = observeTools(shared.tools, observer);
    const noteHere: BuildContext['note'] = (level, text) => {
      hasNotes = true;
      note(level, text);
    };
    const context: BuildContext = { options, cache, hasher, tools, hostTools, ...projects, stepId, note: noteHere };
    const setInputs = (inputs: readonly BuildInput[]): void => {
      collector.setInputs(definition.ids, inputs);
      container?.setInputs(inputs);
    };
    const built = await prepareAndBuild(definition, context, { setInputs, observer, reporter, sharedBuilds });
    await offerBuild(sharedBuilds, { definition, context, ...built, programs });
    if (!hasNotes) await rememberBuild(definition, { ...built, start }, recall);
    noteSkippedLayer(definition, built.result, note);
    return { result: built.result, label: built.prepared.label };
  } finally {
    await container?.close();
  }
}

/** Builds or loads an image, as one step of the report. Failures go to the collector. */
export async function buildImage(
  definition: ImageDefinition,
  shared: SharedContext,
  collector: ResultCollector,
): Promise<void> {
  const { reporter, signal, options } = shared.environment;
  if (signal.aborted) return;
  const { ids, names, source } = definition;
  const step = startStep(ids, reporter);
  collector.setInputs(ids, imageInputs(source));
  try {
    const { cache, hasher, tools, engine, inTurn } = shared;
    const recordDir = path.join(buildStoreDir(options.projectDir), 'images');
    const { sharedBuilds } = shared.environment;
    const findShared = async (content: string): Promise<string | undefined> =>
      sharedBuilds?.findImage({ definition, content });
    const context = { cache, hasher, tools, engine, inTurn, recordDir, stepId: step.id, findShared };
    const started = performance.now();
    const { image, cached, isNamed, isShared, content } = await obtainImage(definition, context);
    if (!isNamed) await inTurn(async () => nameImage(await engine(), image.imageId, names.values()));
    for (const [id, name] of names) collector.images.set(id, { ...image, name });
    if (content !== undefined)
      sharedBuilds?.addImage({ definition, content }, { imageId: image.imageId, ms: performance.now() - started });
    step.end(cached ? 'unchanged' : 'done', isShared ? 'build cache' : 'image');
  } catch (error) {
    step.end(signal.aborted ? 'aborted' : 'failed');
    if (!signal.aborted) collector.addFailure(ids, error);
  }
}

interface BuildStep {
  id: string;
  end(outcome: 'done' | 'unchanged' | 'failed' | 'aborted', detail?: string): void;
}

function startStep(ids: readonly ResourceIdentifier[], reporter: Reporter): BuildStep {
  const id = `build:${ids[0]}`;
  const started = performance.now();
  reporter.report({ type: 'step-started', kind: 'build', id, label: ids.join(', '), ids });
  return {
    id,
    end: (outcome, detail) =>
      reporter.report({ type: 'step-finished', id, outcome, ms: performance.now() - started, detail }),
  };
}

async function prepareAndBuild(
  definition: BuildDefinition,
  context: BuildContext,
  how: {
    setInputs: (inputs: readonly BuildInput[]) => void;
    observer: BuildObserver | undefined;
    reporter: Reporter;
    sharedBuilds: SharedBuilds | undefined;
  },
): Promise<Pick<EndedBuild, 'workflow' | 'prepared' | 'result'>> {
  const { setInputs, observer, reporter, sharedBuilds } = how;
  const workflow = await loadWorkflow(definition);
  await assertCodeDir(definition);
  const { prepared, result } = await untilUnchanged(definition, context, async () => {
    const observed = observeSource(await workflow.prepare(definition, context), observer);
    const span = { kind: 'hash', label: definition.ids.join(', '), ids: definition.ids } as const;
    const prepared = { ...observed, sourceKey: () => timed(reporter, span, () => observed.sourceKey()) };
    setInputs(await prepared.inputs());
    try {
      return { prepared, result: await buildDefinition(definition, prepared, { workflow, context, sharedBuilds }) };
    } finally {
      // also after a failure: a watch waits for changes of what the build failed on
      setInputs(await prepared.inputs());
    }
  });
  await notePrivateFiles(definition, result.artifact, context.note);
  return { workflow, prepared, result };
}

function noteSkippedLayer(
  { wantsDependencyLayer }: BuildDefinition,
  { layerSkipped }: Pick<DefinitionResult, 'layerSkipped'>,
  note: BuildContext['note'],
): void {
  if (wantsDependencyLayer && layerSkipped) note(layerSkipped.level, `no dependency layer: ${layerSkipped.reason}`);
}

function collect(
  { ids }: BuildDefinition,
  { artifact, dependencyLayer }: Pick<DefinitionResult, 'artifact' | 'dependencyLayer'>,
  { collector, onBuilt }: { collector: ResultCollector; onBuilt: BuildEnvironment['onBuilt'] },
): void {
  const folder = folderOf(artifact);
  const layer = dependencyLayer && folderOf(dependencyLayer);
  const { handler, sourceMaps } = artifact.facts;
  for (const id of ids) {
    collector.folders.set(id, folder);
    if (layer) collector.dependencyLayers.set(id, layer);
    if (typeof handler === 'string') collector.handlers.set(id, handler);
    if (sourceMaps === true) collector.sourceMaps.add(id);
  }
  if (layer) onBuilt?.(layer, ids, 'dependencies');
  onBuilt?.(folder, ids, 'code');
}

function folderOf({ path: folder, cached }: CacheEntry): BuiltFolder {
  return { path: folder, cached };
}
