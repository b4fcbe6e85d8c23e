import { UserError } from '../../errors.ts';
import { readLayerReferences } from '../../model/layer-references.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { mapLimit } from '../../support/map-limit.ts';
import type { PlannedWork } from './code-sync-plan.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { isImage } from '../../services/lambda/function-code.ts';
import { changesFunction, describeFunctionPlan } from '../../services/lambda/plan-function.ts';
import type { FunctionPlan } from '../../services/lambda/plan-function.ts';
import { failedLayerOf } from './held-back.ts';
import { HeldBackError } from './held-back-error.ts';
import { deletionError } from '../../services/lambda/function-lifecycle.ts';
import type { PackedCode } from '../../services/lambda/pack-code.ts';
import type { LayerPlan } from '../../services/lambda/layers/plan-layer.ts';
import { versionOf } from '../../services/lambda/layers/layer-versions.ts';
import { planOneFunction, planTemplateLayer } from '../../services/lambda/plan-resources.ts';
import type { LocatedFunction } from '../../services/lambda/located-function.ts';
import { planDefinitions } from './plan-definitions.ts';
import { planOtherSettings } from './plan-other-settings.ts';
import { attempt, fail, groupLocated, PLANNED_AT_ONCE, settingsOfVersion, settingsToCompare } from './planning.ts';
import type { Located, Planning } from './planning.ts';
import type { SyncFunction, SyncLayer } from './sync-resource.ts';
import type { DeployedResource } from '../../cloud/sync-state.ts';

/** Compares everything that was located with the services, while `packing` builds and zips the code. */
export async function planWork(
  planning: Planning,
  located: readonly Located[],
  packing: Promise<PackedCode>,
): Promise<PlannedWork> {
  const groups = groupLocated(located);
  const ofServices = groups.settings.filter((one) => !isSetByCloudControl(one));
  const definitions = planDefinitions(planning, [...groups.definitions, ...ofServices]);
  const others = planOtherSettings(planning, groups.settings.filter(isSetByCloudControl));
  const reading = readFunctions(planning, groups.functions);
  // reported where they are awaited
  definitions.catch(() => {});
  others.catch(() => {});
  reading.catch(() => {});
  const packed = await packing;
  planning.tools.signal.throwIfAborted();
  noteFailures(planning, located, packed);
  const functions = await reading;
  const layers = await planLayers(planning, groups.layers, { packed, functions });
  const plans = await planFunctions(planning, { functions, located: groups.layers }, { packed, layers });
  const changing = plans.filter(changesFunction);
  describeLayers(planning, layers, changing);
  const all = new Set([...layers.values(), ...plans.flatMap(({ work }) => work.layers)]);
  const busy = new Set(changing.flatMap(({ work }) => work.layers));
  // an updated layer of the template removes its own, and a changed function those of its dependency layer
  const isOnesOwn = (layer: LayerPlan): boolean =>
    layers.get(layer.work.id) === layer ? planning.outcomes.get(layer.work.id)?.action === 'update' : busy.has(layer);
  const leftovers = [...all].filter((layer) => layer.superseded.length > 0 && !isOnesOwn(layer));
  const planned = new Set(plans.map(({ work }) => work.id));
  const kept = new Set(functions.flatMap(({ id, state }) => (planned.has(id) ? [] : state.layers)));
  const ofFunctions = plans.flatMap(({ work: { id, configuration } }) =>
    configuration === undefined ? [] : [[id, [...configuration.settings.keys()]] as const],
  );
  const [ofDefinitions, ofOthers] = await Promise.all([definitions, others]);
  return {
    layers,
    functions: changing,
    leftovers,
    kept,
    settings: new Map([...ofFunctions, ...ofDefinitions.compared, ...ofOthers.settings]),
    definitions: ofDefinitions.definitions,
    requests: new Map([...ofDefinitions.requests, ...ofOthers.requests]),
    updates: ofOthers.updates,
  };
}

function isSetByCloudControl({ resource }: Located): boolean {
  return kindOf(resource.type)?.cloudControl !== undefined;
}

/** Fails each resource whose code could not be built or zipped. */
function noteFailures(planning: Planning, located: readonly Located[], { failures }: PackedCode): void {
  for (const { id, error, place } of failures) {
    const resource = located.find((candidate) => candidate.resource.id === id)?.resource;
    if (resource !== undefined) fail(planning, resource, error, place);
  }
}

/** Reads the functions; those that do not exist or are being deleted fail. */
async function readFunctions(
  planning: Planning,
  functions: readonly Located<SyncFunction>[],
): Promise<LocatedFunction[]> {
  const { tools, input, selected } = planning;
  const names = functions.map(({ deployed }) => deployed.physicalId);
  const images = functions
    .filter(({ resource }) => isImage(resource.resource))
    .map(({ deployed }) => deployed.physicalId);
  const states = new Map(await tools.lambda.readMany(names, new Set(images)));
  const references = readLayerReferences(input.root);
  const selectedIds = new Set(selected.map(({ id }) => id));
  const found = await mapLimit(functions, PLANNED_AT_ONCE, async ({ resource, deployed }) => {
    const isSelected = selectedIds.has(resource.id);
    let state = states.get(deployed.physicalId);
    const mayBeStale = state?.lastUpdateStatus === undefined && tools.facts.unsettled.includes(resource.id);
    if (state !== undefined && mayBeStale) state = await tools.lambda.read(state.name);
    if (state === undefined) {
      planning.somethingIsGone = true;
      if (isSelected) fail(planning, resource, gone(resource.id, deployed));
      return undefined;
    }
    const deleting = deletionError(state);
    if (deleting) {
      if (isSelected) fail(planning, resource, deleting);
      return undefined;
    }
    const { id, stack, resource: fn } = resource;
    const settings = isSelected ? settingsToCompare(planning, id) : [];
    return {
      id,
      resource: fn,
      stack,
      state,
      isSelected: isSelected && !input.settingsOnly,
      references: references.get(id) ?? [],
      settings,
      version: settings.length > 0 ? settingsOfVersion(planning, { id, type: fn.type }) : undefined,
    };
  });
  return found.filter((fn) => fn !== undefined);
}

async function planLayers(
  planning: Planning,
  layers: readonly Located<SyncLayer>[],
  parts: { packed: PackedCode; functions: readonly LocatedFunction[] },
): Promise<Map<ResourceIdentifier, LayerPlan>> {
  const plans = new Map<ResourceIdentifier, LayerPlan>();
  await mapLimit(layers, PLANNED_AT_ONCE, async ({ resource, deployed }) => {
    if (planning.outcomes.has(resource.id)) return;
    const { stack, resource: layer } = resource;
    const plan = await attempt(planning, resource, () =>
      planTemplateLayer(planning.tools, { resource: layer, stack, deployed }, parts),
    );
    if (plan !== undefined) plans.set(resource.id, plan);
  });
  return plans;
}

async function planFunctions(
  planning: Planning,
  { functions, located }: { functions: readonly LocatedFunction[]; located: readonly Located<SyncLayer>[] },
  parts: { packed: PackedCode; layers: ReadonlyMap<ResourceIdentifier, LayerPlan> },
): Promise<FunctionPlan[]> {
  const { stackName } = planning.input;
  const plans = await mapLimit(functions, PLANNED_AT_ONCE, async (fn) => {
    if (planning.outcomes.has(fn.id)) return undefined;
    const resource = { id: fn.id, type: fn.resource.type };
    const failed = failedLayerOf(planning, fn, located);
    if (failed !== undefined) {
      if (fn.isSelected) fail(planning, resource, new HeldBackError(fn.id, failed));
      return undefined;
    }
    const plan = await attempt(planning, resource, () => planOneFunction(planning.tools, fn, { ...parts, stackName }));
    if (plan === undefined) return undefined;
    const changes = describeFunctionPlan(plan);
    const isChanged = changesFunction(plan);
    if (isChanged || fn.isSelected || fn.settings.length > 0) {
      const { waiting = [] } = plan.work.configuration ?? {};
      planning.outcomes.set(fn.id, { ...resource, action: isChanged ? 'update' : 'none', changes, waiting });
    }
    return plan;
  });
  return plans.filter((plan) => plan !== undefined);
}

function describeLayers(
  planning: Planning,
  layers: ReadonlyMap<ResourceIdentifier, LayerPlan>,
  functions: readonly FunctionPlan[],
): void {
  for (const resource of planning.selected) {
    const plan = layers.get(resource.id);
    if (plan === undefined) continue;
    const { id, type } = resource;
    const users = functions.filter(({ configuration, work }) => configuration?.Layers && work.layers.includes(plan));
    const changes =
      plan.version === undefined ? ['new version'] : users.length > 0 ? [`version ${versionOf(plan.version)}`] : [];
    planning.outcomes.set(id, { id, type, action: changes.length > 0 ? 'update' : 'none', changes });
  }
}

function gone(id: ResourceIdentifier, { physicalId }: DeployedResource): UserError {
  return new UserError(`${id}: function ${physicalId} no longer exists`, {
    hint: 'It was deleted outside of CloudFormation. Delete the stack and create it again, or remove the function from the template, deploy, and add it back.',
  });
}
