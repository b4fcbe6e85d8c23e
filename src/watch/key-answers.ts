import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { LoopEvent } from './loop/results.ts';

/** Answers keys that find nothing to do. */
export interface KeyAnswers {
  /** `r`: these resources are compared with the cloud. */
  comparing(ids: readonly string[]): void;
  /** `d`: the stack is deployed. */
  deploying(): void;
  onLoopEvent(event: LoopEvent): void;
}

/** Creates the answers. What differs is reported by its own events. */
export function createKeyAnswers(reporter: Reporter, stackName: () => string): KeyAnswers {
  let compared: { left: Set<string>; count: number; differs: boolean } | undefined;
  let isDeploying = false;
  return {
    comparing(ids) {
      if (ids.length === 0)
        return note(reporter, 'info', 'No resources to compare: only deployments update this stack (d).');
      compared = { left: new Set(ids), count: ids.length, differs: false };
      note(reporter, 'info', `Comparing ${describeCount(ids.length)} with the cloud`);
    },
    deploying() {
      isDeploying = true;
      note(reporter, 'info', `Deploying stack ${stackName()}`);
    },
    onLoopEvent(event) {
      if (event.type === 'deploy-ended' && isDeploying) {
        isDeploying = false;
        if (event.end.outcome === 'unchanged') {
          note(reporter, 'success', `Nothing to deploy: stack ${stackName()} is up to date.`);
        }
      }
      if (event.type !== 'ended' || !compared?.left.delete(event.resource.id)) return;
      compared.differs ||= event.resource.outcome !== 'unchanged';
      if (compared.left.size > 0) return;
      const { count, differs } = compared;
      compared = undefined;
      if (!differs) note(reporter, 'success', `Nothing to sync: ${describeCount(count)} in sync.`);
    },
  };
}

function describeCount(count: number): string {
  return count === 1 ? '1 resource' : `${count} resources`;
}
