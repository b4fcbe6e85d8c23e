import { AwsError, isAwsError } from '../../aws/service-errors.ts';
import type { SourcePlace, UserError } from '../../errors.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { asUserError, SystemError } from '../../system-errors.ts';
import type { PlannedResource } from './code-sync-plan.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { HeldBackError } from './held-back.ts';
import type { Selection } from './select-resources.ts';
import type {
  FailureKind,
  ResourceResult,
  SyncDefinition,
  SyncFunction,
  SyncLayer,
  SyncResource,
} from './sync-resource.ts';
import type { DeployedResource } from '../../cloud/sync-state.ts';

/** What is to be planned, and with what. */
export interface PlanInput {
  root: Stack;
  selection: Selection;
  stackName: string;
  /** Whether CloudFormation's last deployment had the definition of this API that is here now. */
  isDeployed(id: ResourceIdentifier): boolean;
}

/** A plan under way. */
export interface Planning {
  tools: ServiceContext;
  input: PlanInput;
  selected: readonly SyncResource[];
  /** Those that were selected by their own identifier. */
  named: ReadonlySet<ResourceIdentifier>;
  /** Selected identifiers that are no resource. */
  failures: readonly ResourceResult[];
  outcomes: Map<ResourceIdentifier, Omit<PlannedResource, 'named'>>;
  /** Something that should be there was not. */
  somethingIsGone: boolean;
}

/** A resource and what it is in the cloud. */
export interface Located<R extends SyncResource = SyncResource> {
  resource: R;
  deployed: DeployedResource;
}

/** Located resources by what a code sync sends: functions need layers, definitions need nothing of each other. */
interface LocatedGroups {
  functions: Located<SyncFunction>[];
  layers: Located<SyncLayer>[];
  definitions: Located<SyncDefinition>[];
}

/** Groups located resources, in their order. Pure. */
export function groupLocated(located: readonly Located[]): LocatedGroups {
  const groups: LocatedGroups = { functions: [], layers: [], definitions: [] };
  for (const { resource, deployed } of located) {
    switch (resource.kind) {
      case 'function':
        groups.functions.push({ resource, deployed });
        break;
      case 'layer':
        groups.layers.push({ resource, deployed });
        break;
      case 'definition':
        groups.definitions.push({ resource, deployed });
        break;
    }
  }
  return groups;
}

/** Who a plan is about. */
type About = Pick<SyncResource, 'id'> & { type: string };

/** The result, or undefined after a failure of this one resource, which does not stop the others. */
export async function attempt<T>(planning: Planning, resource: About, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    planning.tools.signal.throwIfAborted();
    const error = asUserError(thrown);
    if (error === undefined) throw thrown;
    if (isAwsError(error, 'ResourceNotFoundException', 'NotFoundException', 'StateMachineDoesNotExist')) {
      planning.somethingIsGone = true;
    }
    fail(planning, resource, error);
    return undefined;
  }
}

/** Says that the resource cannot be brought, why, and where a tool says it is. */
export function fail({ outcomes }: Planning, { id, type }: About, error: UserError, place: SourcePlace = {}): void {
  const why = describeFailure(id, error);
  const errorKind = kindOfFailure(error);
  const waitsFor = error instanceof HeldBackError ? error.layer : undefined;
  outcomes.set(id, { id, type, action: 'fail', changes: [], why, hint: error.hint, errorKind, waitsFor, ...place });
}

/** The kind of failure, for callers that try again. */
export function kindOfFailure(error: UserError): FailureKind | undefined {
  if (error instanceof AwsError) return error.kind;
  return error instanceof SystemError && error.isTransient ? 'system' : undefined;
}

/** Neither a service nor the system knows whose call it refused. */
export function describeFailure(id: ResourceIdentifier, error: UserError): string {
  return error instanceof AwsError || error instanceof SystemError ? `${id}: ${error.message}` : error.message;
}
