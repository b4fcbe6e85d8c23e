import type { Reporter } from '../console/reporter.ts';
import type { LoopEvent } from './loop/watch-tasks.ts';

/** Tells the view what the loop does. */
export function reportLoopEvent(reporter: Reporter, event: LoopEvent): void {
  const toState = (ids: readonly string[], state: 'waiting' | 'building' | 'updating'): void => {
    for (const id of ids) reporter.report({ type: 'resource-state', id, state });
  };
  switch (event.type) {
    case 'queued':
      return toState(event.ids, 'waiting');
    case 'building':
    case 'updating':
      return toState(event.ids, event.type);
    case 'ended': {
      const { id, outcome, detail, failure, problems } = event.resource;
      // a deployment follows
      if (outcome === 'blocked') return toState([id], 'waiting');
      const { ms } = event;
      if (outcome === 'failed') return reporter.report({ type: 'resource-state', id, state: 'failed', ms, failure });
      const changed = outcome === 'synced';
      return reporter.report({ type: 'resource-state', id, state: 'in-sync', ms, changed, detail, problems });
    }
    case 'deploy-queued':
      return reporter.report({ type: 'stack-state', state: 'queued' });
    case 'deploy-started':
      return reporter.report({ type: 'stack-state', state: 'preparing' });
    case 'deploy-ended': {
      const { end, ms } = event;
      if (end.outcome === 'failed') {
        return reporter.report({ type: 'stack-state', state: 'failed', ms, failure: end.failure });
      }
      return reporter.report({ type: 'stack-state', state: 'in-sync', ms, changed: end.outcome === 'deployed' });
    }
    case 'idle':
  }
}
