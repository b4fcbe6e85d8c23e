import type { SourcePlace } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { DefinitionPlan } from '../../services/definition-plan.ts';
import type { DefinitionUpdate } from '../../services/definitions.ts';
import type { SettingsUpdate } from '../../services/cloudcontrol/settings-update.ts';
import type { SettingsPlan } from '../../services/settings-plan.ts';
import type { FunctionPlan } from '../../services/lambda/plan-function.ts';
import type { LayerPlan } from '../../services/lambda/layers/plan-layer.ts';
import type { FailureKind, ResourceResult } from './sync-resource.ts';

/** Values that refer to a version of a resource's code, and that only a deployment can move to the newest one. */
export interface BehindValues {
  id: ResourceIdentifier;
  /** As `readVersionReferences` names them. Never empty. */
  values: readonly string[];
}

/** The plan for a resource, or why it is not updated. */
export interface PlannedResource extends SourcePlace {
  id: ResourceIdentifier;
  type: string;
  /** `blocked`: only a deployment can update it; `fail`: nothing can, as it is. */
  action: 'update' | 'none' | 'skip' | 'blocked' | 'fail';
  /** The command names its identifier. */
  named: boolean;
  /** In a few words each. */
  changes: readonly string[];
  /** Settings that only a deployment can set, and why. */
  waiting?: readonly string[] | undefined;
  why?: string | undefined;
  hint?: string | undefined;
  /** The kind of failure, if AWS failed. */
  errorKind?: FailureKind | undefined;
  /** The failed layer that the resource needs. */
  waitsFor?: ResourceIdentifier | undefined;
}

/** The plan of a code sync. Nothing in the cloud has been changed yet. */
export interface CodeSyncPlan {
  resources: readonly PlannedResource[];
  work: PlannedWork;
  /** Values that will refer to an older version once the plan is applied. */
  behind: readonly BehindValues[];
}

/** The work behind the planned resources, for `apply`. */
export interface PlannedWork {
  /** By the identifier of the layer. */
  layers: ReadonlyMap<ResourceIdentifier, LayerPlan>;
  functions: readonly FunctionPlan[];
  /** Layers of which only superseded versions have to be deleted. */
  leftovers: readonly LayerPlan[];
  definitions: ReadonlyMap<ResourceIdentifier, ChangedDefinition>;
  /** Settings that services set with requests of their own. */
  requests: ReadonlyMap<ResourceIdentifier, SettingsPlan>;
  /** Updates of resources that have settings only. */
  updates: ReadonlyMap<ResourceIdentifier, SettingsUpdate>;
  /** Resource → the settings that it has once the plan is applied. */
  settings: ReadonlyMap<ResourceIdentifier, readonly string[]>;
  /** ARNs of layer versions of functions that are not updated: they are not deleted. */
  kept: ReadonlySet<string>;
}

/** A definition that changed. */
export type ChangedDefinition = Extract<DefinitionPlan<DefinitionUpdate>, { action: 'update' }>;

/** The result of a code sync. */
export interface CodeSyncOutcome {
  results: readonly ResourceResult[];
  /** Whether any resource failed. */
  failed: boolean;
  /** Values that still refer to an older version: they need a deployment. */
  behind: readonly BehindValues[];
}
