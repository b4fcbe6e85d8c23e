import { UserError } from '../../errors.ts';

/** Between two reads (ms). Most updates take half a second to two seconds: we see their end at most a fifth later. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 2_000;
const SHARE_WAITED = 0.2;

/** How long a change may take (ms); versions with SnapStart take minutes. */
export const LONGEST_CHANGE = 10 * 60_000;

/** How long to wait (ms) before the next read of a change that began then. */
export function delaySince(started: number): number {
  return Math.min(Math.max((performance.now() - started) * SHARE_WAITED, FIRST_DELAY), LONGEST_DELAY);
}

/** The error of a change that has not ended after that time. `look`: the command that shows it. */
export function stillBusy(subject: string, look: string): UserError {
  return new UserError(`Lambda is still busy with ${subject} after ${LONGEST_CHANGE / 60_000} minutes`, {
    hint: `Check it with \`${look}\`, then sync again.`,
  });
}
