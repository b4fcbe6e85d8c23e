import { UserError } from '../../errors.ts';
import type { FunctionState } from './function-state.ts';

/** The state of a function or version. */
type Condition = Pick<FunctionState, 'name' | 'state' | 'lastUpdateStatus' | 'reason' | 'reasonCode'>;

/** States that end by themselves. */
const PASSING: ReadonlySet<string | undefined> = new Set(['Pending', 'Deactivating']);

/** Whether it is in a state that ends soon and by itself. `ActiveNonInvocable` (until a version is published) does not. */
export function isBusy({ state, lastUpdateStatus }: Condition): boolean {
  return PASSING.has(state) || lastUpdateStatus === 'InProgress';
}

/** The error of a function in deletion, which accepts no change; its durable executions may delay the end for months. */
export function deletionError({ name, state, reason, reasonCode }: Condition): UserError | undefined {
  if (state !== 'Deleting') return undefined;
  const isDraining = reasonCode === 'DrainingDurableExecutions';
  const why = isDraining ? ', after its durable executions end' : reason ? `: ${reason}` : '';
  return new UserError(`Lambda is deleting ${name}${why}`, {
    hint: isDraining
      ? `Let them end or stop them (\`aws lambda list-durable-executions-by-function --function-name ${name}\`). When it is gone, a deployment creates it again: sync without --code.`
      : 'When it is gone, a deployment creates it again: sync without --code.',
  });
}

/** Describes a function that has its code and was deactivated on purpose; undefined: it was not. */
export function describeDeactivated(id: string, { state, reason }: Condition): string | undefined {
  if (state !== 'Deactivated') return undefined;
  return `${id} has the new code, but it is deactivated and cannot be invoked${reason ? `: ${reason}` : ''}`;
}

/** What to do about it. */
export const REACTIVATE = 'Give it execution environments: aws lambda put-function-scaling-config.';
