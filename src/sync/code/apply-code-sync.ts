import type { ResourceIdentifier } from '../../model/stack.ts';
import { asUserError } from '../../system-errors.ts';
import { applySettings } from '../../services/cloudcontrol/apply-settings.ts';
import { applyDefinition } from '../../services/definitions.ts';
import { applyServiceSettings } from '../../services/settings.ts';
import { applyFunction } from '../../services/lambda/apply-function.ts';
import type { CodeSyncOutcome, CodeSyncPlan, PlannedResource } from './code-sync-plan.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { describeFunctionPlan } from '../../services/lambda/plan-function.ts';
import type { FunctionPlan } from '../../services/lambda/plan-function.ts';
import { SettingsRefusedError } from '../../services/settings-refused.ts';
import { HeldBackError } from './held-back-error.ts';
import { findOvertakenFunctions } from '../../services/lambda/overtaken-functions.ts';
import { publishLayer, removeSuperseded } from '../../services/lambda/layers/apply-layer.ts';
import type { StayingVersions } from '../../services/lambda/layers/apply-layer.ts';
import type { LayerPlan } from '../../services/lambda/layers/plan-layer.ts';
import { versionOf } from '../../services/lambda/layers/layer-versions.ts';
import { describeFailure, kindOfFailure } from './planning.ts';
import { reportSynced } from './report-code-sync.ts';
import type { ResourceResult } from './sync-resource.ts';

/**
 * Applies a plan: layers first, each function once its layers are published, APIs and state machines in parallel. The failure
 * of a resource stops only what needs it. Rejects if it is interrupted; the next sync completes what it started.
 */
export async function applyCodeSync(tools: ServiceContext, plan: CodeSyncPlan): Promise<CodeSyncOutcome> {
  const layers = startLayers(tools, plan);
  const functions = new Map(plan.work.functions.map((fn) => [fn, syncFunction(tools, fn, { plan, layers })] as const));
  const settled = await Promise.all([
    ...functions.values(),
    ...[...plan.work.layers.values()].map((layer) => finishLayer(tools, layer, { plan, layers, functions })),
    ...plan.work.leftovers.map(async (layer) => {
      await removeOnceMoved(tools, layer, { plan, layers, functions, version: layer.version });
      return undefined;
    }),
    ...[
      ...new Set([plan.work.definitions, plan.work.requests, plan.work.updates].flatMap((map) => [...map.keys()])),
    ].map((id) => syncOne(tools, { id, type: typeOf(plan, id) }, () => syncDefinition(tools, plan, id))),
  ]);
  tools.signal.throwIfAborted();
  const done = new Map(settled.flatMap((result) => (result === undefined ? [] : [[result.id, result] as const])));
  const applied = plan.resources.map((resource) => {
    const { waiting = [] } = resource;
    const result = done.get(resource.id) ?? restingResult(resource);
    return waiting.length === 0 ? result : { ...result, waiting };
  });
  const results = await failOvertaken(tools, plan, applied);
  const failed = new Set(results.flatMap(({ id, outcome }) => (outcome === 'failed' ? [id] : [])));
  return { results, failed: failed.size > 0, behind: plan.behind.filter(({ id }) => !failed.has(id)) };
}

/**
 * Fails functions that someone else has updated while the others were synced: the stack as a whole would not be in sync. One
 * call for most syncs, none if a single resource was synced.
 */
async function failOvertaken(
  tools: ServiceContext,
  { work }: CodeSyncPlan,
  results: readonly ResourceResult[],
): Promise<ResourceResult[]> {
  const synced = new Set(results.flatMap(({ id, outcome }) => (outcome === 'synced' ? [id] : [])));
  const updated = work.functions.filter((fn) => synced.has(fn.work.id));
  if (synced.size < 2 || updated.length === 0) return [...results];
  const overtaken = await findOvertakenFunctions(tools, updated);
  return results.map((result) =>
    overtaken.has(result.id)
      ? {
          ...result,
          outcome: 'failed',
          error: `${result.id} was synced, but then changed by someone else`,
          hint: 'Sync again when they have finished.',
        }
      : result,
  );
}

/** Sends a definition, settings through Cloud Control, settings with requests of their own, or several of them. */
async function syncDefinition(tools: ServiceContext, { work }: CodeSyncPlan, id: ResourceIdentifier): Promise<string> {
  const definition = work.definitions.get(id);
  const update = work.updates.get(id);
  const settings = work.requests.get(id);
  if (definition !== undefined) await applyDefinition(tools, definition.update);
  if (update !== undefined) await applySettings(tools, update);
  if (settings !== undefined) await applyServiceSettings(tools, id, settings);
  const updated = update?.settings.map(({ name }) => name) ?? [];
  return [...(definition?.changes ?? []), ...updated, ...(settings?.changes ?? [])].join(', ');
}

/** The ARN of the version to use, by layer. */
type LayerVersions = ReadonlyMap<LayerPlan, Promise<string>>;

function startLayers(tools: ServiceContext, plan: CodeSyncPlan): LayerVersions {
  const all = new Set([...plan.work.layers.values(), ...plan.work.functions.flatMap(({ work }) => work.layers)]);
  return new Map(
    [...all].map((layer) => {
      const publishing = publishLayer(tools, layer);
      publishing.catch(() => {}); // reported by the awaiting resource
      return [layer, publishing] as const;
    }),
  );
}

/** The versions that are not deleted: the current one, and those of functions that are not updated. */
function keep({ work }: CodeSyncPlan, current: string | undefined): StayingVersions {
  return { inUse: work.kept, current };
}

async function syncFunction(
  tools: ServiceContext,
  fn: FunctionPlan,
  { plan, layers }: Pick<PlanInProgress, 'plan' | 'layers'>,
): Promise<ResourceResult> {
  const { work } = fn;
  return syncOne(tools, { id: work.id, type: work.resource.type }, async () => {
    const versions = new Map<string, string>();
    for (const layer of work.layers) versions.set(layer.work.layer, await versionFor(work.id, layer, layers));
    await applyFunction(tools, fn, versions);
    const own = work.layers.find(({ work: { id } }) => id === work.id);
    if (own !== undefined) await removeSuperseded(tools, own, keep(plan, versions.get(own.work.layer)));
    return describeFunctionPlan(fn).join(', ');
  });
}

/** Waits for a layer's version. A function is not updated if that fails: its new code may need the layer. */
async function versionFor(id: ResourceIdentifier, layer: LayerPlan, layers: LayerVersions): Promise<string> {
  const publishing = layers.get(layer) ?? Promise.reject(new Error('a layer that is not in the plan'));
  if (layer.work.id === id) return publishing;
  try {
    return await publishing;
  } catch (error) {
    if (asUserError(error) === undefined) throw error;
    throw new HeldBackError(id, layer.work.id, error);
  }
}

interface PlanInProgress {
  plan: CodeSyncPlan;
  layers: LayerVersions;
  functions: ReadonlyMap<FunctionPlan, Promise<ResourceResult>>;
}

/** The result of a layer: its version is published, and superseded ones are deleted once every function has moved. */
async function finishLayer(
  tools: ServiceContext,
  layer: LayerPlan,
  progress: PlanInProgress,
): Promise<ResourceResult | undefined> {
  const { id } = layer.work;
  const planned = progress.plan.resources.find((resource) => resource.id === id);
  if (planned?.action !== 'update') return undefined;
  return syncOne(tools, { id, type: planned.type }, async () => {
    const version = (await progress.layers.get(layer)) ?? '';
    await removeOnceMoved(tools, layer, { ...progress, version });
    return `version ${versionOf(version)}`;
  });
}

/** Waits for the functions that move to the layer's version, and removes what none of them needs any more. */
async function removeOnceMoved(
  tools: ServiceContext,
  layer: LayerPlan,
  { plan, functions, version }: PlanInProgress & { version: string | undefined },
): Promise<void> {
  const users = [...functions].filter(([{ work }]) => work.layers.includes(layer)).map(([, result]) => result);
  const moved = await Promise.all(users);
  if (moved.every(({ outcome }) => outcome === 'synced')) await removeSuperseded(tools, layer, keep(plan, version));
}

async function syncOne(
  tools: ServiceContext,
  { id, type }: { id: ResourceIdentifier; type: string },
  work: () => Promise<string>,
): Promise<ResourceResult> {
  const { reporter, signal } = tools;
  const started = performance.now();
  const stepId = `sync:${id}`;
  reporter.report({ type: 'step-started', kind: 'sync', id: stepId, label: id, ids: [id] });
  const end = (outcome: 'done' | 'failed', detail?: string): number => {
    const ms = performance.now() - started;
    reporter.report({ type: 'step-finished', id: stepId, outcome, ms, detail });
    return ms;
  };
  try {
    signal.throwIfAborted();
    const detail = await work();
    const ms = end('done', detail);
    reportSynced(reporter, { id, type });
    return { id, type, outcome: 'synced', ms, detail };
  } catch (thrown) {
    const ms = end('failed');
    const error = asUserError(thrown);
    if (signal.aborted || error === undefined) throw thrown;
    const waitsFor = error instanceof HeldBackError ? error.layer : undefined;
    return {
      id,
      type,
      outcome: 'failed',
      ms,
      error: describeFailure(id, error),
      hint: error.hint,
      errorKind: kindOfFailure(error),
      waitsFor,
      ...(error instanceof SettingsRefusedError ? { refusedSettings: error.isForDeployment ? 'deploy' : 'wrong' } : {}),
    };
  }
}

/** The result of a resource without an update. A resource that the command names gets a failure or at least a hint. */
function restingResult(planned: PlannedResource): ResourceResult {
  const { id, type, action, named, why, hint, errorKind, waitsFor, file, line, column } = planned;
  const result = { id, type, ms: 0, error: why };
  switch (action) {
    case 'none':
      return { ...result, outcome: 'unchanged' };
    case 'skip':
      return { ...result, outcome: 'skipped', hint: named ? BY_DEPLOYMENT : undefined };
    case 'blocked':
      return { ...result, outcome: named ? 'failed' : 'skipped', hint };
    case 'fail':
      return { ...result, outcome: 'failed', hint, errorKind, waitsFor, file, line, column };
    case 'update':
      throw new Error(`${id} was planned and not done`);
  }
}

const BY_DEPLOYMENT = 'Sync without --code: a deployment updates it.';

function typeOf(plan: CodeSyncPlan, id: ResourceIdentifier): string {
  return plan.resources.find((resource) => resource.id === id)?.type ?? '';
}
