import type { BuildResult } from '../../builder/build-result.ts';
import { readLayerReferences } from '../../model/layer-references.ts';
import type { FunctionResource, LayerResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import type { PackedCode } from '../../services/lambda/pack-code.ts';
import { findBehind } from './behind-versions.ts';
import type { CodeSyncPlan, PlannedResource } from './code-sync-plan.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { describeAbsent, locateResources, syncSkipReason } from './locate-resources.ts';
import { planWork } from './plan-work.ts';
import { settingsToCompare } from './planning.ts';
import type { Located, PlanInput, Planning } from './planning.ts';
import { conditionOf, selectResources, selectWithSettings } from './select-resources.ts';
import { listSettingsResources, listSyncResources } from './sync-resource.ts';
import type { SyncResource } from './sync-resource.ts';

/** A code sync whose resources are located in the stack. */
export interface LocatedSync {
  planning: Planning;
  located: readonly Located[];
  /** The functions and layers whose code has to be built for the comparison. */
  toBuild: readonly (FunctionResource | LayerResource)[];
}

/** Finds the selected resources in the stack. */
export async function locateCodeSync(opened: ServiceContext, input: PlanInput): Promise<LocatedSync> {
  const select = input.settings === undefined ? selectResources : selectWithSettings;
  const { resources: selected, named, failures } = select(input.root, input.selection);
  const outcomes: Planning['outcomes'] = new Map();
  const planning: Planning = { tools: opened, input, selected, named, failures, outcomes, somethingIsGone: false };
  const located = await locate(planning);
  const { stacks } = opened;
  // otherwise there is nothing to do and nothing to ask
  if (located.length > 0) planning.tools = { ...opened, stackId: await stacks.stackId(), facts: stacks.facts };
  const chosen = new Set(planning.selected.map(({ id }) => id));
  const toBuild = located.flatMap(({ resource }) => {
    const { kind, id } = resource;
    return (kind === 'function' || kind === 'layer') && chosen.has(id) && !input.settingsOnly
      ? [resource.resource]
      : [];
  });
  return { planning, located, toBuild };
}

/**
 * Leaves functions of a new stack as CloudFormation created them, of code in the paths `createdFrom`. Those with layers are compared,
 * like layers and definitions: what is learnt of them saves calls later.
 */
export function leaveAsCreated(
  { planning, located, toBuild }: LocatedSync,
  { folders, dependencyLayers }: Pick<BuildResult, 'folders' | 'dependencyLayers'>,
  createdFrom: ReadonlySet<string>,
): LocatedSync {
  const references = readLayerReferences(planning.input.root);
  const left = new Set<ResourceIdentifier>();
  for (const { resource } of located) {
    const { id, type, kind } = resource;
    if (kind !== 'function' || references.has(id) || dependencyLayers.has(id)) continue;
    const { code } = resource.resource;
    const path = folders.get(id)?.path ?? ('path' in code ? code.path : undefined);
    if (path !== undefined && !createdFrom.has(path)) continue;
    planning.outcomes.set(id, { id, type, action: 'none', changes: [] });
    left.add(id);
  }
  return {
    planning,
    located: located.filter(({ resource }) => !left.has(resource.id)),
    toBuild: toBuild.filter(({ id }) => !left.has(id)),
  };
}

/** Plans the code sync while `packing` builds and zips the code. Changes nothing in the cloud. */
export async function planCodeSync(
  { planning, located }: LocatedSync,
  packing: Promise<PackedCode>,
): Promise<CodeSyncPlan> {
  const { input, named, failures } = planning;
  const work = await planWork(planning, located, packing);
  const resources: PlannedResource[] = [
    ...failures.map(({ id, type, error, hint }) => {
      return { id, type, action: 'fail' as const, named: true, changes: [], why: error, hint };
    }),
    ...[...listSyncResources(input.root), ...listSettingsResources(input.root)].flatMap(({ id }) => {
      const outcome = planning.outcomes.get(id);
      return outcome === undefined ? [] : [{ ...outcome, named: named.has(id) }];
    }),
  ];
  return { resources, work, behind: await findBehind(planning.tools, work) };
}

/** Why a selected resource is left as it is; undefined: it is not. */
function skipReason(planning: Planning, resource: SyncResource): string | undefined {
  const { tools, input } = planning;
  const condition = conditionOf(resource);
  if (condition !== undefined && tools.values.condition(condition, resource.stack) === false)
    return `its condition ${condition} is false`;
  if (resource.kind === 'settings') return undefined;
  if (resource.kind !== 'layer' && settingsToCompare(planning, resource.id).length > 0) return undefined;
  return input.settingsOnly ? 'only settings are compared' : syncSkipReason(resource);
}

/** Locates the selected resources that are in the stack, and the functions that use a selected layer. */
async function locate(planning: Planning): Promise<Located[]> {
  const { tools, input, selected } = planning;
  // the facts about the stack name the settings
  if (input.settings !== undefined && selected.length > 0) await tools.stacks.stackId();
  const possible = selected.filter((resource) => {
    const { id, type } = resource;
    if (resource.kind === 'settings' && settingsToCompare(planning, id).length === 0) return false;
    const why = skipReason(planning, resource);
    if (why !== undefined) planning.outcomes.set(id, { id, type, action: 'skip', changes: [], why });
    return why === undefined;
  });
  if (possible.length === 0) return [];
  const users = layerUsers(input.root, possible);
  const there = await locateResources(tools.stacks, [...possible, ...users]);
  return [...possible, ...users].flatMap((resource) => {
    const deployed = there.get(resource.id);
    if (deployed !== undefined) return [{ resource, deployed }];
    if (possible.includes(resource)) planning.outcomes.set(resource.id, describeAbsent(resource, input.stackName));
    return [];
  });
}

/** Lists the functions that are not selected and use, or may use, a selected layer. */
function layerUsers(root: Stack, selected: readonly SyncResource[]): SyncResource[] {
  const layers = new Set(selected.filter(({ kind }) => kind === 'layer').map(({ id }) => id));
  if (layers.size === 0) return [];
  const references = readLayerReferences(root);
  const chosen = new Set(selected.map(({ id }) => id));
  return listSyncResources(root).filter(
    (resource) =>
      resource.kind === 'function' &&
      !chosen.has(resource.id) &&
      references
        .get(resource.id)
        ?.some((entry) => entry === 'unknown' || (entry !== 'other' && layers.has(entry.layer))),
  );
}
