import type { FunctionResource, ResourceIdentifier } from '../../model/stack.ts';
import type { FunctionCode } from './function-code.ts';
import type { ResolvedSettings } from '../resolve-settings.ts';
import type { FunctionState } from './function-state.ts';
import type { NeighbourUpdate } from './settings/neighbour.ts';
import type { LayerPlan } from './layers/plan-layer.ts';
import type { VersionSettings } from './versions/version-settings.ts';

/** A function with the code and layers that it should have. */
export interface FunctionWork {
  id: ResourceIdentifier;
  resource: FunctionResource;
  state: FunctionState;
  /** undefined: only its layers are compared. */
  code: FunctionCode | undefined;
  /** Settings of its template that it should have; undefined: they are not compared. */
  configuration: ResolvedSettings | undefined;
  /** Updates of settings with requests of their own. */
  neighbours: readonly NeighbourUpdate[];
  /** Layers of this sync that it uses. */
  layers: readonly LayerPlan[];
  /** The layer for its own dependencies: appended if it is `wanted` and missing, else removed. */
  dependencies: { layer: string; wanted: boolean } | undefined;
  /** The ARN of its dependency layer, which it need not have. */
  dependencyLayer: string;
  /** The alias that should point to the newest code. */
  alias: string | undefined;
  /** Settings that its version should have; undefined: they are not compared. */
  version: VersionSettings | undefined;
}
