import { UserError } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { layerArnOf } from '../../services/lambda/layer-versions.ts';
import type { LocatedFunction } from '../../services/lambda/plan-resources.ts';
import type { Located, Planning } from './planning.ts';
import type { SyncLayer } from './sync-resource.ts';

/**
 * A function is not updated because one of its layers failed: its new code may need the layer. A watch syncs it once the layer
 * is published.
 */
export class HeldBackError extends UserError {
  readonly layer: ResourceIdentifier;

  constructor(id: ResourceIdentifier, layer: ResourceIdentifier, cause?: unknown) {
    super(`${id} was not updated because its layer ${layer} failed`, { cause });
    this.layer = layer;
  }
}

/** Finds a failed layer of this sync that the function uses; undefined: there is none. */
export function failedLayerOf(
  { outcomes }: Pick<Planning, 'outcomes'>,
  { references, state }: Pick<LocatedFunction, 'references' | 'state'>,
  layers: readonly Located<SyncLayer>[],
): ResourceIdentifier | undefined {
  const hasFailed = (id: ResourceIdentifier): boolean => outcomes.get(id)?.action === 'fail';
  for (const reference of references) {
    if (typeof reference === 'object' && hasFailed(reference.layer)) return reference.layer;
  }
  if (!references.includes('unknown')) return undefined;
  // the templates do not name the layers, Lambda does
  const has = new Set(state.layers.map(layerArnOf));
  const failed = layers.find(({ resource, deployed }) => {
    return hasFailed(resource.id) && has.has(layerArnOf(deployed.physicalId));
  });
  return failed?.resource.id;
}
