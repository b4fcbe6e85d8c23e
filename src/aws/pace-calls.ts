import { SMITHY_CONTEXT_KEY } from '@smithy/types';
import type { HandlerExecutionContext } from '@smithy/types';
import { nameCall, type CallReporting, type Handler, type SdkClient } from './calls.ts';
import type { Pacer } from './pacer.ts';
import { quotasOf } from './quotas.ts';
import { isThrottle } from './retry.ts';

/**
 * Makes each request of a client, retries included, wait until the account's quotas admit it, or until the call is aborted.
 * It waits before it is signed: a signature is valid for five minutes.
 */
export function paceCalls(client: SdkClient, pacer: Pacer): CallReporting['waitedFor'] {
  // the context is the same for each attempt of a call
  const refused = new WeakSet<HandlerExecutionContext>();
  const waited = new WeakMap<HandlerExecutionContext, number>();
  client.middlewareStack.addRelativeTo(
    (next, context): Handler => {
      const { service, operation } = nameCall(context);
      const quotas = quotasOf(service, operation);
      if (quotas.length === 0) return next;
      const signal = context[SMITHY_CONTEXT_KEY]?.['abortSignal'] as AbortSignal | undefined;
      return async (args) => {
        const started = performance.now();
        await pacer.admit(quotas, { signal, again: refused.has(context) });
        waited.set(context, (waited.get(context) ?? 0) + performance.now() - started);
        try {
          return await next(args);
        } catch (error) {
          if (isThrottle(error)) {
            refused.add(context);
            pacer.refuse(quotas);
          }
          throw error;
        }
      };
    },
    { relation: 'after', toMiddleware: 'retryMiddleware', name: 'samSyncPace' },
  );
  return (context) => waited.get(context) ?? 0;
}
