import type { RunProblem, SourcePlace } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { ResourceSet } from './schedule.ts';

/** Why something could not be brought. */
export interface WatchFailure extends SourcePlace {
  message: string;
  hint?: string | undefined;
  /** What a tool printed. */
  output?: string | undefined;
  /** It may go away by itself: signing in again, a network that comes back, a service that recovers, space on a disk. */
  byItself?: 'credentials' | 'connection' | 'system' | undefined;
  /** It goes away when this resource is synced. */
  waitsFor?: ResourceIdentifier | undefined;
}

/** How the sync of one resource ended. */
export interface SyncedResource {
  id: ResourceIdentifier;
  /** `blocked`: only a deployment can bring it. */
  outcome: 'synced' | 'unchanged' | 'blocked' | 'failed';
  detail?: string | undefined;
  failure?: WatchFailure | undefined;
  /** It is there, and cannot run. */
  problems?: readonly RunProblem[] | undefined;
  /** Values of the stack still name the version before: a deployment moves them. */
  behind?: boolean | undefined;
}

/** How a deployment ended. */
export type DeployEnd =
  | {
      /** `unchanged`: CloudFormation had nothing to do. */
      outcome: 'deployed' | 'unchanged';
      /** What was compared with the services, and brought if it differed. */
      results: readonly SyncedResource[];
      /** What is still to be synced. */
      toSync: readonly ResourceIdentifier[];
    }
  | {
      outcome: 'failed';
      failure: WatchFailure;
      /** Resources that are the reason, e.g. because they could not be built. */
      culprits: readonly SyncedResource[];
      /** What can be brought all the same. */
      toSync: readonly ResourceIdentifier[];
      /** A change of these may mend it. */
      effects: ResourceSet;
    };

/** What a code sync tells the loop while it goes on. */
export interface SyncContext {
  signal: AbortSignal;
  /** The build is over; from now on the cloud is changed and the sync is not given up any more. */
  committed(): void;
}

/** What a deployment tells the loop while it goes on. */
export interface DeployContext extends SyncContext {
  /** What it is about to change, as far as it is known by now. Until it says so that is everything. */
  reserve(touched: ResourceSet): void;
  /** Resolves when no code sync changes what is reserved. */
  cleared(): Promise<void>;
  /** Whether the resource changed after the deployment began: what was built of it for the deployment may be outdated. */
  isOutdated(id: ResourceIdentifier): boolean;
}

/** The work that the loop has done. A failure is a result; what rejects was aborted. */
export interface WatchTasks {
  sync(ids: readonly ResourceIdentifier[], task: SyncContext): Promise<readonly SyncedResource[]>;
  deploy(how: { force: boolean }, task: DeployContext): Promise<DeployEnd>;
  /** What a code sync of the resource changes in the cloud. */
  touchedBy(id: ResourceIdentifier): ReadonlySet<ResourceIdentifier>;
  /** Whether it is there to be synced; otherwise a deployment has to make it first. */
  isDeployed(id: ResourceIdentifier): boolean;
  /** Before something that may have mended itself is tried again. */
  renew(kinds: ReadonlySet<NonNullable<WatchFailure['byItself']>>): void;
}

/** What happened to a resource or to the stack, for the view. `ms`: since the change was noticed. */
export type LoopEvent =
  | { type: 'queued'; ids: readonly ResourceIdentifier[] }
  | { type: 'building'; ids: readonly ResourceIdentifier[] }
  | { type: 'updating'; ids: readonly ResourceIdentifier[] }
  | { type: 'ended'; resource: SyncedResource; ms: number }
  | { type: 'deploy-queued' }
  | { type: 'deploy-started' }
  | { type: 'deploy-ended'; end: DeployEnd; ms: number }
  | { type: 'idle' };

/** Why something was given up: what it was to bring has changed again. */
export class SupersededError extends Error {
  override name = 'SupersededError';
}
