import type { Aws } from '../aws/aws.ts';
import { isAwsError, type AwsError } from '../aws/service-errors.ts';
import { note, type Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { describeStack, type DeployedStack } from './describe-stack.ts';
import { isStackItself, type StackEventRecord } from './first-cause.ts';
import { pause } from '../support/pause.ts';
import { createEventSource, type StackEventSource, type StackOperation } from './stack-events.ts';
import { stackCondition } from './stack-status.ts';

/** The operation to follow, and how. */
export interface FollowOptions extends StackOperation {
  stackName: string;
  /** Poll interval (ms); undefined: short at first and after each event, then longer. */
  pollDelayMs?: number | undefined;
  reporter: Reporter;
  signal?: AbortSignal | undefined;
}

/** The end of an operation. */
export interface FollowResult {
  /** Final status of our operation, e.g. `UPDATE_COMPLETE`. */
  status: string;
  /** The stack now; undefined if it is gone. */
  stack: DeployedStack | undefined;
  /** No later operation on the stack was seen. */
  isLatest: boolean;
  events: readonly StackEventRecord[];
}

/** Poll intervals (ms): short at first and while events arrive, longer while none do. */
const FIRST_DELAY = 150;
const BUSY_DELAY = 400;
const LONGEST_DELAY = 2_000;
/** Polls without events after which to describe the stack, about half a minute: its last event may never arrive. */
const SILENT_POLLS = 15;
/** The same before the first event, about three seconds: an emulator may not report our token. */
const SILENT_POLLS_BEFORE_START = 6;
/** Times to distrust a description that is older than the operation although the operation has ended. */
const STALE_DESCRIPTIONS = 5;
/** How long to retry without a connection, in request timeouts: 5 minutes. */
const DISCONNECTED_TIMEOUTS = 5;

/**
 * Reports the events of an operation, including those of nested stacks, until it ends. Ignores later operations on the
 * stack.
 */
export async function followStack(aws: Aws, options: FollowOptions): Promise<FollowResult> {
  const source = createEventSource(aws, options);
  const retry = createRetry(aws, options);
  let delay = FIRST_DELAY;
  let silentPolls = 0;
  let staleDescriptions = 0;
  for (;;) {
    await pause(options.pollDelayMs ?? delay * Math.max(1, source.active / 4), options.signal);
    const fresh = await retry(() => source.read());
    reportEvents(options.reporter, fresh);
    silentPolls = fresh.length > 0 ? 0 : silentPolls + 1;
    delay = fresh.length > 0 ? BUSY_DELAY : Math.min(delay * 1.5, LONGEST_DELAY);
    const mayBeOver = source.ended !== undefined || source.overtaken;
    if (!mayBeOver && silentPolls < (source.begun ? SILENT_POLLS : SILENT_POLLS_BEFORE_START)) continue;
    const stack = await retry(() => describeStack(aws, options.stackId));
    silentPolls = 0;
    const isStale = stack !== undefined && isOld(stack, options);
    if (isStale && (!source.begun || ++staleDescriptions < STALE_DESCRIPTIONS)) continue;
    const isOver = stack === undefined || stackCondition(stack.status) !== 'busy';
    if (isOver || (source.ended !== undefined && source.overtaken)) {
      // no event has our token: the emulator may not report tokens
      if (stack !== undefined) beginWithoutToken(source, stack);
      const rest = await retry(() => source.readRest());
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

/** Reports a nested stack as the resource of its parent only, not again as the stack itself. */
function reportEvents(reporter: Reporter, events: readonly StackEventRecord[]): void {
  for (const event of events) {
    if (event.stackPath === '' || !isStackItself(event)) reporter.report({ type: 'stack-event', event });
  }
}

/** Waits for the end of an operation that another process started, without showing its events. */
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
  const retry = createRetry(aws, options);
  const deadline = performance.now() + options.timeoutMs;
  let delay = BUSY_DELAY;
  for (;;) {
    const stack = await retry(() => describeStack(aws, stackId));
    if (stack === undefined || stackCondition(stack.status) !== 'busy') return stack;
    if (performance.now() > deadline) {
      throw new UserError(
        `Stack ${stack.name} is still in ${stack.status} after ${Math.round(options.timeoutMs / 60_000)} minutes`,
        {
          hint: 'Sync again when the operation has finished.',
        },
      );
    }
    await pause(options.pollDelayMs ?? delay, options.signal);
    delay = Math.min(delay * 1.5, 5_000);
  }
}

function beginWithoutToken(source: StackEventSource, stack: DeployedStack): void {
  // another token means that events do have tokens: ours will follow
  if (source.begun || source.overtaken) return;
  const time = stack.updatedAt ?? stack.createdAt;
  // the first event may be slightly earlier than the time in the description
  if (time !== undefined) source.beginAt(new Date(time.getTime() - 1_000));
}

/** Returns whether the description is older than the operation: DescribeStacks may lag behind. */
function isOld(stack: DeployedStack, { previousChange }: FollowOptions): boolean {
  return previousChange !== undefined && (stack.updatedAt ?? stack.createdAt)?.getTime() === previousChange.getTime();
}

type Retry = <T>(request: () => Promise<T>) => Promise<T>;

/** Creates a function that repeats requests for some minutes while CloudFormation is unreachable: the operation continues. */
function createRetry(
  { requestTimeout }: Pick<Aws, 'requestTimeout'>,
  options: Pick<FollowOptions, 'reporter' | 'signal'>,
): Retry {
  const patience = DISCONNECTED_TIMEOUTS * requestTimeout;
  return async (request) => {
    let lostAt: number | undefined;
    for (let delay = 1_000; ; delay = Math.min(delay * 2, 10_000)) {
      try {
        const answer = await request();
        if (lostAt !== undefined) note(options.reporter, 'info', 'CloudFormation is reachable again');
        return answer;
      } catch (error) {
        if (!isTemporary(error)) throw error;
        if (lostAt === undefined) {
          note(
            options.reporter,
            'warning',
            `${error.message}; retrying for ${Math.ceil(patience / 60_000)} minutes`,
            error.hint,
          );
        }
        lostAt ??= performance.now();
        if (performance.now() - lostAt > patience) throw error;
        await pause(delay, options.signal);
      }
    }
  };
}

function isTemporary(error: unknown): error is AwsError {
  return isAwsError(error) && ['unreachable', 'throttled', 'unavailable'].includes(error.kind);
}
