import type { ResourceIdentifier } from '../../model/stack.ts';
import type {
  DeployEnd,
  FailedDeployment,
  LoopEvent,
  ReadEnd,
  SyncedResource,
  TransientKind,
  WatchFailure,
} from './results.ts';
import type { ActiveSync, ResourceSet } from './schedule.ts';

/** Delays of the loop (ms). */
export interface LoopTimes {
  /** Before the first retry of a transient failure. Doubles with each failure, up to `longestRetry`. */
  firstRetry: number;
  longestRetry: number;
  /** How long nothing may change before a deployment updates stale values: while the user keeps saving, code syncs run alone. */
  quiet: number;
}

const TIMES: LoopTimes = { firstRetry: 2_000, longestRetry: 30_000, quiet: 2_000 };

/** Everything the loop knows. Immutable: each input gives a new state. */
export interface LoopState {
  readonly times: LoopTimes;
  /** Resources that changed and are not synced yet → when the change was noticed (ms). */
  readonly pending: ReadonlyMap<ResourceIdentifier, number>;
  readonly failed: ReadonlyMap<ResourceIdentifier, WatchFailure>;
  /** Resources that wait for the next deployment. */
  readonly blocked: ReadonlySet<ResourceIdentifier>;
  /** Resources whose update in the cloud has begun, without a result so far. */
  readonly updating: ReadonlySet<ResourceIdentifier>;
  readonly syncs: readonly RunningSync[];
  /** How many builds of a resource were aborted in a row. */
  readonly aborts: ReadonlyMap<ResourceIdentifier, number>;
  /** The templates or options changed: since when they have to be read (ms), and whether they are being read. */
  readonly reading: {
    readonly wanted: number | undefined;
    readonly running: { work: number; since: number } | undefined;
  };
  /** Pending resources with settings that a service sets at once: no deployment starts before their sync. */
  readonly direct: ReadonlySet<ResourceIdentifier>;
  readonly deployWanted: DeployOrder | undefined;
  readonly deployment: Deployment | undefined;
  /** The last deployment, if it failed. */
  readonly deployFailure: FailedDeployment | undefined;
  /** The next retry of transient failures. */
  readonly retry: { readonly delay: number; readonly isTimed: boolean };
  /** The deployment that updates stale values, or (not `force`) deploys what was set directly. */
  readonly followUp: FollowUp;
  /** Number of the next sync or deployment. */
  readonly nextWork: number;
  readonly isEnding: boolean;
}

/** A deployment that starts when nothing has changed for a while. */
export interface FollowUp {
  readonly isWanted: boolean;
  readonly force: boolean;
  /** When the first change was noticed that it deploys (ms). */
  readonly since: number | undefined;
  readonly isTimed: boolean;
}

/** A requested deployment. */
interface DeployOrder {
  /** When the change was noticed (ms). */
  readonly since: number;
  /** Deploy even if nothing seems to differ. */
  readonly force: boolean;
  /** It followed direct changes: aborted by another change, it waits for quiet again. */
  readonly follows?: boolean;
}

/** A code sync under way. */
export interface RunningSync extends ActiveSync {
  readonly work: number;
  /** When the change of each resource was noticed (ms). */
  readonly since: ReadonlyMap<ResourceIdentifier, number>;
}

/** A deployment under way. */
export interface Deployment {
  readonly work: number;
  readonly order: DeployOrder;
  /** It has not changed the cloud yet. */
  readonly abortable: boolean;
  readonly isAborted: boolean;
  /** What it changes or may change. */
  readonly reserved: ResourceSet;
  /** Resources that changed after it began. */
  readonly outdated: ReadonlySet<ResourceIdentifier>;
  /** It waits until no sync changes what it reserved. */
  readonly isWaiting: boolean;
}

/** Timers of the loop. */
export type LoopTimer = 'retry' | 'follow-up';

/** What happens outside the loop. */
export type LoopInput =
  /** These resources changed; `deploy`: so did templates or options. */
  | { type: 'changed'; ids: readonly ResourceIdentifier[]; deploy: boolean }
  /** The user wants everything synced, and what failed tried again. */
  | { type: 'sync-requested'; ids: readonly ResourceIdentifier[] }
  /** The user wants a deployment, even if nothing seems to differ. */
  | { type: 'deploy-requested' }
  /** The application has these resources now and no others. */
  | { type: 'resources'; ids: ReadonlySet<ResourceIdentifier> }
  /** A sync or deployment starts to change the cloud and cannot be aborted any more. */
  | { type: 'committed'; work: number }
  | { type: 'synced'; work: number; results: readonly SyncedResource[] }
  | { type: 'read'; work: number; end: ReadEnd }
  | { type: 'deployed'; end: DeployEnd }
  | { type: 'aborted'; work: number }
  /** The running deployment changes only these resources. */
  | { type: 'reserved'; touched: ResourceSet }
  /** The running deployment waits until no sync changes what it reserved. */
  | { type: 'waiting' }
  | { type: 'timer'; timer: LoopTimer }
  | { type: 'end' };

/** What the loop wants done, in this order. */
export type LoopDecision =
  | { do: 'sync'; work: number; ids: readonly ResourceIdentifier[] }
  | { do: 'read'; work: number }
  | { do: 'deploy'; work: number; force: boolean }
  | { do: 'abort'; work: number }
  /** No sync changes what the waiting deployment reserved. */
  | { do: 'clear' }
  /** Get new credentials, connections … before the next attempt. */
  | { do: 'renew'; kinds: ReadonlySet<TransientKind> }
  | { do: 'start-timer'; timer: LoopTimer; ms: number }
  | { do: 'stop-timer'; timer: LoopTimer }
  | { do: 'report'; event: LoopEvent };

/** What the loop must know of the application. */
export interface LoopFacts {
  /** A monotonic clock (ms). */
  now: number;
  /** What a code sync of the resource changes in the cloud. */
  touchedBy(id: ResourceIdentifier): ReadonlySet<string>;
  /** Whether the stack has the resource; if not, a deployment has to create it first. */
  isDeployed(id: ResourceIdentifier): boolean;
  /** Whether changed templates are read for what services can set directly, before they are deployed. */
  setsDirectly(): boolean;
}

/** No deployment has to follow. */
export const NO_FOLLOW_UP: FollowUp = { isWanted: false, force: false, since: undefined, isTimed: false };

/** The state of a loop that has received nothing yet. */
export function initialLoopState(times: Partial<LoopTimes> = {}): LoopState {
  const all = { ...TIMES, ...times };
  return {
    times: all,
    pending: new Map(),
    failed: new Map(),
    blocked: new Set(),
    updating: new Set(),
    syncs: [],
    aborts: new Map(),
    reading: { wanted: undefined, running: undefined },
    direct: new Set(),
    deployWanted: undefined,
    deployment: undefined,
    deployFailure: undefined,
    retry: { delay: all.firstRetry, isTimed: false },
    followUp: NO_FOLLOW_UP,
    nextWork: 1,
    isEnding: false,
  };
}

/** Lists the pending resources that a code sync can update. */
export function readyToSync({ pending }: LoopState, { isDeployed }: Pick<LoopFacts, 'isDeployed'>): string[] {
  return [...pending.keys()].filter((id) => isDeployed(id));
}

/** Returns whether nothing runs and nothing can start. */
export function isIdle(state: LoopState, facts: Pick<LoopFacts, 'isDeployed'>): boolean {
  const { wanted, running } = state.reading;
  const isReading = wanted !== undefined || running !== undefined;
  const works = isReading || state.syncs.length > 0 || state.deployment !== undefined;
  return !works && state.deployWanted === undefined && readyToSync(state, facts).length === 0;
}
