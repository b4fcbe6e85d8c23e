import type { RunProblem, SourcePlace } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { ResourceSet } from './schedule.ts';

/** Why a sync or a deployment failed. */
export interface WatchFailure extends SourcePlace {
  message: string;
  hint?: string | undefined;
  /** Output of the tool that failed. */
  output?: string | undefined;
  /** The failure may pass without a change: after a new sign-in, when the network or the service is back, when the disk has space. */
  transient?: TransientKind | undefined;
  /** A sync of this resource removes the cause. */
  waitsFor?: ResourceIdentifier | undefined;
}

/** What a transient failure depends on. */
export type TransientKind = 'credentials' | 'connection' | 'system';

/** The result of syncing one resource. */
export interface SyncedResource {
  id: ResourceIdentifier;
  /** `blocked`: only a deployment can apply the change. */
  outcome: 'synced' | 'unchanged' | 'blocked' | 'failed';
  detail?: string | undefined;
  failure?: WatchFailure | undefined;
  /** Why Lambda cannot run the function although it is in sync. */
  problems?: readonly RunProblem[] | undefined;
  /** Values of the stack refer to the version before: a deployment has to follow. */
  leavesStaleValues?: boolean | undefined;
  /** The stack does not have what was synced: the deployment that follows when it is quiet has it. */
  isAhead?: boolean | undefined;
}

/** What changed templates and options mean. */
export interface ReadEnd {
  /** Resources to sync before a deployment: services set what changed of them. */
  toSync: readonly ResourceIdentifier[];
  /** APIs among them whose callers change → the functions that have to be in sync before. */
  access?: ReadonlyMap<ResourceIdentifier, readonly ResourceIdentifier[]>;
  /** Whether a deployment is needed now, or follows when it is quiet: services set everything that changed. */
  deploy: 'now' | 'when-quiet';
}

/** A deployment that failed. */
export interface FailedDeployment {
  outcome: 'failed';
  failure: WatchFailure;
  /** Resources that caused it, e.g. because their build failed. */
  causes: readonly SyncedResource[];
  /** Resources that can be synced without the deployment. */
  toSync: readonly ResourceIdentifier[];
  /** A change of these resources is a reason to deploy again. */
  retryOn: ResourceSet;
}

/** The result of a deployment. */
export type DeployEnd =
  | {
      /** `unchanged`: CloudFormation had nothing to do. */
      outcome: 'deployed' | 'unchanged';
      /** Resources that were compared with the services, and synced if they differed. */
      results: readonly SyncedResource[];
      /** Resources that still have to be synced. */
      toSync: readonly ResourceIdentifier[];
      /** Resources that are as the templates say without a sync: nothing of them is left to set. */
      asDeployed?: ResourceSet;
    }
  | FailedDeployment;

/** What happened to a resource or to the stack, for the view. `ms`: since the change was noticed. */
export type LoopEvent =
  | { type: 'queued'; ids: readonly ResourceIdentifier[] }
  | { type: 'building'; ids: readonly ResourceIdentifier[] }
  | { type: 'updating'; ids: readonly ResourceIdentifier[] }
  | { type: 'ended'; resource: SyncedResource; ms: number }
  | { type: 'deploy-queued' }
  | { type: 'deploy-started' }
  | { type: 'deploy-ended'; end: DeployEnd; ms: number };
