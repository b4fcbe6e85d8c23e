import { AdaptiveRetryStrategy, StandardRetryStrategy, isThrottlingError } from '@smithy/core/retry';
import type { RetryStrategyV2, RetryToken, SdkError } from '@smithy/types';
import { isConnectionFailure } from './connection-failure.ts';
import { failureCode } from './network-reason.ts';

/** Attempts while the endpoint has never answered: it is more likely wrong than busy. */
const ATTEMPTS_BEFORE_FIRST_ANSWER = { refused: 3, other: 2 };

/** Attempts of a request that gets no answer: each takes a minute (`request-handler.ts`). */
const SILENT_ATTEMPTS = 3;

/**
 * A paced call that is refused is tried again for this long (ms), and as often as others at least: four runs at once that
 * share an account need up to 13 attempts for a deployment of an API, over some minutes (simulated).
 */
const REFUSED_FOR = 5 * 60_000;

/** How the requests of a client are tried again. */
export interface RetryOptions {
  mode: 'standard' | 'adaptive';
  maxAttempts: number;
  /** The client's requests wait for the account's quotas (`paceCalls`), those that were refused too. */
  isPaced: boolean;
}

/** Whether the service refused the request because there were too many, from this machine or from others. */
export function isThrottle(error: unknown): boolean {
  return error instanceof Error && !isLimit(error) && isThrottlingError(error as SdkError);
}

/** The account has too many resources, which does not go away by waiting. */
function isLimit(error: Error): boolean {
  return error.name === 'LimitExceededException';
}

/** Whether the request was sent and nothing came back within the timeout. */
function isSilence(error: unknown): boolean {
  // the SDK gives the same name to lost connections, which have a code
  return error instanceof Error && error.name === 'TimeoutError' && / of inactivity /.test(error.message);
}

/** Errors of requests that only their caller may repeat. */
const finalErrors = new WeakSet<Error>();

/** Leaves it to the caller to repeat the request that ended with this error. */
export function leaveToCaller(error: Error): void {
  finalErrors.add(error);
}

/**
 * Creates the SDK's retry strategy with these exceptions: it gives up early on an endpoint that never answered (the SDK would
 * try a closed port for a minute), on a limit (`LimitExceededException` does not go away by waiting) and on a service that stays
 * silent; and a paced call that is refused waits for its quota instead of a random time: other users share the quota, and a run
 * must not fail for that.
 */
export function createRetryStrategy({ mode, maxAttempts, isPaced }: RetryOptions): RetryStrategyV2 {
  const refusedSince = new WeakMap<RetryToken, number>();
  const attempts = (): Promise<number> => Promise.resolve(maxAttempts);
  const strategy: RetryStrategyV2 =
    mode === 'adaptive' ? new AdaptiveRetryStrategy(attempts) : new StandardRetryStrategy(attempts);
  let answered = false;
  return {
    acquireInitialRetryToken: (scope) => strategy.acquireInitialRetryToken(scope),
    refreshRetryTokenForRetry: async (token, info) => {
      const error: unknown = info.error;
      if (error instanceof Error && (isLimit(error) || finalErrors.has(error))) throw error;
      if (isPaced && isThrottle(error)) {
        answered = true;
        const since = refusedSince.get(token) ?? performance.now();
        const count = token.getRetryCount() + 1;
        if (count >= maxAttempts && performance.now() > since + REFUSED_FOR) throw error;
        const next = { getRetryCount: () => count, getRetryDelay: () => 0, getRetryCost: () => undefined };
        refusedSince.set(next, since);
        return next;
      }
      if (!isConnectionFailure(error)) answered = true;
      else if (!answered) {
        const limit = failureCode(error) === 'ECONNREFUSED' ? 'refused' : 'other';
        if (token.getRetryCount() + 1 >= ATTEMPTS_BEFORE_FIRST_ANSWER[limit]) throw error;
      }
      if (isSilence(error) && token.getRetryCount() + 1 >= SILENT_ATTEMPTS) throw error;
      return await strategy.refreshRetryTokenForRetry(token, info);
    },
    recordSuccess: (token) => {
      answered = true;
      strategy.recordSuccess(token);
    },
  };
}
