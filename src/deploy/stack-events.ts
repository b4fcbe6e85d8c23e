import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { depthOf, identifierOf } from '../model/stack.ts';
import { mapLimit } from '../support/map-limit.ts';
import { STACK_TYPE } from '../template/kinds/cloudformation.ts';
import { isStackItself, type StackEventRecord } from './first-cause.ts';
import { isNoSuchStack } from './stack-refusals.ts';
import { stackCondition } from './stack-status.ts';

/** The operation whose events to follow. */
export interface StackOperation {
  /** The ARN: a name may mean another stack after a deletion. */
  stackId: string;
  /** `ClientRequestToken` of the call that started it. All events of the stack have it until another operation begins. */
  token: string;
  /** Time of the last change before this operation: older events are not read. */
  previousChange?: Date | undefined;
}

/** Reads the events of an operation as they arrive, including those of nested stacks. */
export interface StackEventSource {
  /** Reads new events, oldest first. One call per busy stack. */
  read(): Promise<StackEventRecord[]>;
  /** Reads the remaining events after the operation ended. */
  readRest(): Promise<StackEventRecord[]>;
  /** All events of the operation read so far. */
  readonly events: readonly StackEventRecord[];
  /** Number of followed stacks. */
  readonly active: number;
  /** The operation's first event was read. */
  readonly begun: boolean;
  /** The operation's last event, once read. */
  readonly ended: StackEventRecord | undefined;
  /** Another operation on the stack began after it, or before its own events arrived. */
  readonly overtaken: boolean;
  /** Sets the start of the operation, for an emulator whose events have no token. */
  beginAt(time: Date): void;
}

interface FollowedStack {
  id: string;
  path: string;
  seen: Set<string>;
  /** By its parent's events; a stack is read once more after it became idle. */
  state: 'busy' | 'last-read' | 'done' | 'denied';
}

/** Stacks whose events are read at once; `aws/quotas.ts` paces the calls. */
const PARALLEL_READS = 4;

/** State of an event source. */
interface Reading {
  token: string;
  root: FollowedStack;
  stacks: Map<string, FollowedStack>;
  events: StackEventRecord[];
  /** Read, but not yet returned by `read`. */
  unreported: StackEventRecord[];
  previousChange: Date | undefined;
  /** Start of the operation by CloudFormation's clock; older events belong to earlier operations. */
  began: Date | undefined;
  /** Its events have its token: later events without it belong to another operation. */
  hasToken: boolean;
  ended: StackEventRecord | undefined;
  overtaken: boolean;
}

/** Creates an event source, which sends no request before the first `read`. */
export function createEventSource(aws: Aws, operation: StackOperation): StackEventSource {
  const { stackId, token, previousChange } = operation;
  const root: FollowedStack = { id: stackId, path: '', seen: new Set(), state: 'busy' };
  const reading: Reading = {
    token,
    root,
    stacks: new Map([[stackId, root]]),
    events: [],
    unreported: [],
    previousChange,
    began: undefined,
    hasToken: false,
    ended: undefined,
    overtaken: false,
  };
  return {
    events: reading.events,
    get active() {
      return followed(reading).length;
    },
    get begun() {
      return reading.began !== undefined;
    },
    get ended() {
      return reading.ended;
    },
    get overtaken() {
      return reading.overtaken;
    },
    beginAt: (time) => {
      reading.began ??= time;
    },
    read: () => readNext(aws, reading),
    readRest: async () => {
      const rest: StackEventRecord[] = [];
      root.state = 'last-read';
      while (followed(reading).length > 0) {
        for (const stack of followed(reading)) stack.state = 'last-read';
        rest.push(...(await readNext(aws, reading)));
      }
      return rest;
    },
  };
}

function followed({ stacks }: Reading): FollowedStack[] {
  return [...stacks.values()].filter(({ state }) => state === 'busy' || state === 'last-read');
}

/**
 * Reads parents before their nested stacks: a nested stack that its parent reports as new is read in the same round, and one
 * that has ended is read for the last time.
 */
async function readNext(aws: Aws, reading: Reading): Promise<StackEventRecord[]> {
  const read = new Set<FollowedStack>();
  for (;;) {
    const unread = followed(reading).filter((stack) => !read.has(stack));
    if (unread.length === 0) break;
    const depth = Math.min(...unread.map(({ path }) => depthOf(path)));
    const stacks = unread.filter((stack) => depthOf(stack.path) === depth);
    await readStacks(aws, reading, stacks);
    for (const stack of stacks) read.add(stack);
  }
  const fresh = reading.unreported.sort(byTime);
  reading.unreported = [];
  reading.events.push(...fresh);
  return fresh;
}

async function readStacks(aws: Aws, reading: Reading, stacks: readonly FollowedStack[]): Promise<void> {
  const lists = await mapLimit(stacks, PARALLEL_READS, (stack) => readStack(aws, reading, stack));
  // only now, so that after a failure all of them are read again
  for (const [index, stack] of stacks.entries()) {
    for (const event of lists[index] ?? []) stack.seen.add(event.id);
    if (stack.state === 'last-read') stack.state = 'done';
  }
  const events = lists.flatMap((list) => list.toReversed()).sort(byTime);
  const own = events.filter((event) => isOwn(reading, event));
  for (const event of own) followNested(reading, event);
  reading.unreported.push(...own);
}

function byTime(a: StackEventRecord, b: StackEventRecord): number {
  return a.timestamp.getTime() - b.timestamp.getTime();
}

/** Reads new events of a stack, newest first. */
async function readStack(aws: Aws, reading: Reading, stack: FollowedStack): Promise<StackEventRecord[]> {
  const { began } = reading;
  const isRead = (event: StackEventRecord): boolean =>
    stack.seen.has(event.id) || (began !== undefined && event.timestamp < began);
  try {
    if (stack === reading.root && began === undefined) return await readFromStart(aws, reading);
    const events = await readEvents(aws, stack, isRead);
    return events.filter((event) => !isRead(event));
  } catch (error) {
    // some emulators have no events of a deleted stack
    if (isNoSuchStack(error, stack.id)) return [];
    // a policy may allow only the root stack, whose events cover nested stacks too
    if (stack === reading.root || !isAwsError(error) || error.kind !== 'access-denied') throw error;
    stack.state = 'denied';
    return [];
  }
}

/**
 * Reads events back to the start of our operation, newest first. Returns none before they arrive. Another operation may
 * have begun, and even ended, meanwhile.
 */
async function readFromStart(aws: Aws, reading: Reading): Promise<StackEventRecord[]> {
  const { token, root } = reading;
  const events = await readEvents(
    aws,
    root,
    (event) => isStart(event) && (event.token === token || isOld(reading, event)),
  );
  const first = events.at(-1);
  const hasStart = first !== undefined && isStart(first) && first.token === token;
  // once our own events are there, isOwn detects other operations
  reading.overtaken =
    !hasStart && events.some((event) => isStart(event) && !!event.token && !isOld(reading, event, 1_000));
  if (!hasStart) return [];
  reading.began = first.timestamp;
  reading.hasToken = true;
  return events;
}

/** Returns whether the event precedes our operation. `slack` (ms): events may be slightly later than the stack's own time. */
function isOld({ previousChange }: Reading, { timestamp }: StackEventRecord, slack = 0): boolean {
  return previousChange !== undefined && timestamp.getTime() <= previousChange.getTime() + slack;
}

/** Returns whether the event belongs to our operation. Call it in the order of events. */
function isOwn(reading: Reading, event: StackEventRecord): boolean {
  const { token, hasToken, root, ended } = reading;
  if (event.stackId !== root.id)
    return !(reading.overtaken && ended !== undefined && event.timestamp > ended.timestamp);
  const isOthers = isStackItself(event) && event.token !== token && (isStart(event) || ended !== undefined);
  if (hasToken && isOthers) reading.overtaken = true;
  if (reading.overtaken) return false;
  if (isStackItself(event) && stackCondition(event.status) !== 'busy') reading.ended = event;
  return true;
}

/** Returns whether an operation begins with the event. */
function isStart(event: StackEventRecord): boolean {
  return isStackItself(event) && /^(CREATE|UPDATE|DELETE|IMPORT|REVIEW)_IN_PROGRESS$/.test(event.status);
}

function followNested(reading: Reading, event: StackEventRecord): void {
  if (event.resourceType !== STACK_TYPE || isStackItself(event)) return;
  const id = event.physicalId;
  if (!id.startsWith('arn:')) return;
  const state = event.status.endsWith('_IN_PROGRESS') ? 'busy' : 'last-read';
  const nested = reading.stacks.get(id);
  if (nested === undefined) {
    const path = identifierOf(event.stackPath, event.logicalId);
    reading.stacks.set(id, { id, path, seen: new Set(), state });
  } else if (nested.state !== 'denied') nested.state = state;
}

/** Reads events of one stack, newest first, page by page, up to and including the first for which `isLast` is true. */
export async function readEvents(
  aws: Aws,
  stack: { id: string; path: string },
  isLast: (event: StackEventRecord) => boolean,
): Promise<StackEventRecord[]> {
  const { send, DescribeStackEventsCommand } = await aws.cloudFormation();
  const read: StackEventRecord[] = [];
  let NextToken: string | undefined;
  do {
    const page = await send(new DescribeStackEventsCommand({ StackName: stack.id, NextToken }));
    for (const event of page.StackEvents ?? []) {
      const record = toRecord(event, stack.path);
      read.push(record);
      if (isLast(record)) return read;
    }
    NextToken = page.NextToken || undefined;
  } while (NextToken !== undefined);
  return read;
}

function toRecord(event: StackEvent, stackPath: string): StackEventRecord {
  return {
    id: event.EventId ?? '',
    stackId: event.StackId ?? '',
    stackPath,
    logicalId: event.LogicalResourceId ?? '',
    physicalId: event.PhysicalResourceId ?? '',
    resourceType: event.ResourceType ?? '',
    status: event.ResourceStatus ?? '',
    reason: event.ResourceStatusReason || undefined,
    timestamp: event.Timestamp ?? new Date(0),
    token: event.ClientRequestToken || undefined,
    hook:
      event.HookType === undefined
        ? undefined
        : { type: event.HookType, status: event.HookStatus ?? '', reason: event.HookStatusReason },
  };
}
