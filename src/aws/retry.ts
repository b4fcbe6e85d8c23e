import { AdaptiveRetryStrategy, StandardRetryStrategy } from '@smithy/core/retry';
import type { RetryStrategyV2 } from '@smithy/types';
import { isConnectionFailure } from './connection-failure.ts';
import { failureCode } from './network-reason.ts';

/** Attempts while the endpoint has never answered: it is more likely wrong than busy. */
const ATTEMPTS_BEFORE_FIRST_ANSWER = { refused: 3, other: 2 };

/**
 * Creates the SDK's retry strategy with two exceptions: it gives up early on an endpoint that never answered (the SDK would
 * try a closed port for a minute), and on a quota (`LimitExceededException` does not go away by waiting).
 */
export function createRetryStrategy(mode: 'standard' | 'adaptive', maxAttempts: number): RetryStrategyV2 {
  const attempts = (): Promise<number> => Promise.resolve(maxAttempts);
  const strategy: RetryStrategyV2 =
    mode === 'adaptive' ? new AdaptiveRetryStrategy(attempts) : new StandardRetryStrategy(attempts);
  let answered = false;
  return {
    acquireInitialRetryToken: (scope) => strategy.acquireInitialRetryToken(scope),
    refreshRetryTokenForRetry: async (token, info) => {
      const error = info.error;
      if (error?.name === 'LimitExceededException') throw error;
      if (!isConnectionFailure(error)) answered = true;
      else if (!answered) {
        const limit = failureCode(error) === 'ECONNREFUSED' ? 'refused' : 'other';
        if (token.getRetryCount() + 1 >= ATTEMPTS_BEFORE_FIRST_ANSWER[limit]) throw error;
      }
      return await strategy.refreshRetryTokenForRetry(token, info);
    },
    recordSuccess: (token) => {
      answered = true;
      strategy.recordSuccess(token);
    },
  };
}
