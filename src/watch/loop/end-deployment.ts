import type { ResourceIdentifier } from '../../model/stack.ts';
import type { Deployment } from './loop-state.ts';
import type { DeployEnd } from './results.ts';
import { markPending, noteResult, report, resetRetry, retryLater, set, wantDeployment, without } from './turn.ts';
import type { Turn } from './turn.ts';

/** Records what a deployment did. No resource goes on waiting for one that failed, or shows a failure that is over. */
export function endDeployment(turn: Turn, end: DeployEnd): void {
  const { deployment, pending } = turn.state;
  if (!deployment) return;
  const { outdated, reserved, order } = deployment;
  const ms = turn.facts.now - order.since;
  const failed = end.outcome === 'failed' ? end : undefined;
  const results = end.outcome === 'failed' ? end.causes : end.results;
  // what it reports nothing of is still to be synced: it may have ended before it compared anything
  const handled = results.map(({ id }) => id);
  set(turn, {
    deployFailure: failed,
    pending: without(
      pending,
      handled.filter((id) => !outdated.has(id)),
    ),
  });
  for (const result of results) noteResult(turn, result, ms);
  settleOthers(turn, end, { outdated, ms });
  report(turn, { type: 'deploy-ended', end, ms });
  markPending(turn, end.toSync);
  if (!failed) {
    resetRetry(turn);
    // it may have overwritten these
    markPending(turn, [...outdated].filter(reserved));
  } else {
    if (failed.failure.transient) retryLater(turn);
    if ([...outdated].some(failed.retryOn)) wantDeployment(turn, false);
  }
  set(turn, { deployment: undefined });
  // what was set directly meanwhile is not in it
  if (turn.state.followUp.isWanted) report(turn, { type: 'deploy-queued' });
}

/** Ends resources that have no result of their own and that nothing is to sync. */
function settleOthers(
  turn: Turn,
  end: DeployEnd,
  { outdated, ms }: Pick<Deployment, 'outdated'> & { ms: number },
): void {
  const { pending, failed, blocked, syncs, deployWanted } = turn.state;
  const isOpen = (id: ResourceIdentifier): boolean =>
    outdated.has(id) || pending.has(id) || syncs.some(({ ids }) => ids.has(id));
  if (end.outcome !== 'failed') {
    const isOver = (id: ResourceIdentifier): boolean => !isOpen(id) && end.asDeployed?.(id) === true;
    for (const id of [...failed.keys()].filter(isOver)) noteResult(turn, { id, outcome: 'unchanged' }, ms);
    return;
  }
  // it is tried again
  if (end.failure.transient !== undefined || deployWanted !== undefined) return;
  for (const id of [...blocked].filter((one) => !isOpen(one))) {
    const failure = { message: `${id} is as deployed before, because the deployment that it waited for failed` };
    noteResult(turn, { id, outcome: 'failed', failure }, ms);
  }
}
