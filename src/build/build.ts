import * as os from 'node:os';
import * as path from 'node:path';
import type { Reporter } from '../console/reporter.ts';
import { BuildError, UserError } from '../errors.ts';
import type { BuildFailure } from '../errors.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { mapLimit } from '../support/map-limit.ts';
import type { BuildInput, BuildNote, BuildResult, BuiltFolder } from './artifact.ts';
import { assertCodeDir, buildDefinition } from './build-definition.ts';
import type { BuiltDefinition } from './build-definition.ts';
import { buildStoreDir } from './build-options.ts';
import type { BuildOptions } from './build-options.ts';
import { openBuildCache } from './cache.ts';
import type { BuildCache, CacheEntry } from './cache.ts';
import type { BuildDefinition, BuildPlan } from './plan-build.ts';
import { openSourceHasher } from './source-hash.ts';
import type { SourceHasher } from './source-hash.ts';
import { createTools, ToolError } from './tools.ts';
import type { Tools } from './tools.ts';
import { loadWorkflow } from './workflows/registry.ts';
import type { Workshop } from './workflows/workflow.ts';

/** What a build takes from and tells the outside. */
export interface BuildOutside {
  reporter: Reporter;
  signal: AbortSignal;
  options: BuildOptions;
  /** Called as soon as a folder is there, so that it can be zipped and sent while other things still build. */
  onBuilt?: (folder: BuiltFolder, ids: readonly ResourceIdentifier[], content: 'code' | 'dependencies') => void;
}

/** What was built and what was not. */
export interface BuildOutcome {
  result: BuildResult;
  failures: readonly BuildFailure[];
}

/** Builds everything in the plan, in parallel. If some builds fail the others are finished first, then `BuildError` is thrown. */
export async function build(plan: BuildPlan, outside: BuildOutside): Promise<BuildResult> {
  const { result, failures } = await openBuilder(outside).build(plan);
  if (failures.length > 0) throw new BuildError(failures);
  return result;
}

/** Builds again and again with what it learned kept in memory: for `--watch`. */
export interface Builder {
  /** Failures are part of the outcome, not errors. `signal`: for this build alone, if it is another one. */
  build(plan: BuildPlan, signal?: AbortSignal): Promise<BuildOutcome>;
}

export function openBuilder(outside: BuildOutside): Builder {
  const store = buildStoreDir(outside.options.projectDir);
  const cache = openBuildCache(store);
  const hasher = openSourceHasher(path.join(store, 'source-index.json'));
  return {
    build: (plan, signal = outside.signal) => {
      // anew for each build: a tool that was missing may have been installed since
      const tools = createTools({ env: outside.options.env, signal, reporter: outside.reporter });
      return buildPlan(plan, { outside: { ...outside, signal }, cache, hasher, tools });
    },
  };
}

interface Shared {
  outside: BuildOutside;
  cache: BuildCache;
  hasher: SourceHasher;
  tools: Tools;
}

async function buildPlan(plan: BuildPlan, shared: Shared): Promise<BuildOutcome> {
  const collected = new Collected(plan.notes);
  // installing waits for the network more than it computes
  const limit = Math.max(4, os.availableParallelism());
  await mapLimit(plan.definitions, limit, (definition) => buildOne(definition, shared, collected));
  await shared.hasher.save();
  shared.outside.signal.throwIfAborted();
  if (collected.bugs.length > 0) throw collected.bugs[0];
  await shared.cache.prune().catch(() => {}); // housekeeping; the next time will do
  return { result: collected.result, failures: collected.failures };
}

/** Results as they come in. */
class Collected {
  readonly folders = new Map<ResourceIdentifier, BuiltFolder>();
  readonly dependencyLayers = new Map<ResourceIdentifier, BuiltFolder>();
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

  setInputs(ids: readonly ResourceIdentifier[], inputs: readonly BuildInput[]): void {
    for (const id of ids) this.inputs.set(id, inputs);
  }

  addFailure(ids: readonly ResourceIdentifier[], error: unknown): void {
    if (isSystemError(error)) {
      this.failures.push({ ids, message: error.message });
      return;
    }
    if (!(error instanceof UserError)) return void this.bugs.push(error);
    const output = error instanceof ToolError ? error.output : undefined;
    this.failures.push({ ids, message: error.message, hint: error.hint, output });
  }

  get result(): BuildResult {
    const { folders, dependencyLayers, handlers, sourceMaps, inputs, notes } = this;
    return { folders, dependencyLayers, handlers, sourceMaps, inputs, notes };
  }
}

/** What the file system refuses (no permission, no space, too many open files) is for the user to mend. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

async function buildOne(definition: BuildDefinition, shared: Shared, collected: Collected): Promise<void> {
  const { reporter, signal, options } = shared.outside;
  if (signal.aborted) return;
  const { ids } = definition;
  const stepId = `build:${ids[0]}`;
  const started = performance.now();
  reporter.report({ type: 'step-started', kind: 'build', id: stepId, label: ids.join(', ') });
  const end = (outcome: 'done' | 'unchanged' | 'failed', detail?: string): void =>
    reporter.report({ type: 'step-finished', id: stepId, outcome, ms: performance.now() - started, detail });
  const note: Workshop['note'] = (level, text) => void collected.notes.push({ level, ids, text });
  const { cache, hasher, tools } = shared;
  try {
    const { built, label } = await prepareAndBuild(
      definition,
      { options, cache, hasher, tools, stepId, note },
      collected,
    );
    collect(definition, built, collected, shared.outside.onBuilt);
    end(built.artifact.cached && built.dependencyLayer?.cached !== false ? 'unchanged' : 'done', label);
  } catch (error) {
    end('failed');
    // a file that is missing may be made anywhere in the code's folder
    const ownFolder = { path: definition.codeDir, excludes: ['.aws-sam', '.git', 'node_modules'] };
    collected.setInputs(ids, [...(collected.inputs.get(ids[0] ?? '') ?? []), ownFolder]);
    // when all is stopped, the others still clean up after themselves
    if (!signal.aborted) collected.addFailure(ids, error);
  }
}

async function prepareAndBuild(
  definition: BuildDefinition,
  workshop: Workshop,
  collected: Collected,
): Promise<{ built: BuiltDefinition; label: string }> {
  const workflow = await loadWorkflow(definition);
  await assertCodeDir(definition);
  const prepared = await workflow.prepare(definition, workshop);
  collected.setInputs(definition.ids, await prepared.inputs());
  const built = await buildDefinition(definition, prepared, { workflow, workshop });
  collected.setInputs(definition.ids, await prepared.inputs());
  if (definition.dependenciesApart && !built.dependencyLayer) {
    const why = prepared.dependencies
      ? 'scripts of its own need source and packages together'
      : 'nothing to put into it';
    workshop.note('debug', `no dependency layer: ${why}`);
  }
  return { built, label: prepared.label };
}

function collect(
  definition: BuildDefinition,
  built: BuiltDefinition,
  collected: Collected,
  onBuilt: BuildOutside['onBuilt'],
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
