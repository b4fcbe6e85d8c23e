import { compareTemplates } from '../../deploy/compare-templates.ts';
import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { localPathProperties } from '../../template/local-paths.ts';
import { resourceOf } from '../../template/template.ts';
import type { ResourceSet } from '../loop/schedule.ts';
import { touchedByUpdate } from './touched.ts';

/** How the templates of an application differ from what they were. */
export interface StackChange {
  /** Nothing that means anything: formatting, comments, the order of keys. */
  isEmpty: boolean;
  /** Resources of which only the place of code or definition, or what is included into it, is another. */
  relocated: ReadonlySet<ResourceIdentifier>;
  /** Whether that is all. */
  isCodeOnly: boolean;
  /** What a deployment that brings the change may touch. */
  touched: ResourceSet;
}

/** Compares the templates as they are with what they were; `before` undefined: all is new. `syncable`: what code syncs bring. Pure. */
export function compareStacks(
  before: Stack | undefined,
  after: Stack,
  syncable: ReadonlySet<ResourceIdentifier>,
): StackChange {
  const found: Found = { relocated: new Set(), isEmpty: true, isCodeOnly: true, touched: [] };
  collect(found, before, after, syncable);
  const { relocated, isEmpty, isCodeOnly, touched } = found;
  return { relocated, isEmpty, isCodeOnly, touched: (id) => touched.some((isTouched) => isTouched(id)) };
}

interface Found {
  relocated: Set<ResourceIdentifier>;
  isEmpty: boolean;
  isCodeOnly: boolean;
  touched: ResourceSet[];
}

function collect(
  found: Found,
  before: Stack | undefined,
  after: Stack,
  syncable: ReadonlySet<ResourceIdentifier>,
): void {
  const isHere = (id: ResourceIdentifier): boolean => after.path === '' || id.startsWith(`${after.path}/`);
  if (before === undefined) {
    found.isEmpty = false;
    found.isCodeOnly = false;
    found.touched.push(isHere);
    return;
  }
  const written = compareTemplates(before.source, after.source);
  // what is included, and what parameters say, is in the resolved view alone
  const meant = compareTemplates(before.resolved, after.resolved).filter((difference) => !isAmong(difference, written));
  if (written.length + meant.length > 0) found.isEmpty = false;
  const others: TemplateDifference[] = [];
  for (const difference of [...written, ...meant]) {
    const id = relocatedResource(after, difference, meant.includes(difference));
    if (id !== undefined && syncable.has(id)) found.relocated.add(id);
    else others.push(difference);
  }
  if (others.length > 0) {
    found.isCodeOnly = false;
    const touched = touchedByUpdate(others, after.source);
    const prefix = after.path === '' ? 0 : after.path.length + 1;
    found.touched.push((id) => isHere(id) && touched(id.slice(prefix)));
  }
  for (const child of after.children) {
    const old = before.children.find(({ path }) => path === child.path);
    collect(found, old, child, syncable);
  }
}

/** Whether the same place, or one around it, differs. */
function isAmong({ path }: TemplateDifference, differences: readonly TemplateDifference[]): boolean {
  return differences.some((other) => other.path.every((part, index) => part === path[index]));
}

/** Properties that hold a definition, or what is included into it. */
const BODIES = new Set(['Body', 'Definition', 'DefinitionBody', 'DefinitionString']);

/** The resource of which the difference only says where its code is, or what is included into its definition. */
function relocatedResource(
  stack: Stack,
  { path, change }: TemplateDifference,
  isIncluded: boolean,
): ResourceIdentifier | undefined {
  const [section, logicalId = '', properties, property = ''] = path;
  if (section !== 'Resources' || properties !== 'Properties') return undefined;
  if (isIncluded && BODIES.has(property)) return identifierOf(stack.path, logicalId);
  const type = resourceOf(stack.source, logicalId)['Type'];
  const isLocation = localPathProperties(String(type)).some(
    (row) => row.property.length === 1 && row.property[0] === property && ['code', 'file'].includes(row.content),
  );
  return isLocation && path.length === 4 && change === 'changed' ? identifierOf(stack.path, logicalId) : undefined;
}
