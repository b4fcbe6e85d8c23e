import type { LayerReference } from '../../model/layer-references.ts';
import type { FunctionResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import type { FunctionState } from './function-state.ts';
import type { VersionSettings } from './versions/version-settings.ts';

/** A function that is selected, or that uses a selected layer. */
export interface LocatedFunction {
  id: ResourceIdentifier;
  resource: FunctionResource;
  stack: Stack;
  state: FunctionState;
  isSelected: boolean;
  /** Its layers in the templates. */
  references: readonly LayerReference[];
  /** Properties to set as the templates have them. */
  settings: readonly string[];
  /** Those that decide the version of its alias; undefined: no settings are compared. */
  version: Pick<VersionSettings, 'back' | 'published'> | undefined;
}
