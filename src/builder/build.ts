import * as os from 'node:os';
import * as path from 'node:path';
import type { Reporter } from '../console/reporter.ts';
import type { BuildFailure, SourcePlace } from '../errors.ts';
import type { LocalImage } from '../model/built-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { findEngine } from '../support/container-engine.ts';
import type { Engine } from '../support/container-engine.ts';
import { createGate, mapLimit } from '../support/map-limit.ts';
import { once } from '../support/once.ts';
import { asUserError, SystemError } from '../system-errors.ts';
import type { BuildInput, BuildNote, BuildResult, BuiltFolder } from './build-result.ts';
import { createFunctionChecker } from './checks/check-functions.ts';
import type { FunctionChecker } from './checks/check-functions.ts';
import { assertCodeDir, buildDefinition, untilUnchanged } from './build-definition.ts';
import { observeSource, observeTools } from './build-observer.ts';
import type { BuildEnd, BuildObserver, ObserveBuild } from './build-observer.ts';
import type { DefinitionResult } from './build-definition.ts';
import { buildStoreDir } from './build-options.ts';
import type { BuildOptions } from './build-options.ts';
import { openBuildCache } from './cache/build-cache.ts';
import type { BuildCache, CacheEntry } from './cache/build-cache.ts';
import type { BuildDefinition, BuildPlan } from './plan-build.ts';
import { nameImage, obtainImage } from './images/build-image.ts';
import { imageInputs } from './images/plan-images.ts';
import type { ImageDefinition } from './images/plan-images.ts';
import { openContainerPool } from './containers/container-tools.ts';
import type { ContainerTools, ContainerPool } from './containers/container-tools.ts';
import { checkOwnFolders } from './layout/own-folders.ts';
import { openSourceHasher } from './cache/source-hash.ts';
import type { SourceHasher } from './cache/source-hash.ts';
import { placeOf } from './tools/failure-place.ts';
import { createTools, ToolError } from './tools/tools.ts';
import type { Tools } from './tools/tools.ts';
import { loadWorkflow } from './workflows/load-workflow.ts';
import type { BuildContext } from './workflows/workflow.ts';

/** What a build takes from and tells the outside. */
export interface BuildEnvironment {
  reporter: Reporter;
  signal: AbortSignal;
  options: BuildOptions;
  /** Called as soon as a folder is there, so that it can be zipped and sent while other things still build. */
  onBuilt?:
    | ((folder: BuiltFolder, ids: readonly ResourceIdentifier[], content: 'code' | 'dependencies') => void)
    | undefined;
  observe?: ObserveBuild;
}

/** What was built and what was not. */
export interface BuildOutcome {
  result: BuildResult;
  failures: readonly BuildFailure[];
  /** What was built is not needed any more: until then the cache keeps it, however many newer versions there are. */
  release(): void;
}

/** Builds again and again with what it learned kept in memory: for `--watch`. */
export interface Builder {
  /** Failures are part of the outcome, not errors. `signal` and `onBuilt` replace those of the environment for this build. */
  build(plan: BuildPlan, how?: Partial<Pick<BuildEnvironment, 'signal' | 'onBuilt'>>): Promise<BuildOutcome>;
}

export function openBuilder(environment: BuildEnvironment): Builder {
  const store = buildStoreDir(environment.options.projectDir);
  const cache = openBuildCache(store);
  const hasher = openSourceHasher(path.join(store, 'source-index.json'));
  const checker = createFunctionChecker(environment.options.projectDir);
  const inTurn = createGate(1);
  return {
    build: (plan, { signal = environment.signal, onBuilt = environment.onBuilt } = {}) => {
      // anew for each build: a tool that was missing may have been installed since
      const tools = createTools({ env: environment.options.env, signal, reporter: environment.reporter });
      const engine = once(() =>
        findEngine('A function of package type Image', { env: environment.options.env, signal }),
      );
      const containers = openContainerPool(tools, environment.options.projectDir);
      // members and locks change between two builds
      const seen: Shared['seen'] = { workspaces: new Map(), locks: new Map() };
      const own = { cache, hasher, checker, inTurn };
      const shared = { environment: { ...environment, signal, onBuilt }, ...own, tools, seen, containers, engine };
      return buildPlan(plan, shared);
    },
  };
}

/** An engine that builds more images at once only shares its processors and disks among them. */
const IMAGES_AT_ONCE = 2;

interface Shared {
  environment: BuildEnvironment;
  cache: BuildCache;
  hasher: SourceHasher;
  tools: Tools;
  seen: Pick<BuildContext, 'workspaces' | 'locks'>;
  containers: ContainerPool;
  checker: FunctionChecker;
  /** Looked for when an image is made. */
  engine: () => Promise<Engine>;
  /** For what gives images their names: an archive may bring the name that a build is about to give. */
  inTurn: ReturnType<typeof createGate>;
}

async function buildPlan(plan: BuildPlan, shared: Shared): Promise<BuildOutcome> {
  await checkOwnFolders(shared.environment.options);
  const { cache, release } = shared.cache.hold();
  try {
    const collected = await buildAll(plan, { ...shared, cache });
    const { failures } = collected;
    // nothing that is deployed depends on it, so nothing waits for it before it is said
    const runProblems = shared.checker.check(plan.checks, collected, shared.tools);
    return { result: { ...collected.built, runProblems }, failures, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function buildAll(plan: BuildPlan, shared: Shared): Promise<Collected> {
  const collected = new Collected(plan.notes);
  // installing waits for the network more than it computes
  const limit = Math.max(4, os.availableParallelism());
  await Promise.all([
    mapLimit(plan.definitions, limit, (definition) => buildOne(definition, shared, collected)),
    mapLimit(plan.images, IMAGES_AT_ONCE, (image) => makeImage(image, shared, collected)),
  ]);
  await shared.hasher.save();
  shared.environment.signal.throwIfAborted();
  if (collected.bugs.length > 0) throw collected.bugs[0];
  await shared.cache.prune().catch(() => {}); // housekeeping; the next time will do
  return collected;
}

/** Results as they come in. */
class Collected {
  readonly folders = new Map<ResourceIdentifier, BuiltFolder>();
  readonly dependencyLayers = new Map<ResourceIdentifier, BuiltFolder>();
  readonly images = new Map<ResourceIdentifier, LocalImage>();
  readonly handlers = new Map<ResourceIdentifier, string>();
  readonly sourceMaps = new Set<ResourceIdentifier>();
  readonly inputs = new Map<ResourceIdentifier, readonly BuildInput[]>();
  readonly notes: BuildNote[];
  readonly failures: BuildFailure[] = [];
  /** What was thrown that is no user's fault. */
  readonly bugs: unknown[] = [];

  constructor(notes: readonly BuildNote[]) {
    this.notes = [...notes];
  }

  /** A build that begins again says the same again. */
  addNote(note: BuildNote): void {
    const isKnown = this.notes.some(({ ids, text }) => ids === note.ids && text === note.text);
    if (!isKnown) this.notes.push(note);
  }

  setInputs(ids: readonly ResourceIdentifier[], inputs: readonly BuildInput[]): void {
    for (const id of ids) this.inputs.set(id, inputs);
  }

  addFailure(ids: readonly ResourceIdentifier[], error: unknown, place?: SourcePlace): void {
    const known = asUserError(error);
    if (known === undefined) return void this.bugs.push(error);
    const output = error instanceof ToolError ? error.output : undefined;
    const isTransient = known instanceof SystemError && known.isTransient;
    this.failures.push({
      ids,
      // whoever shows it names the ids beside it
      message: withoutIds(known.message, ids),
      hint: known.hint,
      output,
      ...place,
      ...(isTransient ? { isTransient } : {}),
    });
  }

  get built(): Omit<BuildResult, 'runProblems'> {
    const { folders, dependencyLayers, images, handlers, sourceMaps, inputs, notes } = this;
    return { folders, dependencyLayers, images, handlers, sourceMaps, inputs, notes };
  }
}

function withoutIds(message: string, ids: readonly ResourceIdentifier[]): string {
  const prefix = `${ids.join(', ')}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

async function buildOne(definition: BuildDefinition, shared: Shared, collected: Collected): Promise<void> {
  const { reporter, signal, options } = shared.environment;
  if (signal.aborted) return;
  const { ids } = definition;
  const stepId = `build:${ids[0]}`;
  const started = performance.now();
  reporter.report({ type: 'step-started', kind: 'build', id: stepId, label: ids.join(', '), ids });
  const end = (outcome: 'done' | 'unchanged' | 'failed', detail?: string): void =>
    reporter.report({ type: 'step-finished', id: stepId, outcome, ms: performance.now() - started, detail });
  const note: BuildContext['note'] = (level, text) => collected.addNote({ level, ids, text });
  const { cache, hasher, seen } = shared;
  let container: ContainerTools | undefined;
  const observer = shared.environment.observe?.(definition);
  let ending: BuildEnd = 'unverified';
  try {
    if (definition.container) container = await shared.containers.open(definition, definition.container, stepId);
    const tools = observeTools(container ?? shared.tools, observer);
    const hostTools = observeTools(shared.tools, observer);
    const context: BuildContext = { options, cache, hasher, tools, hostTools, ...seen, stepId, note };
    const { built, label } = await prepareAndBuild(definition, context, { collected, observer });
    if (built.isVerified) ending = 'verified';
    collect(definition, built, collected, shared.environment.onBuilt);
    end(built.artifact.cached && built.dependencyLayer?.cached !== false ? 'unchanged' : 'done', label);
  } catch (error) {
    end('failed');
    // a file that is missing may be made anywhere in the code's folder
    const ownFolder = { path: definition.codeDir, excludes: ['.aws-sam', '.git', 'node_modules'] };
    collected.setInputs(ids, [...(collected.inputs.get(ids[0] ?? '') ?? []), ownFolder]);
    // when all is stopped, the others still clean up after themselves
    if (!signal.aborted) collected.addFailure(ids, error, placeOf(error, definition.codeDir, options.projectDir));
  } finally {
    await container?.close();
    observer?.ended(signal.aborted ? 'aborted' : ending);
  }
}

async function makeImage(definition: ImageDefinition, shared: Shared, collected: Collected): Promise<void> {
  const { reporter, signal, options } = shared.environment;
  if (signal.aborted) return;
  const { ids, names, source } = definition;
  const stepId = `build:${ids[0]}`;
  const started = performance.now();
  reporter.report({ type: 'step-started', kind: 'build', id: stepId, label: ids.join(', '), ids });
  const end = (outcome: 'done' | 'unchanged' | 'failed', detail?: string): void =>
    reporter.report({ type: 'step-finished', id: stepId, outcome, ms: performance.now() - started, detail });
  collected.setInputs(ids, imageInputs(source));
  try {
    const { cache, hasher, tools, engine, inTurn } = shared;
    const recordDir = path.join(buildStoreDir(options.projectDir), 'images');
    const context = { cache, hasher, tools, engine, inTurn, recordDir, stepId };
    const { image, cached } = await obtainImage(definition, context);
    if (!cached) await inTurn(async () => nameImage(await engine(), image.imageId, names.values()));
    for (const [id, name] of names) collected.images.set(id, { ...image, name });
    end(cached ? 'unchanged' : 'done', 'image');
  } catch (error) {
    end('failed');
    if (!signal.aborted) collected.addFailure(ids, error);
  }
}

async function prepareAndBuild(
  definition: BuildDefinition,
  context: BuildContext,
  { collected, observer }: { collected: Collected; observer: BuildObserver | undefined },
): Promise<{ built: DefinitionResult; label: string }> {
  const workflow = await loadWorkflow(definition);
  await assertCodeDir(definition);
  const { prepared, built } = await untilUnchanged(definition, context, async () => {
    const prepared = observeSource(await workflow.prepare(definition, context), observer);
    collected.setInputs(definition.ids, await prepared.inputs());
    try {
      return { prepared, built: await buildDefinition(definition, prepared, { workflow, context }) };
    } finally {
      // also of a build that failed: what it failed on is watched
      collected.setInputs(definition.ids, await prepared.inputs());
    }
  });
  const { notApart } = built;
  if (definition.wantsDependencyLayer && notApart) context.note(notApart.level, `no dependency layer: ${notApart.why}`);
  return { built, label: prepared.label };
}

function collect(
  definition: BuildDefinition,
  built: DefinitionResult,
  collected: Collected,
  onBuilt: BuildEnvironment['onBuilt'],
): void {
  const { ids } = definition;
  const folder = folderOf(built.artifact);
  const layer = built.dependencyLayer && folderOf(built.dependencyLayer);
  const { handler, sourceMaps } = built.artifact.facts;
  for (const id of ids) {
    collected.folders.set(id, folder);
    if (layer) collected.dependencyLayers.set(id, layer);
    if (typeof handler === 'string') collected.handlers.set(id, handler);
    if (sourceMaps === true) collected.sourceMaps.add(id);
  }
  if (layer) onBuilt?.(layer, ids, 'dependencies');
  onBuilt?.(folder, ids, 'code');
}

function folderOf(entry: CacheEntry): BuiltFolder {
  return { path: entry.path, cached: entry.cached };
}
