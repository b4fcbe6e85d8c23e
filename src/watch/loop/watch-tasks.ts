import type { ResourceIdentifier } from '../../model/stack.ts';
import type { DeployEnd, ReadEnd, SyncedResource, TransientKind, WatchFailure } from './results.ts';
import type { LoopFacts } from './loop-state.ts';
import type { ResourceSet } from './schedule.ts';

/** What a code sync reports to the loop while it runs. */
export interface SyncContext {
  signal: AbortSignal;
  /** The sync starts to change the cloud and can no longer be aborted. */
  committed(): void;
}

/** What a deployment reports to the loop while it runs. */
export interface DeployContext extends SyncContext {
  /** Says what the deployment may change; until the first call that is everything. */
  reserve(touched: ResourceSet): void;
  /** Resolves when no code sync changes what is reserved. */
  cleared(): Promise<void>;
  /** Whether the resource changed after the deployment began, so that its build may be outdated. */
  isOutdated(id: ResourceIdentifier): boolean;
}

/** The work that the loop starts. A failure is a result; an aborted task rejects. */
export interface WatchTasks extends Omit<LoopFacts, 'now'> {
  sync(ids: readonly ResourceIdentifier[], context: SyncContext): Promise<readonly SyncedResource[]>;
  /** Reads changed templates and options: what can services set directly? If it rejects, the deployment finds out why. */
  read(): Promise<ReadEnd>;
  deploy(how: { force: boolean }, context: DeployContext): Promise<DeployEnd>;
  /** Called before the retry of transient failures. */
  renew(kinds: ReadonlySet<TransientKind>): void;
  /** Describes what a task threw without being aborted: a defect, which must not end the watch. */
  describeError(error: unknown): WatchFailure;
}

/** Aborts work whose files changed again. */
export class SupersededError extends Error {
  override name = 'SupersededError';
}
