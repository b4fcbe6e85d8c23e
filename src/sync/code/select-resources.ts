import { identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { constructId } from '../../template/cdk.ts';
import { resourceOf, resourcesOf } from '../../template/template.ts';
import type { TemplateResource } from '../../template/template.ts';
import { isBuiltAs } from '../../template/kinds/kinds.ts';
import type { SyncableType } from '../../template/kinds/kinds.ts';
import { listSettingsResources, listSyncResources } from './sync-resource.ts';
import type { CodeResource, ResourceResult, SyncResource } from './sync-resource.ts';

/** The resources to sync: these identifiers and all of these types; both empty: everything. */
export interface Selection {
  ids: readonly ResourceIdentifier[];
  types: readonly SyncableType[];
}

/** Everything that can be synced. */
export const EVERYTHING: Selection = { ids: [], types: [] };

/** The selected resources, each once, and a failed result for each unknown identifier. */
export interface Selected<R extends SyncResource = CodeResource> {
  resources: readonly R[];
  /** Identifiers that the command names. */
  named: ReadonlySet<ResourceIdentifier>;
  failures: readonly ResourceResult[];
}

/** Finds the resources that `--resource-id` and `--resource` select. Pure. */
export function selectResources(root: Stack, { ids, types }: Selection): Selected {
  const all = listSyncResources(root);
  return select(root, { ids, types }, all);
}

/** The same, with resources that have settings only. Pure. */
export function selectWithSettings(root: Stack, selection: Selection): Selected<SyncResource> {
  return select<SyncResource>(root, selection, [...listSyncResources(root), ...listSettingsResources(root)]);
}

function select<R extends SyncResource>(root: Stack, { ids, types }: Selection, all: readonly R[]): Selected<R> {
  if (ids.length === 0 && types.length === 0) return { resources: all, named: new Set(), failures: [] };
  const given: readonly string[] = types;
  const chosen = new Set(all.filter(({ type }) => given.includes(type)).map(({ id }) => id));
  const names = resourceNames(root);
  const named = new Set<ResourceIdentifier>();
  const failures: ResourceResult[] = [];
  for (const name of new Set(ids)) {
    // an API that SAM generates is in no template
    const id = names.get(name)?.id ?? all.find((resource) => resource.id === name)?.id;
    if (id !== undefined && all.some((resource) => resource.id === id)) named.add(id);
    else failures.push(describeUnknown(name, { names, all }));
  }
  return { resources: all.filter(({ id }) => chosen.has(id) || named.has(id)), named, failures };
}

interface Named {
  id: ResourceIdentifier;
  resource: TemplateResource;
}

/** Maps the names that a user may give to resources: logical ids and, in CDK applications, construct ids. */
function resourceNames(root: Stack): Map<string, Named> {
  const byLogicalId = new Map<string, Named>();
  const byConstruct = new Map<string, Named>();
  const visit = (stack: Stack, constructPath: string): void => {
    for (const [logicalId, resource] of resourcesOf(stack.resolved)) {
      const id = identifierOf(stack.path, logicalId);
      byLogicalId.set(id, { id, resource });
      const construct = constructId(resource) ?? logicalId;
      const name = identifierOf(constructPath, construct);
      if (!byConstruct.has(name)) byConstruct.set(name, { id, resource });
      const child = stack.children.find((candidate) => candidate.logicalId === logicalId);
      if (child !== undefined) visit(child, name);
    }
  };
  visit(root, '');
  return new Map([...byConstruct, ...byLogicalId]);
}

function describeUnknown(
  given: string,
  { names, all }: { names: ReadonlyMap<string, Named>; all: readonly SyncResource[] },
): ResourceResult {
  const named = names.get(given);
  if (named !== undefined) {
    const { Type: type } = named.resource;
    if (isBuiltAs(type, 'web-function')) {
      const error = `${given} is a Web Function: a code sync cannot update it`;
      return { ...failure(given, type), error, hint: 'Sync without --code: CloudFormation deploys Web Functions.' };
    }
    return {
      ...failure(given, type),
      error: `${given} is of type ${type}, which --code does not sync`,
      hint: '--code syncs functions, layers, APIs and state machines. Sync without --code to deploy everything.',
    };
  }
  const candidates = all.map(({ id }) => id);
  const elsewhere = candidates.filter((id) => id.endsWith(`/${given}`));
  const nearest = elsewhere[0] ?? nearestName(given, candidates);
  const known = candidates.length === 0 ? 'The template has none' : `There are: ${candidates.slice(0, 20).join(', ')}`;
  return {
    ...failure(given, ''),
    error: `The template has no resource ${given}`,
    hint: nearest === undefined ? `${known}${candidates.length > 20 ? ', …' : ''}.` : `Did you mean ${nearest}?`,
  };
}

function failure(id: string, type: string): ResourceResult {
  return { id, type, outcome: 'failed', ms: 0 };
}

/** The name of the resource's condition, if it has one. */
export function conditionOf({ stack, resource }: SyncResource): string | undefined {
  const owner = 'owner' in resource ? resource.owner : undefined;
  const condition = resourceOf(stack.resolved, owner ?? resource.logicalId)['Condition'];
  return typeof condition === 'string' ? condition : undefined;
}
