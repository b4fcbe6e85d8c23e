import { scalarText } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';
import { createStackValues } from './stack-values.ts';
import { flattenStacks, identifierOf } from './stack.ts';
import type { ResourceIdentifier, Stack } from './stack.ts';

/**
 * An entry of a function's `Layers`: a layer of the application, `other` (a layer of somebody else, or a version that is
 * named as a text), or `unknown` (what only CloudFormation can tell, which may be a layer of the application).
 */
export type LayerReference = { layer: ResourceIdentifier } | 'other' | 'unknown';

/** Cannot stand in a template: it marks what a `Ref` of a layer becomes until all functions around it are resolved. */
const MARK = '\u0000';

/**
 * Each function's layers in their order, however it got them: `!Ref`, outputs of nested stacks, parameters through any
 * depth, Globals, `!Sub`, `!If`, lists that are joined and split. Functions without layers are absent. Pure.
 */
export function readLayerReferences(root: Stack): ReadonlyMap<ResourceIdentifier, readonly LayerReference[]> {
  const stacks = flattenStacks(root);
  const layers = new Set(stacks.flatMap((stack) => stack.layers.map(({ id }) => id)));
  const values = createStackValues(root, {
    parameter: () => undefined,
    resource: (stack, logicalId, attribute) => {
      const id = identifierOf(stack.path, logicalId);
      const isVersion = attribute === undefined || attribute === 'LayerVersionArn';
      return layers.has(id) && isVersion ? `${MARK}${id}${MARK}` : undefined;
    },
  });
  const references = new Map<ResourceIdentifier, readonly LayerReference[]>();
  for (const stack of stacks) {
    for (const { id, properties } of stack.functions) {
      const written = properties['Layers'] ?? null;
      if (written !== null) references.set(id, readList(values.resolve(written, stack)));
    }
  }
  return references;
}

function readList(value: TemplateValue): LayerReference[] {
  return Array.isArray(value) ? value.map(readEntry) : ['unknown'];
}

function readEntry(value: TemplateValue): LayerReference {
  const text = scalarText(value);
  if (text === undefined) return 'unknown';
  const [before, layer, after] = text.trim().split(MARK);
  return before === '' && layer !== undefined && after === '' ? { layer } : 'other';
}
