import type { DefinedResource } from '../../model/definitions.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { holdsVersions } from '../../model/version-references.ts';
import type { DefinitionPlan } from '../../services/definition-plan.ts';
import { planDefinition } from '../../services/definitions.ts';
import type { DefinitionUpdate } from '../../services/definitions.ts';
import { planServiceSettings } from '../../services/settings.ts';
import type { SettingsPlan } from '../../services/settings-plan.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { flowOf, hasDefinition, isServerless, kindOf } from '../../template/kinds/kinds.ts';
import { isTaggedBySetting } from '../../template/kinds/setting-parts.ts';
import type { ChangedDefinition, PlannedWork } from './code-sync-plan.ts';
import { attempt, PLANNED_AT_ONCE, settingsToCompare } from './planning.ts';
import type { Located, Planning } from './planning.ts';
import type { SyncDefinition, SyncSettings } from './sync-resource.ts';

/** The planned updates, and the settings that each resource has once they are applied. */
interface PlannedDefinitions extends Pick<PlannedWork, 'definitions' | 'requests'> {
  compared: ReadonlyMap<ResourceIdentifier, readonly string[]>;
}

/** Compares definitions, and settings that have requests of their own, with the services. */
export async function planDefinitions(
  planning: Planning,
  located: readonly Located<SyncDefinition | SyncSettings>[],
): Promise<PlannedDefinitions> {
  const definitions = new Map<ResourceIdentifier, ChangedDefinition>();
  const requests = new Map<ResourceIdentifier, SettingsPlan>();
  const compared = new Map<ResourceIdentifier, readonly string[]>();
  await mapLimit(located, PLANNED_AT_ONCE, async (one) => {
    const { id } = one.resource;
    const plans = await attempt(planning, one.resource, () => planOne(planning, one));
    if (plans === undefined) return;
    const { definition, settings } = plans;
    if (definition.action === 'update') definitions.set(id, definition);
    if (settings !== undefined && settings.requests.length > 0) requests.set(id, settings);
    const names = [...settingsOf(definition), ...(settings?.settings ?? [])];
    if (names.length > 0) compared.set(id, names);
    planning.outcomes.set(id, describe(one.resource, plans));
  });
  return { definitions, requests, compared };
}

/** The plans for a resource. */
interface Plans {
  definition: DefinitionPlan<DefinitionUpdate>;
  settings: SettingsPlan | undefined;
  /** The template changed the definition. */
  isChanged: boolean;
}

async function planOne(
  planning: Planning,
  { resource, deployed }: Located<SyncDefinition | SyncSettings>,
): Promise<Plans> {
  const { tools, input } = planning;
  const { id, stack } = resource;
  const names = settingsToCompare(planning, id);
  const defined = resource.kind === 'settings' ? generatedApi(resource) : resource.resource;
  if (defined === undefined) {
    const own = { ...resource.resource, id, type: resource.type };
    const settings = await planServiceSettings(tools, { resource: own, stack, deployed, settings: names });
    return { definition: { action: 'none' }, settings, isChanged: false };
  }
  // a definition with versions of other resources changes with them, without a new deployment of the API
  const isDeployed = input.isDeployed(id) && !holdsVersions(input.root, stack, defined.logicalId);
  const { directDefinition = [] } = kindOf(defined.type) ?? {};
  const changed = input.settings?.(id)?.compare ?? [];
  const isChanged = changed.some((name) => directDefinition.includes(name));
  const work = { resource: defined, stack, deployed };
  const own = names.filter((name) => !isInDefinition(defined, name));
  const inFlow = names.filter((name) => !isTaggedBySetting(defined.type, name));
  const [definition, settings] = await Promise.all([
    planDefinition(tools, { ...work, isDeployed, isChanged, settings: inFlow }),
    planServiceSettings(tools, { ...work, settings: own }),
  ]);
  return { definition, settings, isChanged: changed.some((name) => isInDefinition(defined, name)) };
}

/** An API that SAM generates for events, as a resource with a definition; undefined: it is another resource. */
function generatedApi({
  id,
  type,
  stack,
  resource: { logicalId, properties },
}: SyncSettings): DefinedResource | undefined {
  if (!hasDefinition(type)) return undefined;
  const definition = { kind: 'none' as const };
  return { flow: flowOf(type), id, stackPath: stack.path, logicalId, type, definition, properties };
}

/** Whether the flow sends the property with the definition. */
function isInDefinition({ flow, type, definition }: DefinedResource, name: string): boolean {
  const { directDefinition = [], generatedDirect = [], settings = [] } = kindOf(type) ?? {};
  if (generatedDirect.includes(name)) return true;
  // an import of a plain HTTP API's definition does not have the API's properties
  const isComplete = isServerless(type) || flow === 'rest-api';
  const isSent = isComplete && (definition.kind === 'file' || definition.kind === 'inline');
  return directDefinition.includes(name) || (isSent && settings.includes(name));
}

function settingsOf(definition: Plans['definition']): readonly string[] {
  return 'settings' in definition ? (definition.settings ?? []) : [];
}

function describe(
  { id, type }: Pick<SyncDefinition | SyncSettings, 'id' | 'type'>,
  { definition, settings, isChanged }: Plans,
): Planning['outcomes'] extends Map<string, infer Outcome> ? Outcome : never {
  const isUpdate = definition.action === 'update';
  const changes = [...(isUpdate ? definition.changes : []), ...(settings?.changes ?? [])];
  const isPlanned = isUpdate || definition.action === 'none';
  if (!isPlanned && settings === undefined && !isChanged)
    return { id, type, action: definition.action, changes: [], why: definition.why, hint: definition.hint };
  const why = !isPlanned && isChanged ? [definition.why] : [];
  const waiting = [...why, ...(isPlanned ? (definition.waiting ?? []) : []), ...(settings?.waiting ?? [])];
  return { id, type, action: changes.length > 0 ? 'update' : 'none', changes, waiting };
}
