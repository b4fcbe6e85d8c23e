import { DEPENDENCY_STACK, dependencyLayerId } from '../builder/dependency-layers/dependency-layer.ts';
import { compareTemplates, describeDifference } from '../deploy/compare-templates.ts';
import type { TemplateDifference } from '../deploy/compare-templates.ts';
import { flattenStacks, identifierOf } from '../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import type { PackagedStack } from '../package/package-templates.ts';
import { mapLimit } from '../support/map-limit.ts';
import { isSourceProperty, kindOf, pathProperties } from '../template/kinds/kinds.ts';
import { changesStorageMode } from '../template/local-paths.ts';
import { getAt } from '../template/template-path.ts';
import { resourceOf } from '../template/template.ts';
import type { Template } from '../template/template.ts';
import { syncSkipReason } from './code/locate-resources.ts';
import { listSyncResources } from './code/sync-resource.ts';

/** How packaged templates differ from the deployed ones. */
export type DeployedComparison =
  | { kind: 'same' }
  /** Only in the locations of code and definitions; `ids`: of these functions, layers, APIs and state machines. */
  | { kind: 'code-only'; ids: ReadonlySet<ResourceIdentifier> }
  /** In a few words each: those found before the comparison stopped. Never empty. */
  | { kind: 'differs'; differences: readonly string[] };

/** Templates of nested stacks that are read at once; `aws/quotas.ts` paces the calls. */
const PARALLEL_READS = 4;

/**
 * Compares packaged templates with the deployed ones, and nested stacks whose location differs, until a difference needs a
 * deployment. `readNested`: reads the template that a nested stack was deployed with. Ignores parameters and tags.
 */
export async function compareDeployed(
  root: Stack,
  packaged: PackagedStack,
  deployed: {
    template: Template | undefined;
    readNested(path: string): Promise<Template | undefined>;
  },
): Promise<DeployedComparison> {
  const sync = listSyncResources(root).filter((resource) => syncSkipReason(resource) === undefined);
  const comparison: Comparison = {
    syncable: new Set(sync.map(({ id }) => id)),
    stacks: new Map(flattenStacks(root).map((stack) => [stack.path, stack] as const)),
    readNested: (path) => deployed.readNested(path),
    ids: new Set(),
    differences: [],
  };
  await compareStack(comparison, packaged, deployed.template);
  const { ids, differences } = comparison;
  if (differences.length > 0) return { kind: 'differs', differences };
  return ids.size === 0 ? { kind: 'same' } : { kind: 'code-only', ids };
}

interface Comparison {
  /** Resources whose code or definition a code sync can update. */
  syncable: ReadonlySet<ResourceIdentifier>;
  stacks: ReadonlyMap<string, Stack>;
  readNested(path: string): Promise<Template | undefined>;
  ids: Set<ResourceIdentifier>;
  differences: string[];
}

async function compareStack(
  comparison: Comparison,
  packaged: PackagedStack,
  deployed: Template | undefined,
): Promise<void> {
  const { path } = packaged;
  if (deployed === undefined) {
    comparison.differences.push(path === '' ? 'template' : `template of ${path}`);
    return;
  }
  const nested: PackagedStack[] = [];
  for (const difference of compareTemplates(deployed, packaged.template)) {
    const child = nestedStack(packaged, difference);
    if (child !== undefined) {
      nested.push(child);
      continue;
    }
    const isStored = changesStorageMode(getAt(deployed, difference.path), getAt(packaged.template, difference.path));
    const id = isStored ? undefined : codeOwner(comparison, packaged, difference);
    if (id !== undefined) comparison.ids.add(id);
    else comparison.differences.push(`${path === '' ? '' : `${path}/`}${describeDifference(difference)}`);
  }
  await mapLimit(nested, PARALLEL_READS, async (child) => {
    if (comparison.differences.length > 0) return;
    await compareStack(comparison, child, await comparison.readNested(child.path));
  });
}

/** Finds the nested stack if the difference is only the location of its template. */
function nestedStack(
  { path, template, children }: PackagedStack,
  difference: TemplateDifference,
): PackagedStack | undefined {
  const [section, logicalId = '', properties, name, ...rest] = difference.path;
  const nested = pathProperties(resourceOf(template, logicalId)['Type'], 'template');
  const isLocation = nested.some(({ property }) => property[0] === name);
  if (section !== 'Resources' || properties !== 'Properties' || !isLocation || rest.length > 0) return undefined;
  if (difference.change !== 'changed') return undefined;
  return children.find((child) => child.path === identifierOf(path, logicalId));
}

const INCLUDED = ['Fn::Transform', 'Parameters', 'Location'];

/** Finds the resource if the difference is only the location of its code or definition; undefined: it is another one. */
function codeOwner(
  { syncable, stacks }: Comparison,
  { path, template }: PackagedStack,
  { path: at, change }: TemplateDifference,
): ResourceIdentifier | undefined {
  const [section, logicalId = '', properties, property = '', ...rest] = at;
  if (section !== 'Resources' || properties !== 'Properties' || change !== 'changed') return undefined;
  const type = resourceOf(template, logicalId)['Type'];
  const isBody = kindOf(type)?.body?.includes(property) === true;
  const isInclude = isBody && INCLUDED.every((key, index) => rest.at(index - 3) === key);
  if (!isSourceProperty(type, property) && !isInclude) return undefined;
  const id = identifierOf(path, logicalId);
  if (syncable.has(id)) return id;
  const parent = path === DEPENDENCY_STACK ? '' : path.replace(`/${DEPENDENCY_STACK}`, '');
  if (parent === path) return undefined;
  const owner = stacks.get(parent)?.functions.find((fn) => dependencyLayerId(fn.id) === logicalId);
  return owner !== undefined && syncable.has(owner.id) ? owner.id : undefined;
}
