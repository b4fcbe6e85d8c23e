import type { ResourceIdentifier } from '../../model/stack.ts';
import { layerArnOf } from '../../services/lambda/layers/layer-versions.ts';
import type { LocatedFunction } from '../../services/lambda/located-function.ts';
import type { Located, Planning } from './planning.ts';
import type { SyncLayer } from './sync-resource.ts';

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
