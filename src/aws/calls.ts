import type {
  AbsoluteLocation,
  BuildHandlerOptions,
  DeserializeHandlerOptions,
  FinalizeRequestHandlerOptions,
  HandlerExecutionContext,
  InitializeHandler,
  InitializeHandlerOptions,
  RelativeLocation,
} from '@smithy/types';
import type { Reporter } from '../console/reporter.ts';
import { leaveToCaller } from './retry.ts';
import { AwsError, mayHaveArrived, toAwsError } from './service-errors.ts';

/** The members of SDK clients that we use. */
export interface SdkClient {
  send(command: object, options?: object): Promise<unknown>;
  middlewareStack: {
    add(
      middleware: Middleware,
      options: (InitializeHandlerOptions | BuildHandlerOptions | DeserializeHandlerOptions) & AbsoluteLocation,
    ): void;
    addRelativeTo(
      middleware: Middleware,
      options: Omit<FinalizeRequestHandlerOptions, 'step'> & RelativeLocation,
    ): void;
    remove(name: string): boolean;
  };
}

/** A step of a call, as far as we need it. */
export type Handler = InitializeHandler<object, object>;
type Middleware = (next: Handler, context: HandlerExecutionContext) => Handler;

/** How to report calls and explain their failures. */
export interface CallReporting {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  region: string;
  profile: string | undefined;
  /** How long a call has waited for the account's quotas (ms). */
  waitedFor?: ((context: HandlerExecutionContext) => number) | undefined;
}

const DISPLAY_NAMES: Record<string, string> = {
  APIGateway: 'API Gateway',
  ApiGatewayV2: 'API Gateway',
  SFN: 'Step Functions',
  CloudControl: 'Cloud Control',
  CloudWatchLogs: 'CloudWatch Logs',
};

/** Timeout of calls that undo something (ms): the run waits for them at its end. */
const LATE_WITHIN = 5_000;

/** Sends a command; see `Service`. */
export type Send = SdkClient['send'];

/**
 * Makes a client abort its calls with the signal, report each call when it ends, and throw `AwsError`s. The returned
 * `sendLate` ignores the signal, and `sendOnce` repeats no request that may have arrived
 * (and ignores the signal if it has another one).
 */
export function reportCalls(client: SdkClient, reporting: CallReporting): { sendLate: Send; sendOnce: Send } {
  const late = new WeakSet<object>();
  const once = new WeakSet<object>();
  // later middleware sees a copy of the input (S3 makes one)
  const onceCalls = new WeakSet<HandlerExecutionContext>();
  const endpoints = new WeakMap<HandlerExecutionContext, string>();
  // the SDK's logger filters every response even if nothing is logged: 6 % of a sync of 100 functions
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add(
    (next, context) => {
      const watched = watchCall(next, context, { ...reporting, endpoints, late });
      return (args) => {
        if (once.has(inputOf(args))) onceCalls.add(context);
        return watched(args);
      };
    },
    { step: 'initialize', priority: 'high', name: 'samSyncCall' },
  );
  client.middlewareStack.add(
    (next, context) => (args) => {
      const endpoint = endpointOf((args as { request?: RequestAddress }).request);
      if (endpoint !== undefined) endpoints.set(context, endpoint);
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'samSyncEndpoint' },
  );
  client.middlewareStack.addRelativeTo((next, context) => watchAttempt(next, context, onceCalls), {
    relation: 'after',
    toMiddleware: 'retryMiddleware',
    name: 'samSyncOnce',
  });
  const { signal } = reporting;
  const send = client.send.bind(client);
  if (signal !== undefined) client.send = (command, options) => send(command, { abortSignal: signal, ...options });
  return {
    sendOnce: (command, options) => {
      once.add(inputOf(command));
      // a call with a limit of its own gets its answer even after an interruption
      if (options !== undefined && 'abortSignal' in options) late.add(inputOf(command));
      return client.send(command, options);
    },
    sendLate: (command) => {
      late.add(inputOf(command));
      return send(command, { abortSignal: AbortSignal.timeout(LATE_WITHIN) });
    },
  };
}

/** Returns the input, which identifies a call both in its command and in its first middleware. */
function inputOf(command: object): object {
  return (command as { input: object }).input;
}

/** Members of inputs that name what the call is about. */
const TARGETS = [
  'FunctionName',
  'functionName',
  'LayerName',
  'StackName',
  'stateMachineArn',
  'restApiId',
  'ApiId',
  'Key',
] as const;

function targetOf(input: Partial<Record<(typeof TARGETS)[number], unknown>>): string | undefined {
  for (const name of TARGETS) {
    const value = input[name];
    if (typeof value === 'string') return value;
  }
  return undefined;
}

/** Service and operation of a call as users know them: `API Gateway`, `PutRestApi`. */
export function nameCall(context: HandlerExecutionContext): { service: string; operation: string } {
  const name = (context.clientName ?? '').replace(/Client$/, '');
  return { service: DISPLAY_NAMES[name] ?? name, operation: (context.commandName ?? '').replace(/Command$/, '') };
}

function watchCall(
  next: Handler,
  context: HandlerExecutionContext,
  reporting: CallReporting & { endpoints: WeakMap<HandlerExecutionContext, string>; late: WeakSet<object> },
): Handler {
  const { reporter, region, profile, endpoints, late } = reporting;
  const { service, operation } = nameCall(context);
  return async (args) => {
    const signal = late.has(inputOf(args)) ? undefined : reporting.signal;
    signal?.throwIfAborted();
    const started = performance.now();
    const report = (attempts: number, error?: string): void =>
      reporter.report({
        type: 'api-call',
        service,
        operation,
        ms: performance.now() - started,
        waitedMs: reporting.waitedFor?.(context) ?? 0,
        attempts,
        target: targetOf(inputOf(args)),
        error,
      });
    try {
      const result = await next(args);
      report((result.output as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1);
      return result;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const endpoint = endpoints.get(context);
      const failure = toAwsError(error, { service, operation, endpoint, region, profile });
      report(failure instanceof AwsError ? failure.attempts : 1, failure instanceof AwsError ? failure.code : 'Error');
      throw failure;
    }
  };
}

/** Ends a call of `sendOnce` with the first attempt that may have arrived. */
function watchAttempt(
  next: Handler,
  context: HandlerExecutionContext,
  onceCalls: WeakSet<HandlerExecutionContext>,
): Handler {
  return async (args) => {
    try {
      return await next(args);
    } catch (error) {
      const isOnce = onceCalls.has(context) && error instanceof Error;
      if (isOnce && mayHaveArrived(toAwsError(error, nameCall(context)))) leaveToCaller(error);
      throw error;
    }
  };
}

interface RequestAddress {
  protocol?: string;
  hostname?: string;
  port?: number;
}

function endpointOf(request: RequestAddress | undefined): string | undefined {
  if (request?.hostname === undefined) return undefined;
  return `${request.protocol ?? 'https:'}//${request.hostname}${request.port === undefined ? '' : `:${request.port}`}`;
}
