import { compareTemplates, describeDifference } from '../../deploy/compare-templates.ts';
import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { implicitApis } from '../../model/implicit-apis.ts';
import { createStackValues } from '../../model/stack-values.ts';
import type { StackValues } from '../../model/stack-values.ts';
import { identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { isFixed, mayComeOrGo } from '../../template/kinds/direct-settings.ts';
import { globalsSection, isServerless, kindOf, RESOURCE_KINDS } from '../../template/kinds/kinds.ts';
import type { ResourceKind } from '../../template/kinds/resource-kind.ts';
import { namesIn } from '../../template/names-in.ts';
import { mapOf, resourceOf, resourcesOf, scalarText } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { EXTENSIONS_TRANSFORM, SERVERLESS_TRANSFORM, transformsOf } from '../../template/transforms.ts';

/** What a service can set on what exists, and what only a deployment can do. */
export interface ChangeSplit {
  /** Resource → its changed properties that a service sets. */
  direct: ReadonlyMap<ResourceIdentifier, readonly string[]>;
  /** The other differences, in a few words each. */
  rest: readonly string[];
  /** Resource → its changed properties that only the deployment changes. */
  deployed: ReadonlyMap<ResourceIdentifier, ReadonlySet<string>>;
}

/**
 * Splits the difference between two versions of an application's templates by resource and property. `isCode`: the difference
 * is only where code is, which a code sync updates. Pure.
 */
export function splitChanges(
  before: Stack,
  after: Stack,
  isCode: (stack: Stack, difference: TemplateDifference) => boolean = () => false,
): ChangeSplit {
  const split: Split = {
    values: [createStackValues(before, NOTHING), createStackValues(after, NOTHING)],
    isCode,
    direct: new Map(),
    rest: [],
    deployed: new Map(),
  };
  collect(split, withImplicitApis(before, split.values[0]), withImplicitApis(after, split.values[1]));
  return { direct: split.direct, rest: split.rest, deployed: split.deployed };
}

/** The resolved views with the APIs that SAM generates for events. */
function withImplicitApis(stack: Stack, values: StackValues): Stack {
  const apis = implicitApis(stack).map(({ logicalId, type, properties }) => [
    logicalId,
    { Type: type, Properties: values.resolve(properties, stack) },
  ]);
  const resources = { ...mapOf(stack.resolved['Resources']), ...(Object.fromEntries(apis) as TemplateMap) };
  const children = stack.children.map((child) => withImplicitApis(child, values));
  return { ...stack, resolved: { ...stack.resolved, Resources: resources }, children };
}

const NOTHING = { resource: () => undefined, parameter: () => undefined };

interface Split {
  values: readonly [StackValues, StackValues];
  isCode: (stack: Stack, difference: TemplateDifference) => boolean;
  direct: Map<ResourceIdentifier, string[]>;
  rest: string[];
  deployed: Map<ResourceIdentifier, Set<string>>;
}

/** Sections whose differences show in the resources that use them. */
const CARRIED = new Set(['Conditions', 'Mappings', 'Parameters']);

function collect(split: Split, before: Stack, after: Stack): void {
  const prefix = after.path === '' ? '' : `${after.path}/`;
  const rest = (difference: TemplateDifference): void =>
    void split.rest.push(`${prefix}${describeDifference(difference)}`);
  for (const difference of compareTemplates(before.source, after.source)) {
    const [section = '', , properties] = difference.path;
    // properties are compared as they are resolved
    const isResolved = section === 'Resources' && properties === 'Properties';
    if (!CARRIED.has(section) && !isResolved && !isGlobalSetting(difference)) rest(difference);
  }
  for (const { logicalId, names, others } of withoutMoving(after, changedResources(split, before, after))) {
    const id = identifierOf(after.path, logicalId);
    if (names.size > 0) split.direct.set(id, [...names]);
    const left = others.filter(({ path }) => !names.has(path[3] ?? ''));
    if (left.length > 0) split.deployed.set(id, new Set(left.map(({ path }) => path[3] ?? '')));
    if (!isNested(after, logicalId)) left.forEach(rest);
  }
  split.rest.push(...movedConditions(split, before, after).map((id) => `${prefix}${id}: its condition changed`));
  for (const child of after.children) {
    const old = before.children.find(({ path }) => path === child.path);
    if (old === undefined) split.rest.push(`template of ${child.path}`);
    else collect(split, old, child);
  }
}

/** A resource whose properties differ. */
interface ChangedResource {
  logicalId: string;
  /** The properties that a service sets. */
  names: Set<string>;
  /** The differences that are not where code is. */
  others: readonly TemplateDifference[];
}

function changedResources({ isCode }: Split, before: Stack, after: Stack): ChangedResource[] {
  return [...changedProperties(before, after)].map(([logicalId, differences]) => {
    const others = differences.filter((difference) => !isCode(after, difference));
    const isSameType = typeOf(before, logicalId) === typeOf(after, logicalId);
    return { logicalId, others, names: isSameType ? directNames(after, logicalId, others) : new Set() };
  });
}

/**
 * Without the properties that refer to a resource that the deployment changes: a replaced one has another name or ARN, which
 * only CloudFormation knows.
 */
function withoutMoving(after: Stack, changed: readonly ChangedResource[]): ChangedResource[] {
  const isMoving = ({ names, others }: ChangedResource): boolean =>
    others.some(({ path }) => !names.has(path[3] ?? ''));
  const moving = new Set(changed.filter(isMoving).map(({ logicalId }) => logicalId));
  return changed.map((one) => {
    const properties = mapOf(resourceOf(after.resolved, one.logicalId)['Properties']);
    const isKnown = (name: string): boolean => !namesIn(properties[name] ?? null).some((other) => moving.has(other));
    return { ...one, names: new Set([...one.names].filter(isKnown)) };
  });
}

/** The differences of resolved properties by resource. */
function changedProperties(before: Stack, after: Stack): Map<string, TemplateDifference[]> {
  const byResource = new Map<string, TemplateDifference[]>();
  for (const difference of compareTemplates(before.resolved, after.resolved)) {
    const [section, logicalId = '', properties, name] = difference.path;
    if (section !== 'Resources' || properties !== 'Properties') continue;
    // a resource without properties has none of them
    const all = name === undefined ? propertiesOf(after, logicalId, difference) : [difference];
    byResource.set(logicalId, [...(byResource.get(logicalId) ?? []), ...all]);
  }
  return byResource;
}

function propertiesOf(stack: Stack, logicalId: string, { path, change }: TemplateDifference): TemplateDifference[] {
  if (change !== 'added') return [{ path, change }];
  const names = Object.keys(mapOf(resourceOf(stack.resolved, logicalId)['Properties']));
  return names.map((name) => ({ path: [...path, name], change }));
}

/** Whether the difference is in `Globals`, in a property that services set: it shows in the resources. */
function isGlobalSetting({ path: [section, type = '', property = ''] }: TemplateDifference): boolean {
  return section === 'Globals' && DIRECT_GLOBALS.has(`${type}.${property}`);
}

const DIRECT_GLOBALS: ReadonlySet<string> = new Set(
  (Object.entries(RESOURCE_KINDS) as [string, ResourceKind][]).flatMap(([type, { direct = {} }]) =>
    isServerless(type) ? Object.keys(direct).map((property) => `${globalsSection(type)}.${property}`) : [],
  ),
);

/** What a parent passes to a nested stack shows in that stack. */
function isNested({ children }: Stack, logicalId: string): boolean {
  return children.some((child) => child.logicalId === logicalId);
}

function typeOf(stack: Stack, logicalId: string): TemplateValue | undefined {
  return resourceOf(stack.resolved, logicalId)['Type'];
}

/** The properties of the resource among these differences that a service sets. */
function directNames(stack: Stack, logicalId: string, differences: readonly TemplateDifference[]): Set<string> {
  const { Type: type, Properties: properties } = resourceOf(stack.resolved, logicalId);
  const { direct = {}, directDefinition = [], deployedWhole = [], deployedWith = [] } = kindOf(type) ?? {};
  const isVersioned = deployedWith.some((name) => isSet(mapOf(properties)[name]));
  const changed = new Set(differences.map(({ path }) => path[3] ?? ''));
  if (hasMacro(stack) || isVersioned || deployedWhole.some((name) => changed.has(name))) return new Set();
  const refused = new Set<string>();
  for (const { path, change } of differences) {
    const [, , , name = '', ...below] = path;
    const property = Object.hasOwn(direct, name) ? direct[name] : undefined;
    const isWhole = change === 'changed' || below.length > 0;
    if (isWhole && directDefinition.includes(name)) continue;
    if (property === undefined || isFixed(property, below) || (change !== 'changed' && !mayComeOrGo(property, below)))
      refused.add(name);
  }
  return new Set([...changed].filter((name) => !refused.has(name)));
}

function isSet(value: TemplateValue | undefined): boolean {
  return value !== undefined && value !== null && scalarText(value) !== 'false';
}

/** What a macro makes of the template, only CloudFormation knows. */
function hasMacro({ source }: Stack): boolean {
  return transformsOf(source).some(({ name }) => name !== SERVERLESS_TRANSFORM && name !== EXTENSIONS_TRANSFORM);
}

/** Lists the resources whose condition changed its value: they come or go. */
function movedConditions({ values: [were, are] }: Split, before: Stack, after: Stack): string[] {
  return resourcesOf(after.resolved).flatMap(([logicalId, { Condition: name }]) => {
    if (typeof name !== 'string' || resourceOf(before.resolved, logicalId)['Condition'] !== name) return [];
    return were.condition(name, before) === are.condition(name, after) ? [] : [logicalId];
  });
}
