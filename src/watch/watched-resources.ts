import { planBuild } from '../builder/plan-build.ts';
import type { BuildDefinition } from '../builder/plan-build.ts';
import { readLayerReferences } from '../model/layer-references.ts';
import { readSettable } from '../model/settable-resources.ts';
import { flattenStacks, identifierOf } from '../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import { localWebFunctions } from '../model/web-functions.ts';
import { isBuiltAs, kindOf } from '../template/kinds/kinds.ts';
import { resourcesOf } from '../template/template.ts';
import { buildOptionsOf } from '../sync/build-options-of.ts';
import { syncSkipReason } from '../sync/code/locate-resources.ts';
import { selectResources } from '../sync/code/select-resources.ts';
import { listSyncResources } from '../sync/code/sync-resource.ts';
import type { ResourceResult } from '../sync/code/sync-resource.ts';
import type { SyncRun } from '../sync/sync-run.ts';

/** The resources of the templates, as far as code syncs need them. */
export interface WatchedResources {
  root: Stack;
  /** Resources that a code sync can update and the options select. */
  selected: ReadonlySet<ResourceIdentifier>;
  /** Further resources with settings that a service can set directly. */
  settable: ReadonlySet<ResourceIdentifier>;
  /** Web Functions with code on this machine. */
  webFunctions: readonly ResourceIdentifier[];
  /** Those of them that only a deployment updates. */
  deployedOnly: readonly ResourceIdentifier[];
  /** Resources whose changes are noticed. */
  watched: readonly ResourceIdentifier[];
  /** How a change of the resource's code or definition is synced (`TriggerInput.syncMethod`). */
  syncMethod(id: ResourceIdentifier): 'code' | 'set' | 'deploy' | undefined;
  /** What a code sync of the resource changes in the cloud, and the build it shares with others. */
  touchedBy(id: ResourceIdentifier): ReadonlySet<string>;
}

/** Finds the resources to watch. `failures`: selected resources that cannot be synced. Pure. */
export function findWatchedResources(
  root: Stack,
  run: Pick<SyncRun, 'options' | 'environment'>,
): { resources: WatchedResources; failures: readonly ResourceResult[] } {
  const { resourceIds, resourceTypes, code, directConfig } = run.options;
  const selection = selectResources(root, { ids: resourceIds, types: resourceTypes });
  const syncable = new Set(
    listSyncResources(root).flatMap((item) => (syncSkipReason(item) === undefined ? [item.id] : [])),
  );
  const selected = new Set(selection.resources.flatMap(({ id }) => (syncable.has(id) ? [id] : [])));
  const isEverything = resourceIds.length + resourceTypes.length === 0;
  const webFunctions = localWebFunctions(root);
  const deployedOnly = directConfig && !code ? [] : webFunctions;
  const revised = new Set(deployedOnly.length === 0 ? webFunctions : []);
  const withFiles = new Set(directConfig ? withSettingFiles(root) : []);
  const touched = listTouched(root, planBuild(root, buildOptionsOf(run)).definitions);
  const resources: WatchedResources = {
    root,
    selected,
    settable: new Set(settableResources(root).filter((id) => isEverything && !selected.has(id))),
    webFunctions,
    deployedOnly,
    watched: [...selected, ...(code ? [] : webFunctions)],
    syncMethod: (id) => {
      if (selected.has(id) || revised.has(id)) return 'code';
      if (syncable.has(id) || code) return undefined;
      return withFiles.has(id) ? 'set' : 'deploy';
    },
    touchedBy: (id) => touched.get(id) ?? new Set([id]),
  };
  // what no code sync updates, a deployment does
  const failures = selection.failures.filter(({ type }) => code || !isBuiltAs(type, 'web-function'));
  return { resources, failures };
}

/** Lists the resources of types with settings that a service sets. */
function settableResources(root: Stack): ResourceIdentifier[] {
  return flattenStacks(root).flatMap((stack) => {
    const written = resourcesOf(stack.resolved).flatMap(([logicalId, { Type: type }]) =>
      kindOf(type)?.direct === undefined ? [] : [identifierOf(stack.path, logicalId)],
    );
    return [...new Set([...written, ...readSettable(stack).map(({ id }) => id)])];
  });
}

/** Lists the resources with files that are values of settings, theirs or those of resources that SAM generates for them. */
function withSettingFiles(root: Stack): ResourceIdentifier[] {
  return flattenStacks(root).flatMap((stack) =>
    readSettable(stack).flatMap(({ type, logicalId, owner = logicalId }) => {
      const isFile = Object.values(kindOf(type)?.direct ?? {}).some((property) => property.isFile);
      return isFile ? [identifierOf(stack.path, owner)] : [];
    }),
  );
}

/** Lists what a sync of each resource changes; a shared build has a name of its own. */
function listTouched(root: Stack, definitions: readonly BuildDefinition[]): Map<ResourceIdentifier, Set<string>> {
  const touched = new Map<ResourceIdentifier, Set<string>>();
  const add = (id: ResourceIdentifier, what: string): void => {
    touched.set(id, (touched.get(id) ?? new Set([id])).add(what));
  };
  const layers = listSyncResources(root).filter(({ kind }) => kind === 'layer');
  for (const [fn, references] of readLayerReferences(root)) {
    for (const reference of references) {
      if (reference === 'unknown') for (const { id } of layers) add(id, fn);
      else if (reference !== 'other') add(reference.layer, fn);
    }
  }
  for (const { ids, key } of definitions) {
    if (ids.length > 1) for (const id of ids) add(id, `build ${key}`);
  }
  return touched;
}
