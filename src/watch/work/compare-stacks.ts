import { compareTemplates } from '../../deploy/compare-templates.ts';
import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { isSourceProperty, kindOf } from '../../template/kinds/kinds.ts';
import { changesStorageMode } from '../../template/local-paths.ts';
import { getAt } from '../../template/template-path.ts';
import { resourceOf } from '../../template/template.ts';
import type { ResourceSet } from '../loop/schedule.ts';
import { touchedByUpdate } from './touched.ts';

/** The difference between two versions of an application's templates. */
export interface StackChange {
  /** They mean the same: at most formatting, comments or the order of keys differ. */
  isEmpty: boolean;
  /** Resources that differ only in the location of code or definition, or in a file that the definition includes. */
  relocated: ReadonlySet<ResourceIdentifier>;
  /** Nothing else differs. */
  isCodeOnly: boolean;
  /** Resources that a deployment of the change may touch. */
  touched: ResourceSet;
}

/** Compares templates with their version before; undefined: everything is new. `syncable`: resources that code syncs update. Pure. */
export function compareStacks(
  before: Stack | undefined,
  after: Stack,
  syncable: ReadonlySet<ResourceIdentifier>,
): StackChange {
  const differences: Differences = { relocated: new Set(), isEmpty: true, isCodeOnly: true, touched: [] };
  collect(differences, before, after, syncable);
  const { relocated, isEmpty, isCodeOnly, touched } = differences;
  return { relocated, isEmpty, isCodeOnly, touched: (id) => touched.some((isTouched) => isTouched(id)) };
}

interface Differences {
  relocated: Set<ResourceIdentifier>;
  isEmpty: boolean;
  isCodeOnly: boolean;
  touched: ResourceSet[];
}

function collect(
  differences: Differences,
  before: Stack | undefined,
  after: Stack,
  syncable: ReadonlySet<ResourceIdentifier>,
): void {
  const isHere = (id: ResourceIdentifier): boolean => after.path === '' || id.startsWith(`${after.path}/`);
  if (before === undefined) {
    differences.isEmpty = false;
    differences.isCodeOnly = false;
    differences.touched.push(isHere);
    return;
  }
  const inSource = compareTemplates(before.source, after.source);
  // included files and values of parameters are in the resolved view only
  const inResolved = compareTemplates(before.resolved, after.resolved).filter(
    (difference) => !isAmong(difference, inSource),
  );
  if (inSource.length + inResolved.length > 0) differences.isEmpty = false;
  const others: TemplateDifference[] = [];
  for (const difference of [...inSource, ...inResolved]) {
    const { path } = difference;
    const id = changesStorageMode(getAt(before.source, path), getAt(after.source, path))
      ? undefined
      : relocatedResource(after, difference, inResolved.includes(difference));
    if (id !== undefined && syncable.has(id)) differences.relocated.add(id);
    else others.push(difference);
  }
  if (others.length > 0) {
    differences.isCodeOnly = false;
    const touched = touchedByUpdate(others, after.source);
    const prefix = after.path === '' ? 0 : after.path.length + 1;
    differences.touched.push((id) => isHere(id) && touched(id.slice(prefix)));
  }
  for (const child of after.children) {
    const old = before.children.find(({ path }) => path === child.path);
    collect(differences, old, child, syncable);
  }
}

/** Whether the same property, or one that contains it, differs. */
function isAmong({ path }: TemplateDifference, others: readonly TemplateDifference[]): boolean {
  return others.some((other) => other.path.every((part, index) => part === path[index]));
}

/** Gives the resource if the difference is only its code's location or a file that its definition includes. */
function relocatedResource(
  stack: Stack,
  { path, change }: TemplateDifference,
  isIncluded: boolean,
): ResourceIdentifier | undefined {
  const [section, logicalId = '', properties, property = ''] = path;
  if (section !== 'Resources' || properties !== 'Properties') return undefined;
  const { body = [] } = kindOf(resourceOf(stack.resolved, logicalId)['Type']) ?? {};
  if (isIncluded && body.includes(property)) return identifierOf(stack.path, logicalId);
  const isLocation = isSourceProperty(resourceOf(stack.source, logicalId)['Type'], property);
  return isLocation && path.length === 4 && change === 'changed' ? identifierOf(stack.path, logicalId) : undefined;
}
