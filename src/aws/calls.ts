import type {
  AbsoluteLocation,
  BuildHandlerOptions,
  HandlerExecutionContext,
  InitializeHandler,
  InitializeHandlerOptions,
} from '@smithy/types';
import type { Reporter } from '../console/reporter.ts';
import { AwsError, explainFailure } from './service-errors.ts';

/** What all SDK clients have in common, as far as we need it. */
export interface SdkClient {
  send(command: object, options?: object): Promise<unknown>;
  middlewareStack: {
    add(middleware: Middleware, options: (InitializeHandlerOptions | BuildHandlerOptions) & AbsoluteLocation): void;
    remove(name: string): boolean;
  };
}

type Handler = InitializeHandler<object, object>;
type Middleware = (next: Handler, context: HandlerExecutionContext) => Handler;

/** Where calls are reported and what their failures say. */
export interface CallReporting {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  region: string;
  profile: string | undefined;
}

const DISPLAY_NAMES: Record<string, string> = {
  APIGateway: 'API Gateway',
  ApiGatewayV2: 'API Gateway',
  SFN: 'Step Functions',
  CloudWatchLogs: 'CloudWatch Logs',
};

/** A call that undoes something may take so long (ms): the run waits for it at its end. */
const LATE_WITHIN = 5_000;

/** Sends a call of a client; see `Service`. */
export type Send = SdkClient['send'];

/**
 * Makes each call of a client end with the signal, be reported when it is over, and fail with a sentence. The result sends
 * calls that do not end with the signal.
 */
export function reportCalls(client: SdkClient, reporting: CallReporting): { sendLate: Send } {
  const late = new WeakSet<object>();
  const endpoints = new WeakMap<HandlerExecutionContext, string>();
  // the SDK's own goes through every answer for what a log may show, also if nobody logs: 6 % of a sync of 100 functions
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add((next, context) => watchCall(next, context, { ...reporting, endpoints, late }), {
    step: 'initialize',
    priority: 'high',
    name: 'samSyncCall',
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      const endpoint = endpointOf((args as { request?: RequestAddress }).request);
      if (endpoint !== undefined) endpoints.set(context, endpoint);
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'samSyncEndpoint' },
  );
  const { signal } = reporting;
  const send = client.send.bind(client);
  if (signal !== undefined) client.send = (command, options) => send(command, { abortSignal: signal, ...options });
  return {
    sendLate: (command) => {
      late.add(inputOf(command));
      return send(command, { abortSignal: AbortSignal.timeout(LATE_WITHIN) });
    },
  };
}

/** What a command and the arguments of its middleware have in common. */
function inputOf(command: object): object {
  return (command as { input: object }).input;
}

function watchCall(
  next: Handler,
  context: HandlerExecutionContext,
  reporting: CallReporting & { endpoints: WeakMap<HandlerExecutionContext, string>; late: WeakSet<object> },
): Handler {
  const { reporter, region, profile, endpoints, late } = reporting;
  const name = (context.clientName ?? '').replace(/Client$/, '');
  const service = DISPLAY_NAMES[name] ?? name;
  const operation = (context.commandName ?? '').replace(/Command$/, '');
  return async (args) => {
    const signal = late.has(inputOf(args)) ? undefined : reporting.signal;
    signal?.throwIfAborted();
    const started = performance.now();
    const report = (attempts: number, error?: string): void =>
      reporter.report({ type: 'api-call', service, operation, ms: performance.now() - started, attempts, error });
    try {
      const result = await next(args);
      report((result.output as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1);
      return result;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const endpoint = endpoints.get(context);
      const failure = explainFailure(error, { service, operation, endpoint, region, profile });
      report(failure instanceof AwsError ? failure.attempts : 1, failure instanceof AwsError ? failure.code : 'Error');
      throw failure;
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
