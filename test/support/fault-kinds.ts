import type { Fault } from './fault-answers.ts';

/** A column of the table of faults. */
export interface FaultKind {
  name: string;
  fault: Exclude<Fault, { kind: 'hold' | 'freeze' }>;
  /** How many calls of the operation meet it. */
  times: number;
}

/** What passes: each operation meets it once, and the run must complete. */
export const PASSING: readonly FaultKind[] = [
  { name: 'throttle', fault: { kind: 'throttle' }, times: 1 },
  { name: '500', fault: { kind: 'error', status: 500 }, times: 1 },
  { name: '503', fault: { kind: 'error', status: 503 }, times: 1 },
  { name: 'cut before', fault: { kind: 'reset', when: 'before' }, times: 1 },
  { name: 'cut after', fault: { kind: 'reset', when: 'after-answer' }, times: 1 },
  { name: 'truncated', fault: { kind: 'truncate' }, times: 1 },
  { name: 'hang', fault: { kind: 'hang' }, times: 1 },
  { name: 'clock skew', fault: { kind: 'clock-skew' }, times: 1 },
  { name: 'empty 200', fault: { kind: 'answer' }, times: 1 },
  { name: 'HTML', fault: { kind: 'html' }, times: 1 },
];

/** What stays until somebody acts: each call of the operation meets it. The run completes without the call, or fails. */
export const LASTING: readonly FaultKind[] = [
  { name: 'HTML that stays', fault: { kind: 'html' }, times: Infinity },
  { name: 'expired credentials', fault: { kind: 'expired' }, times: Infinity },
  { name: 'access denied', fault: { kind: 'denied' }, times: Infinity },
];
