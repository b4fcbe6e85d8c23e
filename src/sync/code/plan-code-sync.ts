import { readLayerReferences } from '../../model/layer-references.ts';
import type { Stack } from '../../model/stack.ts';
import { findBehind } from './behind-versions.ts';
import type { CodeSyncPlan, PlannedResource } from './code-sync-plan.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { describeAbsent, locateResources, syncSkipReason } from './locate-resources.ts';
import { planWork } from './plan-work.ts';
import type { Located, PlanInput, Planning } from './planning.ts';
import { conditionOf, selectResources } from './select-resources.ts';
import { listSyncResources } from './sync-resource.ts';
import type { SyncResource } from './sync-resource.ts';

/**
 * Finds out what a code sync has to do; nothing in the cloud is changed. If something that an earlier run remembered is
 * gone, all is looked for once more. undefined: `onLocated` said no.
 */
export async function planCodeSync(
  openTools: () => ServiceContext,
  input: PlanInput,
): Promise<{ plan: CodeSyncPlan; tools: ServiceContext } | undefined> {
  const first = await planOrDispose(openTools(), input);
  if (first === undefined || !first.somethingIsGone || !first.tools.stacks.remembered) return first;
  first.tools.stacks.forget();
  await first.tools.artifacts.dispose();
  return planOrDispose(openTools(), { ...input, onLocated: undefined });
}

interface Planned {
  plan: CodeSyncPlan;
  tools: ServiceContext;
  somethingIsGone: boolean;
}

async function planOrDispose(tools: ServiceContext, input: PlanInput): Promise<Planned | undefined> {
  try {
    const planned = await planOnce(tools, input);
    if (planned === undefined) await tools.artifacts.dispose();
    return planned;
  } catch (error) {
    await tools.artifacts.dispose();
    throw error;
  }
}

async function planOnce(opened: ServiceContext, input: PlanInput): Promise<Planned | undefined> {
  const { resources: selected, named, failures } = selectResources(input.root, input.selection);
  const planning: Planning = { tools: opened, input, selected, outcomes: new Map(), somethingIsGone: false };
  const located = await locate(planning);
  const { stacks } = opened;
  // else there is nothing to do and nothing to ask
  if (located.length > 0) {
    const stackId = await stacks.stackId();
    planning.tools = { ...opened, stackId, facts: stacks.facts };
    if ((await input.onLocated?.(stackId)) === false) return undefined;
  }
  const work = await planWork(planning, located);
  const resources: PlannedResource[] = [
    ...failures.map(({ id, type, error, hint }) => {
      return { id, type, action: 'fail' as const, named: true, changes: [], why: error, hint };
    }),
    ...listSyncResources(input.root).flatMap(({ id }) => {
      const outcome = planning.outcomes.get(id);
      return outcome === undefined ? [] : [{ ...outcome, named: named.has(id) }];
    }),
  ];
  const behind = await findBehind(planning.tools, work);
  return { plan: { resources, work, behind }, tools: planning.tools, somethingIsGone: planning.somethingIsGone };
}

/** The selected resources that are in the stack, and the functions that use a selected layer. */
async function locate(planning: Planning): Promise<Located[]> {
  const { tools, input, selected } = planning;
  const possible = selected.filter((resource) => {
    const condition = conditionOf(resource);
    const isOff = condition !== undefined && tools.values.condition(condition, resource.stack) === false;
    const why = isOff ? `its condition ${condition} does not hold` : syncSkipReason(resource);
    const { id, type } = resource;
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

/** Functions that are not selected and use, or may use, a selected layer. */
function layerUsers(root: Stack, selected: readonly SyncResource[]): SyncResource[] {
  const layers = new Set(selected.filter(({ kind }) => kind === 'layer').map(({ id }) => id));
  if (layers.size === 0) return [];
  const references = readLayerReferences(root);
  return listSyncResources(root).filter(
    (resource) =>
      resource.kind === 'function' &&
      !selected.includes(resource) &&
      !selected.some(({ id }) => id === resource.id) &&
      references
        .get(resource.id)
        ?.some((entry) => entry === 'unknown' || (entry !== 'other' && layers.has(entry.layer))),
  );
}
