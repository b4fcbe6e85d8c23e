import type { DefinedResource } from '../model/definitions.ts';
import type { Stack } from '../model/stack.ts';
import type { DeployedResource } from '../cloud/sync-state.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { ServiceContext } from './service-context.ts';

/** An API or state machine, and the resource that it is in the stack. */
export interface DefinitionWork {
  resource: DefinedResource;
  stack: Stack;
  deployed: DeployedResource;
  /** CloudFormation's last deployment had this definition. */
  isDeployed: boolean;
  /** The template changed it since: values of the deployed definition may be others now. */
  isChanged: boolean;
  /** Names of settings (`direct` in the table of resource kinds) to compare too. */
  settings: readonly string[];
}

/** What a code sync does with an API or state machine. `Update`: the requests of its service, as data. */
export type DefinitionPlan<Update> =
  | ({ action: 'none' } & ComparedSettings)
  | UnplannedDefinition
  /** `changes`: in a few words each. */
  | ({ action: 'update'; changes: readonly string[]; update: Update } & ComparedSettings);

/** What a plan found out about settings. */
export interface ComparedSettings {
  /** The settings that the resource has once the plan is applied. */
  settings?: readonly string[];
  /** Settings that only a deployment can set, and why. */
  waiting?: readonly string[];
}

/** Why a code sync does not update an API or state machine. */
export type UnplannedDefinition =
  /** The project has no definition of it. */
  | { action: 'skip'; why: string; hint?: string }
  /** Only a deployment can update it. */
  | { action: 'blocked'; why: string; hint: string };

/** How a service plans and sends the update of a definition. */
export interface DefinitionService<Update> {
  /** Compares the definition with what the service has. */
  plan(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan<Update>>;
  /** Sends the requests of the update. */
  apply(tools: ServiceContext, update: Update): Promise<void>;
  /** The requests of the update, in their order. Pure. */
  requests(update: Update): PlannedRequest[];
}

/** The plan for a definition that only a deployment can update. */
export function blocked(why: string): UnplannedDefinition {
  return { action: 'blocked', why, hint: 'Sync without --code: a deployment updates it.' };
}

/** The plan for a definition that needs values which only CloudFormation knows. */
export function needsDeployment(id: string, missing: readonly string[]): UnplannedDefinition {
  return blocked(`${id}: only CloudFormation knows the value of ${missing.join(', ')}`);
}
