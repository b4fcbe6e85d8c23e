import { AwsError, isAwsError } from '../../aws/service-errors.ts';
import type { SourcePlace, UserError } from '../../errors.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { asUserError, SystemError } from '../../system-errors.ts';
import type { PlannedResource } from './code-sync-plan.ts';
import { NeedsDeploymentError } from '../../services/needs-deployment-error.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { HeldBackError } from './held-back-error.ts';
import type { Selection } from './select-resources.ts';
import type {
  FailureKind,
  ResourceResult,
  SyncDefinition,
  SyncFunction,
  SyncLayer,
  SyncResource,
  SyncSettings,
} from './sync-resource.ts';
import type { DeployedResource } from '../../cloud/sync-state.ts';
import type { VersionSettings } from '../../services/lambda/versions/version-settings.ts';
import { kindOf } from '../../template/kinds/kinds.ts';

/** Resources compared in parallel: services accept few requests per second. */
export const PLANNED_AT_ONCE = 8;

/** Properties of a resource that a service sets directly, to be as in the templates of the sync. */
export interface SettingsRequest {
  compare: readonly string[];
  /** Those of them that the deployed templates do not have yet. */
  undeployed: readonly string[];
  /** Those of these for which the deployment publishes a version. */
  published?: readonly string[];
}

/** The settings that were set directly before, and no others. */
export const SET_BEFORE: SettingsRequest = { compare: [], undeployed: [] };

/** The inputs of the planners. */
export interface PlanInput {
  root: Stack;
  selection: Selection;
  stackName: string;
  /** Whether CloudFormation's last deployment had the current definition of this API. */
  isDeployed(id: ResourceIdentifier): boolean;
  /** The settings to compare (`CodeSyncRequest.settings`). */
  settings?: ((id: ResourceIdentifier) => SettingsRequest | undefined) | undefined;
  /** Compares settings alone, no code. */
  settingsOnly?: boolean | undefined;
}

/** A plan in progress. */
export interface Planning {
  tools: ServiceContext;
  input: PlanInput;
  selected: readonly SyncResource[];
  /** Identifiers that the command names. */
  named: ReadonlySet<ResourceIdentifier>;
  /** Results of named identifiers that the templates do not have. */
  failures: readonly ResourceResult[];
  outcomes: Map<ResourceIdentifier, Omit<PlannedResource, 'named'>>;
  /** A located resource no longer exists. */
  somethingIsGone: boolean;
}

/** The settings of the resource to compare: those that the caller names, and those that were set directly before. */
export function settingsToCompare({ tools, input }: Planning, id: ResourceIdentifier): readonly string[] {
  const named = input.settings?.(id);
  if (named === undefined) return [];
  return [...new Set([...named.compare, ...(ownValue(tools.stacks.facts.ahead, id) ?? [])])];
}

/** Those of a function's settings to compare that decide the version of its alias. */
export function settingsOfVersion(
  planning: Planning,
  { id, type }: { id: ResourceIdentifier; type: string },
): Pick<VersionSettings, 'back' | 'published'> {
  const { published = [], undeployed = [] } = planning.input.settings?.(id) ?? {};
  const { settings = [] } = kindOf(type)?.versioned ?? {};
  const back = settingsToCompare(planning, id).filter((name) => settings.includes(name) && !undeployed.includes(name));
  return { published, back };
}

/** A resource and its deployed counterpart. */
export interface Located<R extends SyncResource = SyncResource> {
  resource: R;
  deployed: DeployedResource;
}

/** Located resources by what a code sync sends: functions need layers, definitions are independent. */
interface LocatedGroups {
  functions: Located<SyncFunction>[];
  layers: Located<SyncLayer>[];
  definitions: Located<SyncDefinition>[];
  settings: Located<SyncSettings>[];
}

/** Groups located resources, in their order. Pure. */
export function groupLocated(located: readonly Located[]): LocatedGroups {
  const groups: LocatedGroups = { functions: [], layers: [], definitions: [], settings: [] };
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
      case 'settings':
        groups.settings.push({ resource, deployed });
        break;
    }
  }
  return groups;
}

/** Names a resource of a plan. */
type PlanSubject = Pick<SyncResource, 'id'> & { type: string };

/** Runs the work for one resource; undefined: it failed, which does not stop the other resources. */
export async function attempt<T>(
  planning: Planning,
  resource: PlanSubject,
  work: () => Promise<T>,
): Promise<T | undefined> {
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

/** Fails the resource: why, and where the cause is, if the error or a tool reports that. */
export function fail(
  { outcomes }: Planning,
  { id, type }: PlanSubject,
  error: UserError,
  place: SourcePlace = error.place ?? {},
): void {
  const why = describeFailure(id, error);
  const errorKind = kindOfFailure(error);
  const waitsFor = error instanceof HeldBackError ? error.layer : undefined;
  outcomes.set(id, { id, type, action: 'fail', changes: [], why, hint: error.hint, errorKind, waitsFor, ...place });
}

/** The kind of failure, for callers that retry. */
export function kindOfFailure(error: UserError): FailureKind | undefined {
  if (error instanceof AwsError) return error.kind;
  if (error instanceof NeedsDeploymentError) return 'deployment';
  return error instanceof SystemError && error.isTransient ? 'system' : undefined;
}

/** Adds the resource to a refusal of a service or the operating system, which does not know it. */
export function describeFailure(id: ResourceIdentifier, error: UserError): string {
  return error instanceof AwsError || error instanceof SystemError ? `${id}: ${error.message}` : error.message;
}
