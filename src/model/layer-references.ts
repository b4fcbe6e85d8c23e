import { scalarText } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';
import { createStackValues } from './stack-values.ts';
import { flattenStacks, identifierOf } from './stack.ts';
import type { ResourceIdentifier, Stack } from './stack.ts';

/**
 * An entry of a function's `Layers`: a layer of the application, `other` (an external layer, or a version as a string), or
 * `unknown` (known only to CloudFormation; may be a layer of the application).
 */
export type LayerReference = { layer: ResourceIdentifier } | 'other' | 'unknown';

/** Marks the value of a layer's `Ref` while the functions around it are resolved. Cannot occur in a template. */
const MARK = '\u0000';

/**
 * Returns each function's layers in order, from any source: `!Ref`, outputs of nested stacks, parameters at any depth,
 * Globals, `!Sub`, `!If`, joined and split lists. Omits functions without layers. Pure.
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
