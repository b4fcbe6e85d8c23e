import type { Aws } from '../aws/aws.ts';
import { isAwsError, type AwsError } from '../aws/service-errors.ts';
import { note, type Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { describeStack, type DeployedStack } from './describe-stack.ts';
import { isStackItself, type StackEventRecord } from './first-cause.ts';
import { pause } from '../support/pause.ts';
import { createEventSource, type StackEventSource, type StackOperation } from './stack-events.ts';
import { stackCondition } from './stack-status.ts';

/** How an operation is watched. */
export interface FollowOptions extends StackOperation {
  stackName: string;
  /** Between two looks; undefined: quick at first and after each event, then slower. */
  pollDelayMs?: number | undefined;
  reporter: Reporter;
  signal?: AbortSignal | undefined;
}

/** How an operation ended. */
export interface FollowResult {
  /** How our operation ended, e.g. `UPDATE_COMPLETE`. */
  status: string;
  /** As it is now; undefined: it is gone. */
  stack: DeployedStack | undefined;
  /** Nobody has begun anything else with the stack since. */
  isLatest: boolean;
  events: readonly StackEventRecord[];
}

/** Between two looks (ms): quick at first and while things happen, slower while nothing does. */
const FIRST_DELAY = 150;
const BUSY_DELAY = 400;
const LONGEST_DELAY = 2_000;
/** Looks without news after which the stack itself is asked, half a minute: its last event may never come. */
const SILENT_LOOKS = 15;
/** The same before the first event, three seconds: a cloud that is not AWS may have none of ours. */
const SILENT_LOOKS_BEFORE_START = 6;
/** So often a description from before an operation that has ended is not believed. */
const LATE_LOOKS = 5;
/** Longest time without a connection to CloudFormation (ms). */
const RECONNECT_WITHIN = 5 * 60_000;

/**
 * Reports the events of an operation, those of nested stacks too, until it is over. What somebody else does with the stack
 * after it is neither waited for nor reported.
 */
export async function followStack(aws: Aws, options: FollowOptions): Promise<FollowResult> {
  const source = createEventSource(aws, options);
  const ask = createPatientAsk(options);
  let delay = FIRST_DELAY;
  let silentLooks = 0;
  let lateLooks = 0;
  for (;;) {
    await pause(options.pollDelayMs ?? delay * Math.max(1, source.active / 4), options.signal);
    const fresh = await ask(() => source.read());
    reportEvents(options.reporter, fresh);
    silentLooks = fresh.length > 0 ? 0 : silentLooks + 1;
    delay = fresh.length > 0 ? BUSY_DELAY : Math.min(delay * 1.5, LONGEST_DELAY);
    const mayBeOver = source.ended !== undefined || source.overtaken;
    if (!mayBeOver && silentLooks < (source.begun ? SILENT_LOOKS : SILENT_LOOKS_BEFORE_START)) continue;
    const stack = await ask(() => describeStack(aws, options.stackId));
    silentLooks = 0;
    if (stack !== undefined && isOld(stack, options) && (!source.begun || ++lateLooks < LATE_LOOKS)) continue;
    const isOver = stack === undefined || stackCondition(stack.status) !== 'busy';
    if (isOver || (source.ended !== undefined && source.overtaken)) {
      // no event bore our token: a cloud that has none
      if (stack !== undefined) beginWithoutToken(source, stack);
      const rest = await ask(() => source.readRest());
      reportEvents(options.reporter, rest);
      return {
        status: source.ended?.status ?? stack?.status ?? 'DELETE_COMPLETE',
        stack,
        isLatest: stack !== undefined && !source.overtaken,
        events: source.events,
      };
    }
    beginWithoutToken(source, stack);
  }
}

/** A nested stack is told as the resource that it is in its parent; its events of itself would say it twice. */
function reportEvents(reporter: Reporter, events: readonly StackEventRecord[]): void {
  for (const event of events) {
    if (event.stackPath === '' || !isStackItself(event)) reporter.report({ type: 'stack-event', event });
  }
}

/** Waits for the end of an operation that is not ours; its events are not shown. */
export async function waitUntilSettled(
  aws: Aws,
  stackId: string,
  options: {
    timeoutMs: number;
    pollDelayMs?: number | undefined;
    signal?: AbortSignal | undefined;
    reporter: Reporter;
  },
): Promise<DeployedStack | undefined> {
  const ask = createPatientAsk(options);
  const deadline = performance.now() + options.timeoutMs;
  let delay = BUSY_DELAY;
  for (;;) {
    const stack = await ask(() => describeStack(aws, stackId));
    if (stack === undefined || stackCondition(stack.status) !== 'busy') return stack;
    if (performance.now() > deadline) {
      throw new UserError(
        `Stack ${stack.name} is still in ${stack.status} after ${Math.round(options.timeoutMs / 60_000)} minutes`,
        {
          hint: 'Sync again when it is over.',
        },
      );
    }
    await pause(options.pollDelayMs ?? delay, options.signal);
    delay = Math.min(delay * 1.5, 5_000);
  }
}

function beginWithoutToken(source: StackEventSource, stack: DeployedStack): void {
  // with somebody else's token in sight ours has only not come yet
  if (source.begun || source.overtaken) return;
  const time = stack.updatedAt ?? stack.createdAt;
  // the first event may be a little earlier than what the stack says
  if (time !== undefined) source.beginAt(new Date(time.getTime() - 1_000));
}

/** DescribeStacks may lag behind the call that started the operation. */
function isOld(stack: DeployedStack, { previousChange }: FollowOptions): boolean {
  return previousChange !== undefined && (stack.updatedAt ?? stack.createdAt)?.getTime() === previousChange.getTime();
}

type Ask = <T>(question: () => Promise<T>) => Promise<T>;

/** Asks again for some minutes when CloudFormation cannot be reached: the operation goes on without us. */
function createPatientAsk(options: Pick<FollowOptions, 'reporter' | 'signal'>): Ask {
  return async (question) => {
    let lostAt: number | undefined;
    for (let delay = 1_000; ; delay = Math.min(delay * 2, 10_000)) {
      try {
        const answer = await question();
        if (lostAt !== undefined) note(options.reporter, 'info', 'CloudFormation answers again');
        return answer;
      } catch (error) {
        if (!isTemporary(error)) throw error;
        if (lostAt === undefined) {
          note(
            options.reporter,
            'warning',
            `${error.message}; trying again for ${RECONNECT_WITHIN / 60_000} minutes`,
            error.hint,
          );
        }
        lostAt ??= performance.now();
        if (performance.now() - lostAt > RECONNECT_WITHIN) throw error;
        await pause(delay, options.signal);
      }
    }
  };
}

function isTemporary(error: unknown): error is AwsError {
  return isAwsError(error) && ['unreachable', 'throttled', 'unavailable'].includes(error.kind);
}
