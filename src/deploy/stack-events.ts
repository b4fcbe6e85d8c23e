import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { identifierOf } from '../model/stack.ts';
import { mapLimit } from '../support/map-limit.ts';
import { isStackItself, type StackEventRecord } from './first-cause.ts';
import { isNoSuchStack } from './stack-refusals.ts';

/** The operation whose events are followed. */
export interface StackOperation {
  /** The ARN: a name would be another stack once this one is deleted and made again. */
  stackId: string;
  /** The `ClientRequestToken` of the call that started it. */
  token: string;
}

/** Reads the events of an operation as they come, those of nested stacks too. */
export interface StackEventSource {
  /** Events that were not read before, oldest first. One call per stack that has something going on. */
  read(): Promise<StackEventRecord[]>;
  /** When the operation is over: what is still unread, since nested stacks are a look behind their parents. */
  readRest(rootToo: boolean): Promise<StackEventRecord[]>;
  /** Everything read so far. */
  readonly events: readonly StackEventRecord[];
  /** How many stacks are being followed. */
  readonly active: number;
  /** Whether the operation's first event was read. */
  readonly begun: boolean;
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
  /** When the operation began, by CloudFormation's clock; older events are of earlier operations. */
  began: Date | undefined;
}

/** Starts reading; nothing is asked before the first `read`. */
export function createEventSource(aws: Aws, { stackId, token }: StackOperation): StackEventSource {
  const root: FollowedStack = { id: stackId, path: '', seen: new Set(), state: 'going-on' };
  const reading: Reading = { token, root, stacks: new Map([[stackId, root]]), events: [], began: undefined };
  return {
    events: reading.events,
    get active() {
      return followed(reading).length;
    },
    get begun() {
      return reading.began !== undefined;
    },
    beginAt: (time) => {
      reading.began ??= time;
    },
    read: () => readNext(aws, reading),
    readRest: async (rootToo) => {
      const rest: StackEventRecord[] = [];
      root.state = rootToo ? 'last-look' : 'over';
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
  const fresh = lists
    .flatMap((list) => list.toReversed())
    .sort((a, b) => a.timestamp.getTime() - b.timestamp.getTime());
  for (const event of fresh) followNested(reading, event);
  reading.events.push(...fresh);
  return fresh;
}

/** Unread events of a stack, newest first. */
async function readStack(aws: Aws, reading: Reading, stack: FollowedStack): Promise<StackEventRecord[]> {
  const { began } = reading;
  const isOld = (event: StackEventRecord): boolean =>
    stack.seen.has(event.id) || (began !== undefined && event.timestamp < began);
  try {
    if (stack === reading.root && began === undefined) return await readFromStart(aws, reading);
    const events = await readEvents(aws, stack, isOld);
    return events.filter((event) => !isOld(event));
  } catch (error) {
    // a stack that someone deleted has no events any more, in some clouds
    if (isNoSuchStack(error, stack.id)) return [];
    // a policy may let the user see the stack of that name alone; what its nested stacks do is told by it too
    if (stack === reading.root || !isAwsError(error) || error.kind !== 'access-denied') throw error;
    stack.state = 'denied';
    return [];
  }
}

/** Events back to the start of our operation, newest first; none while they are not there yet: they may come late. */
async function readFromStart(aws: Aws, reading: Reading): Promise<StackEventRecord[]> {
  const events = await readEvents(aws, reading.root, isStart);
  const first = events.at(-1);
  if (first === undefined || !isStart(first) || first.token !== reading.token) return [];
  reading.began = first.timestamp;
  return events;
}

/** Whether an operation begins with it, ours or another one. */
function isStart(event: StackEventRecord): boolean {
  return isStackItself(event) && /^(CREATE|UPDATE|DELETE|IMPORT|REVIEW)_IN_PROGRESS$/.test(event.status);
}

function followNested(reading: Reading, event: StackEventRecord): void {
  if (event.resourceType !== 'AWS::CloudFormation::Stack' || isStackItself(event)) return;
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
