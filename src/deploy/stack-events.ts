import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { identifierOf } from '../model/stack.ts';
import { mapLimit } from '../support/map-limit.ts';
import { STACK_TYPE } from '../template/kinds/cloudformation.ts';
import { isStackItself, type StackEventRecord } from './first-cause.ts';
import { isNoSuchStack } from './stack-refusals.ts';
import { stackCondition } from './stack-status.ts';

/** The operation whose events are followed. */
export interface StackOperation {
  /** The ARN: a name would be another stack once this one is deleted and made again. */
  stackId: string;
  /** The `ClientRequestToken` of the call that started it: all events of the stack bear it until another operation begins. */
  token: string;
  /** When the stack was last changed before this operation: events that old are not looked through. */
  previousChange?: Date | undefined;
}

/** Reads the events of an operation as they come, those of nested stacks too. */
export interface StackEventSource {
  /** Events that were not read before, oldest first. One call per stack that has something going on. */
  read(): Promise<StackEventRecord[]>;
  /** When the operation is over: what is still unread, since nested stacks are a look behind their parents. */
  readRest(): Promise<StackEventRecord[]>;
  /** Everything of the operation that was read so far. */
  readonly events: readonly StackEventRecord[];
  /** How many stacks are being followed. */
  readonly active: number;
  /** Whether the operation's first event was read. */
  readonly begun: boolean;
  /** Its last event, once it was read. */
  readonly ended: StackEventRecord | undefined;
  /** Whether another operation was begun with the stack after it, or while its own events are not there yet. */
  readonly overtaken: boolean;
  /** For clouds whose events carry no token: the operation began then. */
  beginAt(time: Date): void;
}

interface FollowedStack {
  id: string;
  path: string;
  seen: Set<string>;
  /** Whether its parent says that something goes on in it; once over, it is read one last time. */
  state: 'going-on' | 'last-look' | 'over' | 'denied';
}

/** CloudFormation throttles DescribeStackEvents at some ten calls a second per account. */
const PARALLEL_READS = 4;

/** Where the reading stands. */
interface Reading {
  token: string;
  root: FollowedStack;
  stacks: Map<string, FollowedStack>;
  events: StackEventRecord[];
  previousChange: Date | undefined;
  /** When the operation began, by CloudFormation's clock; older events are of earlier operations. */
  began: Date | undefined;
  /** Its events bear its token: what follows without it is of another operation. */
  hasToken: boolean;
  ended: StackEventRecord | undefined;
  overtaken: boolean;
}

/** Starts reading; nothing is asked before the first `read`. */
export function createEventSource(aws: Aws, operation: StackOperation): StackEventSource {
  const { stackId, token, previousChange } = operation;
  const root: FollowedStack = { id: stackId, path: '', seen: new Set(), state: 'going-on' };
  const reading: Reading = {
    token,
    root,
    stacks: new Map([[stackId, root]]),
    events: [],
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
      root.state = 'last-look';
      while (followed(reading).length > 0) {
        for (const stack of followed(reading)) stack.state = 'last-look';
        rest.push(...(await readNext(aws, reading)));
      }
      return rest;
    },
  };
}

function followed({ stacks }: Reading): FollowedStack[] {
  return [...stacks.values()].filter(({ state }) => state === 'going-on' || state === 'last-look');
}

async function readNext(aws: Aws, reading: Reading): Promise<StackEventRecord[]> {
  const stacks = followed(reading);
  const lists = await mapLimit(stacks, PARALLEL_READS, (stack) => readStack(aws, reading, stack));
  // noted only now: when one stack could not be read, all are read again
  for (const [index, stack] of stacks.entries()) {
    for (const event of lists[index] ?? []) stack.seen.add(event.id);
    if (stack.state === 'last-look') stack.state = 'over';
  }
  const read = lists.flatMap((list) => list.toReversed()).sort((a, b) => a.timestamp.getTime() - b.timestamp.getTime());
  const fresh = read.filter((event) => isOwn(reading, event));
  for (const event of fresh) followNested(reading, event);
  reading.events.push(...fresh);
  return fresh;
}

/** Unread events of a stack, newest first. */
async function readStack(aws: Aws, reading: Reading, stack: FollowedStack): Promise<StackEventRecord[]> {
  const { began } = reading;
  const isRead = (event: StackEventRecord): boolean =>
    stack.seen.has(event.id) || (began !== undefined && event.timestamp < began);
  try {
    if (stack === reading.root && began === undefined) return await readFromStart(aws, reading);
    const events = await readEvents(aws, stack, isRead);
    return events.filter((event) => !isRead(event));
  } catch (error) {
    // a stack that someone deleted has no events any more, in some clouds
    if (isNoSuchStack(error, stack.id)) return [];
    // a policy may let the user see the stack of that name alone; what its nested stacks do is told by it too
    if (stack === reading.root || !isAwsError(error) || error.kind !== 'access-denied') throw error;
    stack.state = 'denied';
    return [];
  }
}

/**
 * Events back to the start of our operation, newest first; none while they are not there yet: they may come late. Another
 * operation may have begun already, and have ended.
 */
async function readFromStart(aws: Aws, reading: Reading): Promise<StackEventRecord[]> {
  const { token, root } = reading;
  const events = await readEvents(
    aws,
    root,
    (event) => isStart(event) && (event.token === token || isOld(reading, event)),
  );
  const first = events.at(-1);
  const isFound = first !== undefined && isStart(first) && first.token === token;
  // what is begun by somebody else is judged once ours is there
  reading.overtaken =
    !isFound && events.some((event) => isStart(event) && !!event.token && !isOld(reading, event, 1_000));
  if (!isFound) return [];
  reading.began = first.timestamp;
  reading.hasToken = true;
  return events;
}

/** Of an operation before ours. `slack` (ms): its first event may be a little later than what the stack says. */
function isOld({ previousChange }: Reading, { timestamp }: StackEventRecord, slack = 0): boolean {
  return previousChange !== undefined && timestamp.getTime() <= previousChange.getTime() + slack;
}

/** Whether the event, which comes after those that were judged before it, is of our operation. */
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

/** Whether an operation begins with it, ours or another one. */
function isStart(event: StackEventRecord): boolean {
  return isStackItself(event) && /^(CREATE|UPDATE|DELETE|IMPORT|REVIEW)_IN_PROGRESS$/.test(event.status);
}

function followNested(reading: Reading, event: StackEventRecord): void {
  if (event.resourceType !== STACK_TYPE || isStackItself(event)) return;
  const id = event.physicalId;
  if (!id.startsWith('arn:')) return;
  const state = event.status.endsWith('_IN_PROGRESS') ? 'going-on' : 'last-look';
  const known = reading.stacks.get(id);
  if (known === undefined) {
    const path = identifierOf(event.stackPath, event.logicalId);
    reading.stacks.set(id, { id, path, seen: new Set(), state });
  } else if (known.state !== 'denied') known.state = state;
}

/** Events of one stack, newest first, page by page up to and including the one that `isLast` tells. */
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
