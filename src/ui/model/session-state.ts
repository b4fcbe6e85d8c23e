import type { RunProblem } from '../../errors.ts';
import type { Endpoint, StackOutput } from '../../console/reporter.ts';
import type { ResourceState, ShownFailure, StackState } from '../../console/watch-events.ts';
import type { SessionFacts } from '../commands.ts';
import type { SyncRecord } from './records.ts';

/** The last sync of something that sent a change. */
interface LastSync {
  at: number;
  ms: number;
  detail?: string | undefined;
}

/** A resource as the page shows it. Replaced as a whole when it changes. Times in ms since the epoch. */
export interface ResourceView {
  readonly id: string;
  readonly state: ResourceState;
  readonly since: number;
  /** Start of the sync it is in. */
  readonly busySince: number | undefined;
  readonly failure: ShownFailure | undefined;
  /** Why it cannot run although it is in sync. */
  readonly problems: readonly RunProblem[];
  readonly lastSync: LastSync | undefined;
  /** What code syncs sent after CloudFormation's last deployment. */
  readonly undeployed: readonly string[];
  /** What CloudFormation or a tool does with it. */
  readonly activity: string | undefined;
}

/** The stack as the page shows it. */
interface StackView {
  readonly state: StackState;
  readonly since: number;
  readonly failure: ShownFailure | undefined;
  readonly lastSync: LastSync | undefined;
}

/** A message of the session. */
interface NoteView {
  at: number;
  level: 'info' | 'success' | 'warning' | 'error';
  text: string;
  hint?: string | undefined;
}

/** A running step. */
interface RunningStep {
  kind: 'build' | 'upload' | 'sync' | 'create' | 'update' | 'delete' | 'start' | 'set-up';
  label: string;
  ids: readonly string[];
  totalBytes?: number | undefined;
  text?: string | undefined;
}

/** A session, as far as its page shows it. The server holds one, and each page holds a copy. */
export interface SessionState {
  stackName: string;
  isReady: boolean;
  /** The command has ended; what continues in the cloud. */
  ended: { goingOn: string | undefined } | undefined;
  stack: StackView;
  resources: Map<string, ResourceView>;
  /** Running steps. */
  steps: Map<string, RunningStep>;
  /** What CloudFormation works on: resource → since when. */
  deploying: Map<string, number>;
  /** Resources that a sync works on. */
  busy: Set<string>;
  records: SyncRecord[];
  /** The last save. */
  lastChange: { at: number; files: readonly string[] } | undefined;
  notes: NoteView[];
  outputs: readonly StackOutput[];
  endpoints: readonly Endpoint[];
  facts: SessionFacts | undefined;
}

/** A session without events. */
export function emptySession(at: number): SessionState {
  return {
    stackName: '',
    isReady: false,
    ended: undefined,
    stack: { state: 'queued', since: at, failure: undefined, lastSync: undefined },
    resources: new Map(),
    steps: new Map(),
    deploying: new Map(),
    busy: new Set(),
    records: [],
    lastChange: undefined,
    notes: [],
    outputs: [],
    endpoints: [],
    facts: undefined,
  };
}

/** A resource without events. */
export function newResource(id: string, at: number): ResourceView {
  return {
    id,
    state: 'waiting',
    since: at,
    busySince: undefined,
    failure: undefined,
    problems: [],
    lastSync: undefined,
    undeployed: [],
    activity: undefined,
  };
}

/** A session without maps and sets, for JSON. */
export type EncodedSession = Omit<SessionState, 'resources' | 'steps' | 'deploying' | 'busy'> & {
  resources: readonly [string, ResourceView][];
  steps: readonly [string, RunningStep][];
  deploying: readonly [string, number][];
  busy: readonly string[];
};

/** The session for a page that joins. */
export function encodeSession(session: SessionState): EncodedSession {
  const { resources, steps, deploying, busy } = session;
  return { ...session, resources: [...resources], steps: [...steps], deploying: [...deploying], busy: [...busy] };
}

/** The session from `encodeSession`. */
export function decodeSession(session: EncodedSession): SessionState {
  const { resources, steps, deploying, busy } = session;
  return {
    ...session,
    resources: new Map(resources),
    steps: new Map(steps),
    deploying: new Map(deploying),
    busy: new Set(busy),
  };
}
