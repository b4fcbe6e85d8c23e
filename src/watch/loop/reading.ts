import type { ResourceIdentifier } from '../../model/stack.ts';
import type { LoopState } from './loop-state.ts';
import type { ReadEnd } from './results.ts';
import { followWith, markPending, set, wantDeployment } from './turn.ts';
import type { Turn } from './turn.ts';

/** Starts to read what changed, one reading at a time. */
export function startReading(turn: Turn): void {
  const { reading, nextWork: work } = turn.state;
  if (reading.wanted === undefined || reading.running !== undefined) return;
  set(turn, { reading: { wanted: undefined, running: { work, since: reading.wanted } }, nextWork: work + 1 });
  turn.decisions.push({ do: 'read', work });
}

/** What a service can set is synced; a deployment of everything follows. */
export function endReading(turn: Turn, work: number, end: ReadEnd): void {
  const { reading, deployment } = turn.state;
  if (reading.running?.work !== work) return;
  const { since } = reading.running;
  const { deploy } = end;
  const toSync = withoutAccess(turn.state, end);
  set(turn, {
    reading: { ...reading, running: undefined },
    direct: new Set([...turn.state.direct, ...toSync]),
  });
  markPending(turn, toSync, since);
  // a deployment under way has read the templates before
  if (deployment) set(turn, { deployment: { ...deployment, outdated: new Set([...deployment.outdated, ...toSync]) } });
  if (deploy === 'now') wantDeployment(turn, false, { since });
  else followWith(turn, { force: false, since });
}

/**
 * Without the APIs whose callers change while the functions behind them are not in sync: the new code may be what checks the
 * callers. A deployment updates an API after its functions, and not at all if one fails; so these APIs wait for it.
 */
function withoutAccess(
  { pending, failed, syncs }: LoopState,
  { toSync, access = new Map() }: ReadEnd,
): readonly ResourceIdentifier[] {
  const isBehind = (id: ResourceIdentifier): boolean =>
    pending.has(id) || failed.has(id) || toSync.includes(id) || syncs.some(({ ids }) => ids.has(id));
  return toSync.filter((id) => access.get(id)?.some(isBehind) !== true);
}

/** It was quiet for long enough. */
export function startFollowUp(turn: Turn): void {
  const { force, since } = turn.state.followUp;
  set(turn, { followUp: { ...turn.state.followUp, isTimed: false } });
  wantDeployment(turn, force, { since, follows: !force });
}
