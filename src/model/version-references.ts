import { ownValue } from '../support/own-value.ts';
import { hasIntrinsic } from '../template/intrinsics.ts';
import { isBuiltAs, kindOf, RESOURCE_KINDS } from '../template/kinds/kinds.ts';
import type { ResourceKind } from '../template/kinds/resource-kind.ts';
import { isMap, mapOf, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import { readLayerReferences } from './layer-references.ts';
import { createStackValues } from './stack-values.ts';
import type { StackValues } from './stack-values.ts';
import { flattenStacks, identifierOf, splitIdentifier } from './stack.ts';
import type { ResourceIdentifier, Stack } from './stack.ts';

/** The first of the marks: private-use characters, one each, which no template function can split. */
const FIRST_MARK = 0xf0000;
const ANY_MARK = /[\u{f0000}-\u{10ffff}]/u;

/**
 * Returns the values that change with a resource's code: outputs of the root stack, exports, and properties that refer to a
 * version, directly or through parameters and outputs of nested stacks. Omits the `Layers` of functions, which code syncs
 * update. Keys: identifier of the resource with the code; values: `output Name` or `Fn (Environment.Variables.NAME)`. Pure.
 */
export function readVersionReferences(root: Stack): ReadonlyMap<ResourceIdentifier, readonly string[]> {
  const { values, marks } = markVersions(root);
  const references: References = new Map();
  visit(root, values, (text, name) => {
    for (const id of marks.in(text)) add(references, id, name);
  });
  addLayersOfVersions(root, references);
  return new Map([...references].map(([id, names]) => [id, [...names]]));
}

/** Returns whether values may change with the code of the resource, by its type alone. Pure. */
export function mayBeFollowed(root: Stack, id: ResourceIdentifier): boolean {
  const { stackPath, logicalId } = splitIdentifier(id);
  const stack = flattenStacks(root).find(({ path }) => path === stackPath);
  const resource = mapOf(ownValue(mapOf(stack?.resolved['Resources']), logicalId));
  const versioned = kindOf(resource['Type'])?.versioned;
  if (versioned?.onlyWith === undefined) return versioned !== undefined;
  return isSet(mapOf(resource['Properties'])[versioned.onlyWith]);
}

/** Returns whether a property of the resource refers to a version. Pure. */
export function holdsVersions(root: Stack, stack: Stack, logicalId: string): boolean {
  const { values, marks } = markVersions(root);
  const resource = mapOf(ownValue(mapOf(stack.resolved['Resources']), logicalId));
  let holds = false;
  const onText: OnText = (text) => {
    holds ||= marks.in(text).length > 0;
  };
  visitResource({ resource, child: undefined, id: logicalId }, stack, { values, onText });
  return holds;
}

/** Creates values in which a mark of the resource replaces everything that changes with its code. */
function markVersions(root: Stack): { values: StackValues; marks: Marks } {
  const marks = createMarks();
  const values = createStackValues(root, {
    parameter: () => undefined,
    resource: (stack, logicalId, attribute) => {
      const owner = versionedBy(stack, logicalId, attribute);
      return owner === undefined ? undefined : marks.of(identifierOf(stack.path, owner));
    },
  });
  return { values, marks };
}

type References = Map<ResourceIdentifier, Set<string>>;

function add(references: References, id: ResourceIdentifier, name: string): void {
  references.set(id, (references.get(id) ?? new Set()).add(name));
}

interface Marks {
  of(id: ResourceIdentifier): string;
  in(text: string): ResourceIdentifier[];
}

function createMarks(): Marks {
  const ids: ResourceIdentifier[] = [];
  return {
    of: (id) => {
      const index = ids.indexOf(id);
      return String.fromCodePoint(FIRST_MARK + (index < 0 ? ids.push(id) - 1 : index));
    },
    in: (text) => ids.filter((_, index) => text.includes(String.fromCodePoint(FIRST_MARK + index))),
  };
}

/** Returns the logical ID of the resource whose code or definition changes the referenced value; undefined: none. */
function versionedBy(stack: Stack, logicalId: string, attribute = ''): string | undefined {
  const resources = mapOf(stack.resolved['Resources']);
  const resource = mapOf(ownValue(resources, logicalId));
  if (resource['Type'] === undefined) return generatedFor(resources, logicalId);
  const [name = ''] = attribute.split('.');
  const { attributes = [], namedBy } = kindOf(resource['Type'])?.versioned ?? {};
  if (!attributes.includes(name)) return undefined;
  return namedBy !== undefined && isSet(mapOf(resource['Properties'])[namedBy]) ? undefined : logicalId;
}

/** The resource beside which SAM generates this one, which no template declares, for each new definition. */
function generatedFor(resources: TemplateMap, generatedId: string): string | undefined {
  const owners = [...GENERATED_SUFFIXES].flatMap((suffix) => {
    const owner = generatedId.endsWith(suffix) ? generatedId.slice(0, -suffix.length) : '';
    const suffixes = kindOf(mapOf(ownValue(resources, owner))['Type'])?.versioned?.generatedIds;
    return suffixes?.includes(suffix) === true ? [owner] : [];
  });
  return owners[0];
}

const GENERATED_SUFFIXES: ReadonlySet<string> = new Set(
  Object.values<ResourceKind>(RESOURCE_KINDS).flatMap(({ versioned }) => versioned?.generatedIds ?? []),
);

type OnText = (text: string, name: string) => void;

function visit(stack: Stack, values: StackValues, onText: OnText): void {
  for (const [logicalId, resource] of Object.entries(mapOf(stack.resolved['Resources']))) {
    if (!isMap(resource) || isOff(resource, stack, values)) continue;
    const child = stack.children.find((candidate) => candidate.logicalId === logicalId);
    visitResource({ resource, child, id: identifierOf(stack.path, logicalId) }, stack, { values, onText });
    if (child !== undefined) visit(child, values, onText);
  }
  for (const [name, output] of Object.entries(mapOf(stack.resolved['Outputs']))) {
    if (!isMap(output) || isOff(output, stack, values)) continue;
    // the parent stack covers outputs that only it reads
    if (stack.path !== '' && !isSet(output['Export'])) continue;
    const place = `output ${identifierOf(stack.path, name)}`;
    const { Value = null, Export = null } = output;
    for (const part of [Value, Export])
      for (const { text } of textsIn(resolved(part, stack, values))) onText(text, place);
  }
}

function visitResource(
  { resource, child, id }: { resource: TemplateMap; child: Stack | undefined; id: ResourceIdentifier },
  stack: Stack,
  { values, onText }: { values: StackValues; onText: OnText },
): void {
  const { Properties, DependsOn: _order, Condition: _condition, ...attributes } = resource;
  const isFunction = isBuiltAs(resource['Type'], 'function');
  const followed = isFunction ? 'Layers' : child === undefined ? undefined : 'Parameters';
  for (const [name, value] of [...Object.entries(mapOf(Properties)), ...Object.entries(attributes)]) {
    if (name === followed) continue;
    for (const { text, path } of textsIn(resolved(value, stack, values)))
      onText(text, `${id} (${[name, ...path].join('.')})`);
  }
}

function isOff({ Condition }: TemplateMap, stack: Stack, values: StackValues): boolean {
  return typeof Condition === 'string' && values.condition(Condition, stack) === false;
}

/** Resolves a value, without Base64 encoding; null if it contains no mark. */
function resolved(value: TemplateValue, stack: Stack, values: StackValues): TemplateValue {
  if (!hasIntrinsic(value)) return null;
  const result = values.resolve(withoutEncoding(value), stack);
  return hasMark(result) ? result : null;
}

function hasMark(value: TemplateValue): boolean {
  if (typeof value === 'string') return ANY_MARK.test(value);
  if (Array.isArray(value)) return value.some(hasMark);
  return isMap(value) && Object.values(value).some(hasMark);
}

function withoutEncoding(value: TemplateValue): TemplateValue {
  if (Array.isArray(value)) return value.map(withoutEncoding);
  if (!isMap(value)) return value;
  if (Object.hasOwn(value, 'Fn::Base64')) return withoutEncoding(value['Fn::Base64'] ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutEncoding(inner)]));
}

/** Returns the texts of a value with their paths, up to the first function around them. */
function textsIn(value: TemplateValue): { text: string; path: readonly string[] }[] {
  if (typeof value === 'string') return [{ text: value, path: [] }];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const texts = textsIn(inner);
    const isFunction = key.startsWith('Fn::');
    return texts.map(({ text, path }) => ({ text, path: isFunction ? [] : [key, ...path] }));
  });
}

/** Adds layers: with `AutoPublishAliasAllProperties`, a new layer version also publishes a function's version. */
function addLayersOfVersions(root: Stack, references: References): void {
  const stacks = flattenStacks(root);
  const layers = stacks.flatMap((stack) =>
    stack.layers.filter((layer) => isTrue(layer.properties, 'PublishLambdaVersion')),
  );
  if (layers.length === 0) return;
  const ids = new Set(layers.map(({ id }) => id));
  const layersOf = readLayerReferences(root);
  for (const { id, properties } of stacks.flatMap(({ functions }) => functions)) {
    if (!isTrue(properties, 'AutoPublishAliasAllProperties')) continue;
    for (const reference of layersOf.get(id) ?? []) {
      if (typeof reference !== 'object' || !ids.has(reference.layer)) continue;
      for (const name of references.get(id) ?? []) add(references, reference.layer, name);
    }
  }
}

function isTrue(properties: TemplateMap, name: string): boolean {
  return scalarText(properties[name])?.toLowerCase() === 'true';
}

function isSet(value: TemplateValue | undefined): boolean {
  return value !== undefined && value !== null;
}
