import { compareTemplates, describeDifference } from '../../deploy/compare-templates.ts';
import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { withRouteSettings } from '../../model/api-events.ts';
import { withGenerated } from '../../model/generated-settings.ts';
import { implicitApis } from '../../model/implicit-apis.ts';
import { createStackValues } from '../../model/stack-values.ts';
import type { StackValues } from '../../model/stack-values.ts';
import { flattenStacks, identifierOf } from '../../model/stack.ts';
import { hasRefusedType } from '../../model/sam-value-types.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { globalsSection, isServerless, kindOf, RESOURCE_KINDS } from '../../template/kinds/kinds.ts';
import type { ResourceKind } from '../../template/kinds/resource-kind.ts';
import { namedSetting } from '../../template/kinds/setting-parts.ts';
import { namesIn } from '../../template/names-in.ts';
import { mapOf, resourceOf, resourcesOf, scalarText } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { EXTENSIONS_TRANSFORM, SERVERLESS_TRANSFORM, transformsOf } from '../../template/transforms.ts';
import { readSettingDifference } from './changed-settings.ts';
import type { SettingDifference } from './changed-settings.ts';

/** What a service can set on what exists, and what only a deployment can do. */
export interface ChangeSplit {
  /** Resource → its changed properties that a service sets. */
  direct: ReadonlyMap<ResourceIdentifier, readonly string[]>;
  /** The other differences, in a few words each. */
  rest: readonly string[];
  /** Resource → its changed properties that only the deployment changes. */
  deployed: ReadonlyMap<ResourceIdentifier, ReadonlySet<string>>;
}

/** How a difference is read. */
interface SplitOptions {
  /** The difference is only where code is, which a code sync updates. */
  isCode?: (stack: Stack, difference: TemplateDifference) => boolean;
  /** `before` is not deployed: some of the settings are set back to what is. */
  setsBack?: boolean;
}

/** Splits the difference between two versions of an application's templates by resource and property. Pure. */
export function splitChanges(
  before: Stack,
  after: Stack,
  { isCode = () => false, setsBack = false }: SplitOptions = {},
): ChangeSplit {
  const split: Split = {
    values: [createStackValues(before, NOTHING), createStackValues(after, NOTHING)],
    isCode,
    setsBack,
    // the whole deployment fails
    isRefused: !setsBack && flattenStacks(after).some(({ source }) => hasRefusedType(source)),
    direct: new Map(),
    rest: [],
    deployed: new Map(),
  };
  collect(split, withEvents(before, split.values[0]), withEvents(after, split.values[1]));
  return { direct: split.direct, rest: split.rest, deployed: split.deployed };
}

/** The resolved views with the APIs, rules and schedules that SAM generates for events, and the settings of routes in the APIs. */
function withEvents(stack: Stack, values: StackValues): Stack {
  const apis = implicitApis(stack).map(({ logicalId, type, properties }) => [
    logicalId,
    { Type: type, Properties: values.resolve(properties, stack) },
  ]);
  const generated = withGenerated(stack);
  const resources = withRouteSettings({
    ...mapOf(generated['Resources']),
    ...(Object.fromEntries(apis) as TemplateMap),
  });
  const children = stack.children.map((child) => withEvents(child, values));
  return { ...stack, resolved: { ...stack.resolved, Resources: resources }, children };
}

const NOTHING = { resource: () => undefined, parameter: () => undefined };

interface Split {
  values: readonly [StackValues, StackValues];
  isCode: (stack: Stack, difference: TemplateDifference) => boolean;
  setsBack: boolean;
  /** SAM refuses the templates: nothing of them is deployed, so nothing of them is set. */
  isRefused: boolean;
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
    if (!CARRIED.has(section) && !isResolved && !isGlobalSetting(difference, [before, after])) rest(difference);
  }
  const changed = withoutMoving(after, changedResources(split, before, after));
  for (const { logicalId, names, others } of split.setsBack
    ? changed
    : changed.map((one) => withoutAlone(after, one))) {
    const id = identifierOf(after.path, logicalId);
    if (names.size > 0) split.direct.set(id, [...names]);
    const left = others.filter((one) => !isAllAmong(one, names));
    if (left.length > 0) split.deployed.set(id, new Set(left.flatMap((one) => one.names)));
    if (!isNested(after, logicalId)) left.forEach(({ difference }) => rest(difference));
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
  /** The settings that a service sets. */
  names: Set<string>;
  /** The differences that are not where code is. */
  others: readonly SettingDifference[];
}

function isAllAmong({ names }: SettingDifference, set: ReadonlySet<string>): boolean {
  return names.every((name) => set.has(name));
}

function changedResources({ isCode, isRefused }: Split, before: Stack, after: Stack): ChangedResource[] {
  return [...changedProperties(before, after)].map(([logicalId, differences]) => {
    const [was, is] = [before, after].map((stack) => resourceOf(stack.resolved, logicalId));
    const others = differences
      .filter((difference) => !isCode(after, difference))
      .map((difference) => readSettingDifference(was ?? {}, is ?? {}, difference));
    const isSameType = typeOf(before, logicalId) === typeOf(after, logicalId);
    return { logicalId, others, names: isSameType && !isRefused ? directNames(after, logicalId, others) : new Set() };
  });
}

/**
 * Without the properties that refer to a resource that the deployment changes: a replaced one has another name or ARN, which
 * only CloudFormation knows.
 */
function withoutMoving(after: Stack, changed: readonly ChangedResource[]): ChangedResource[] {
  const isMoving = ({ names, others }: ChangedResource): boolean => others.some((one) => !isAllAmong(one, names));
  const moving = new Set(changed.filter(isMoving).map(({ logicalId }) => logicalId));
  return changed.map((one) => {
    const { Type: type, Properties: properties } = resourceOf(after.resolved, one.logicalId);
    const isKnown = (name: string): boolean =>
      !namesIn(namedSetting(type, mapOf(properties), name).value ?? null).some((other) => moving.has(other));
    return { ...one, names: new Set([...one.names].filter(isKnown)) };
  });
}

/** Without the settings that wait if anything else of the resource does. */
function withoutAlone(after: Stack, changed: ChangedResource): ChangedResource {
  const { logicalId, names, others } = changed;
  const { directAlone: alone = [], directDefinition = [] } = kindOf(typeOf(after, logicalId)) ?? {};
  if (others.every((one) => isAllAmong(one, names))) return changed;
  const { Properties: properties } = resourceOf(after.resolved, logicalId);
  // they, and parts of them, go into the definition
  const goesIn = (name: string): boolean => alone.includes(name.split('.')[0] ?? '');
  const isWithin = others.some((one) => one.names.some(goesIn)) || Object.keys(mapOf(properties)).some(goesIn);
  const directAlone = isWithin ? [...alone, ...directDefinition] : alone;
  return { ...changed, names: new Set([...names].filter((name) => !directAlone.includes(name))) };
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

/** Whether the difference is in `Globals`, in properties that services set: it shows in the resources. */
function isGlobalSetting({ path: [section, type, property] }: TemplateDifference, stacks: readonly Stack[]): boolean {
  if (section !== 'Globals') return false;
  if (type !== undefined && property !== undefined) return DIRECT_GLOBALS.has(`${type}.${property}`);
  // a section came or went
  const globals = stacks.flatMap(({ source }) => Object.entries(mapOf(source['Globals'])));
  const changed = globals.filter(([name]) => type === undefined || name === type);
  return changed.every(([name, entry]) =>
    Object.keys(mapOf(entry)).every((one) => DIRECT_GLOBALS.has(`${name}.${one}`)),
  );
}

const DIRECT_GLOBALS: ReadonlySet<string> = new Set(
  (Object.entries(RESOURCE_KINDS) as [string, ResourceKind][]).flatMap(
    ([type, { direct = {}, directEntries = {}, generatedDirect = [], directTag }]) =>
      isServerless(type)
        ? [
            ...Object.keys({ ...direct, ...directEntries }),
            ...generatedDirect,
            ...(directTag === undefined ? [] : ['Tags']),
          ].map((property) => `${globalsSection(type)}.${property}`)
        : [],
  ),
);

/** What a parent passes to a nested stack shows in that stack. */
function isNested({ children }: Stack, logicalId: string): boolean {
  return children.some((child) => child.logicalId === logicalId);
}

function typeOf(stack: Stack, logicalId: string): TemplateValue | undefined {
  return resourceOf(stack.resolved, logicalId)['Type'];
}

/** The settings of the resource in these differences that a service sets. */
function directNames(stack: Stack, logicalId: string, differences: readonly SettingDifference[]): Set<string> {
  const { Type: type, Properties: properties } = resourceOf(stack.resolved, logicalId);
  const { directDefinition = [], generatedDirect = [], deployedWhole = [], deployedWith = [] } = kindOf(type) ?? {};
  const isVersioned = deployedWith.some((name) => isSet(mapOf(properties)[name]));
  const changed = new Set(differences.map(({ difference: { path } }) => path[3] ?? ''));
  if (hasMacro(stack) || isVersioned || deployedWhole.some((name) => changed.has(name))) return new Set();
  const refused = new Set<string>();
  for (const { difference, names, isSettable } of differences) {
    const { path, change } = difference;
    const isWhole = change === 'changed' || path.length > 4;
    const property = path[3] ?? '';
    if ((isWhole && directDefinition.includes(property)) || generatedDirect.includes(property)) continue;
    if (!isSettable) for (const name of names) refused.add(name);
  }
  return new Set(differences.flatMap(({ names }) => names.filter((name) => !refused.has(name))));
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
