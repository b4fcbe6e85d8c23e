import type { DefinedResource } from '../model/definitions.ts';
import type { Stack } from '../model/stack.ts';
import type { DeployedResource } from '../cloud/sync-state.ts';

/** An API or state machine and what it is in the cloud. */
export interface DefinitionWork {
  resource: DefinedResource;
  stack: Stack;
  deployed: DeployedResource;
  /** CloudFormation's last deployment had the definition that is here now. */
  isDeployed: boolean;
}

/** What has to be done with an API or state machine. */
export type DefinitionPlan =
  | { action: 'none' }
  /** There is no definition here. */
  | { action: 'skip'; why: string; hint?: string }
  /** There is one, but only a deployment can bring it. */
  | { action: 'blocked'; why: string; hint: string }
  | {
      action: 'update';
      /** In a few words each. */
      changes: readonly string[];
      apply(): Promise<void>;
    };
