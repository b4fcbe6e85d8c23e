import { UserError } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';

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
