/** What a resource can be asked to do. */
export type ResourceRole = 'function' | 'state-machine' | 'other';

/** What the cloud has of a resource. */
export interface ResourceFacts {
  id: string;
  type: string;
  role: ResourceRole;
  /** The name or ARN that the services know it by; undefined: it is not deployed. */
  physicalId?: string | undefined;
  /** Properties that were set directly and are not deployed. */
  ahead: readonly string[];
}

/** What the page needs beside the events. */
export interface SessionFacts {
  stackName: string;
  region: string;
  /** The local cloud. */
  local: boolean;
  resources: readonly ResourceFacts[];
}

/** The response of a function. */
export interface InvokeAnswer {
  /** As the function returned it. */
  payload: string;
  /** `Unhandled`: the function failed. */
  functionError?: string | undefined;
  /** The last 4 KB of its log. */
  log: string;
  ms: number;
}

/** A request to an endpoint of the application. */
export interface CallRequest {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** The response of an endpoint. */
export interface CallAnswer {
  status: number;
  statusText: string;
  headers: readonly (readonly [string, string])[];
  body: string;
  /** The body is not text; its size is shown instead. */
  binaryBytes?: number | undefined;
  /** Length of the end of the body that is left out, because the body is large. */
  cutBytes?: number | undefined;
  ms: number;
}

/** A state that an execution entered. */
export interface ExecutionStep {
  name: string;
  type: string;
  status: 'running' | 'succeeded' | 'failed';
  /** ms since the epoch. */
  start: number;
  end?: number | undefined;
  input?: string | undefined;
  output?: string | undefined;
  error?: string | undefined;
}

/** An execution of a state machine. */
export interface Execution {
  /** Names it for the next question; undefined: an Express workflow, which has ended. */
  arn?: string | undefined;
  status: string;
  input: string;
  output?: string | undefined;
  error?: string | undefined;
  ms: number;
  steps: readonly ExecutionStep[];
  /** Why there is no path. */
  note?: string | undefined;
}

/** A line of a function's log. */
export interface PageLogLine {
  id: string;
  /** ms since the epoch. */
  time: number;
  text: string;
}

/** What the page can do. Every command rejects with a `UserError` if it fails. */
export interface UiCommands {
  /** Compares all resources with the cloud and syncs the differences. */
  sync(): void;
  /** Deploys the stack. */
  deploy(): void;
  facts(): Promise<SessionFacts>;
  invoke(request: { id: string; event: string }): Promise<InvokeAnswer>;
  call(request: CallRequest): Promise<CallAnswer>;
  /** Starts an execution of a state machine. */
  run(request: { id: string; input: string }): Promise<Execution>;
  /** The execution as it is now. */
  execution(request: { arn: string }): Promise<Execution>;
  /** Passes on log lines until the signal aborts. */
  followLogs(onLine: (line: PageLogLine) => void, signal: AbortSignal): Promise<void>;
  /** Events and requests that were sent before, newest first, by the name of what they were sent to. */
  remembered(): Promise<Readonly<Record<string, readonly string[]>>>;
  remember(request: { name: string; text: string }): Promise<void>;
}
