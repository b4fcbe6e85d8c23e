import { UserError } from '../../errors.ts';
import type { FunctionState } from './function-state.ts';

/** What Lambda says of how a function, or a version of it, is. */
type Condition = Pick<FunctionState, 'name' | 'state' | 'lastUpdateStatus' | 'reason' | 'reasonCode'>;

/** States that another one follows by itself. */
const PASSING: ReadonlySet<string | undefined> = new Set(['Pending', 'Deactivating']);

/** Whether something goes on with it that ends by itself, and soon. `ActiveNonInvocable` (a version has to be published) is an end. */
export function isBusy({ state, lastUpdateStatus }: Condition): boolean {
  return PASSING.has(state) || lastUpdateStatus === 'InProgress';
}

/** A function that is being deleted takes no change any more; its durable executions may keep it for months. */
export function deletionError({ name, state, reason, reasonCode }: Condition): UserError | undefined {
  if (state !== 'Deleting') return undefined;
  const isDraining = reasonCode === 'DrainingDurableExecutions';
  const why = isDraining ? ', and waits for its durable executions to end' : reason ? `: ${reason}` : '';
  return new UserError(`Lambda is deleting ${name}${why}`, {
    hint: isDraining
      ? `Let them end or stop them (\`aws lambda list-durable-executions-by-function --function-name ${name}\`). When it is gone, a deployment creates it again: sync without --code.`
      : 'When it is gone, a deployment creates it again: sync without --code.',
  });
}

/** What keeps code that is there from being called, if it was switched off on purpose. */
export function describeDeactivated(id: string, { state, reason }: Condition): string | undefined {
  if (state !== 'Deactivated') return undefined;
  return `${id} has the new code, but it is deactivated and cannot be called${reason ? `: ${reason}` : ''}`;
}

/** What is to be done about it. */
export const REACTIVATE = 'Give it execution environments: aws lambda put-function-scaling-config.';
