import type { SourcePlace } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { BehindValues } from './behind-versions.ts';
import type { DefinitionPlan } from '../../services/definition-plan.ts';
import type { DefinitionUpdate } from '../../services/definitions.ts';
import type { FunctionPlan } from '../../services/lambda/plan-function.ts';
import type { LayerPlan } from '../../services/lambda/plan-layer.ts';
import type { FailureKind, ResourceResult } from './sync-resource.ts';

/** What a code sync would do with a resource, and why it would not. */
export interface PlannedResource extends SourcePlace {
  id: ResourceIdentifier;
  type: string;
  /** `blocked`: only a deployment can bring it; `fail`: it cannot be brought at all as it is. */
  action: 'update' | 'none' | 'skip' | 'blocked' | 'fail';
  /** It was asked for by its own identifier. */
  named: boolean;
  /** What will be changed, in a few words each. */
  changes: readonly string[];
  why?: string | undefined;
  hint?: string | undefined;
  /** What kind of failure `fail` is, if AWS was the one to fail. */
  errorKind?: FailureKind | undefined;
  /** The layer that failed, and because of which `fail` is. */
  waitsFor?: ResourceIdentifier | undefined;
}

/** Everything that a code sync would do. Nothing in the cloud has been changed yet. */
export interface CodeSyncPlan {
  resources: readonly PlannedResource[];
  work: PlannedWork;
  /** Values that will be behind when it is carried out. */
  behind: readonly BehindValues[];
}

/** The work behind the planned resources, for `apply`. */
export interface PlannedWork {
  /** By the identifier of the layer. */
  layers: ReadonlyMap<ResourceIdentifier, LayerPlan>;
  functions: readonly FunctionPlan[];
  /** Layers of which only versions of ours are left that nobody needs any more. */
  leftovers: readonly LayerPlan[];
  definitions: ReadonlyMap<ResourceIdentifier, ChangedDefinition>;
  /** ARNs of layer versions of functions that are left as they are: they are not removed. */
  kept: ReadonlySet<string>;
}

/** A definition that changed. */
export type ChangedDefinition = Extract<DefinitionPlan<DefinitionUpdate>, { action: 'update' }>;

/** How a code sync ended. */
export interface CodeSyncOutcome {
  results: readonly ResourceResult[];
  /** Whether any resource failed. */
  failed: boolean;
  /** Values that still name an older version: a deployment follows, or is for the user to make. */
  behind: readonly BehindValues[];
}
