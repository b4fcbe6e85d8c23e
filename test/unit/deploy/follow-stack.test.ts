import { describe, expect, it } from 'vitest';
import type { Aws } from '../../../src/aws/aws.ts';
import { AwsError } from '../../../src/aws/service-errors.ts';
import { followStack, type FollowOptions } from '../../../src/deploy/follow-stack.ts';

// What the emulator cannot be brought to do: late events, old descriptions, a clean-up that lasts.

const ID = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1';
const BEFORE = new Date('2026-11-22T09:00:00Z');
const START = new Date('2026-11-22T10:00:00Z');
const TOKEN = 'ours';

type Event = ReturnType<typeof rootEvent>;
type Look = { events: Event[]; status: string; updatedAt?: Date };

let ids = 0;

/** An event of the stack itself, so many seconds after the operation began. */
function rootEvent(status: string, seconds = 0, token = TOKEN) {
  return {
    StackId: ID,
    EventId: String(++ids),
    LogicalResourceId: 'app',
    PhysicalResourceId: ID,
    ResourceType: 'AWS::CloudFormation::Stack',
    ResourceStatus: status,
    Timestamp: new Date(START.getTime() + seconds * 1_000),
    ClientRequestToken: token,
  };
}

/** A command class that keeps the name of its operation and its input. */
const command = (operation: string) =>
  function (this: { operation: string; input: unknown }, input: unknown) {
    this.operation = operation;
    this.input = input;
  };

/** CloudFormation as it looks at each look at the events; the last look lasts. */
function scripted(looks: Look[]) {
  const asked: string[] = [];
  let at = -1;
  const send = ({ operation }: { operation: string }): Promise<object> => {
    asked.push(operation);
    if (operation === 'DescribeStackEvents') at = Math.min(at + 1, looks.length - 1);
    const { events, status, updatedAt = START } = looks[at] ?? { events: [], status: '' };
    if (operation === 'DescribeStackEvents') return Promise.resolve({ StackEvents: events.toReversed() });
    return Promise.resolve({
      Stacks: [{ StackId: ID, StackName: 'app', StackStatus: status, LastUpdatedTime: updatedAt }],
    });
  };
  const service = {
    send,
    DescribeStackEventsCommand: command('DescribeStackEvents'),
    DescribeStacksCommand: command('DescribeStacks'),
  };
  return { aws: { cloudFormation: () => Promise.resolve(service) } as unknown as Aws, asked };
}

function follow(aws: Aws, more: Partial<FollowOptions> = {}) {
  const told: string[] = [];
  const reporter = {
    report: (event: { type: string; event?: { status: string } }) =>
      void (event.type === 'stack-event' && told.push(event.event?.status ?? '')),
  };
  const options = {
    stackId: ID,
    stackName: 'app',
    token: TOKEN,
    pollDelayMs: 1,
    previousChange: BEFORE,
    reporter,
    ...more,
  };
  return followStack(aws, options).then(({ status, isLatest }) => ({ status, isLatest, told }));
}

const OLD = [rootEvent('UPDATE_IN_PROGRESS', -3_600, 'other'), rootEvent('UPDATE_FAILED', -3_599, 'other')];
const BEGUN = [...OLD, rootEvent('UPDATE_IN_PROGRESS')];
const CLEANING = [...BEGUN, rootEvent('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 5)];
const DONE = [...CLEANING, rootEvent('UPDATE_COMPLETE', 9)];

const OURS = ['UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE'];

describe('following an operation', () => {
  it('tells no event of an earlier operation, though ours come late', async () => {
    const { aws } = scripted([
      { events: OLD, status: 'UPDATE_COMPLETE', updatedAt: BEFORE },
      { events: OLD, status: 'UPDATE_COMPLETE', updatedAt: BEFORE },
      { events: BEGUN, status: 'UPDATE_IN_PROGRESS' },
      { events: DONE, status: 'UPDATE_COMPLETE' },
    ]);
    expect(await follow(aws)).toEqual({
      status: 'UPDATE_COMPLETE',
      isLatest: true,
      told: OURS,
    });
  });

  it('waits for the end of the clean-up', async () => {
    const { aws } = scripted([
      { events: CLEANING, status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' },
      { events: CLEANING, status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' },
      { events: DONE, status: 'UPDATE_COMPLETE' },
    ]);
    expect((await follow(aws)).status).toBe('UPDATE_COMPLETE');
  });

  it('a last event that the description does not know yet is not the end', async () => {
    const { aws } = scripted([
      { events: DONE, status: 'UPDATE_IN_PROGRESS' },
      { events: DONE, status: 'UPDATE_IN_PROGRESS' },
      { events: DONE, status: 'UPDATE_COMPLETE' },
    ]);
    expect((await follow(aws)).status).toBe('UPDATE_COMPLETE');
  });

  it('a stack without events is asked itself, but an old description is not believed', async () => {
    const old: Look = { events: OLD, status: 'UPDATE_COMPLETE', updatedAt: BEFORE };
    const looks = Array.from({ length: 20 }, () => old);
    const { aws, asked } = scripted([...looks, { events: OLD, status: 'UPDATE_ROLLBACK_COMPLETE' }]);
    expect((await follow(aws)).status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(asked.filter((operation) => operation === 'DescribeStacks').length).toBeGreaterThan(2);
  });
});

describe('nested stacks', () => {
  const CHILD = ID.replace('/app/', '/app-Child/');
  const nested = (status: string, seconds: number) => ({
    ...rootEvent(status, seconds),
    LogicalResourceId: 'Child',
    PhysicalResourceId: CHILD,
  });
  const inside = (status: string, seconds: number) => ({
    ...rootEvent(status, seconds),
    StackId: CHILD,
    LogicalResourceId: 'Fn',
    PhysicalResourceId: 'fn',
    ResourceType: 'AWS::Lambda::Function',
  });
  const END = [
    ...BEGUN,
    nested('UPDATE_IN_PROGRESS', 1),
    nested('UPDATE_COMPLETE', 4),
    rootEvent('UPDATE_COMPLETE', 5),
  ];
  const ALL_SORTED = [...Array(3).fill('UPDATE_COMPLETE'), ...Array(3).fill('UPDATE_IN_PROGRESS')];
  const CHILD_EVENTS = [inside('UPDATE_IN_PROGRESS', 2), inside('UPDATE_COMPLETE', 3)];

  const UNAVAILABLE = new AwsError(
    'unavailable',
    { service: 'CloudFormation', operation: 'DescribeStackEvents' },
    { message: 'CloudFormation is unavailable', cause: undefined },
  );

  /** Answers by stack; `fails`: reads of the nested stack that fail first. */
  function twoStacks(root: readonly Event[][], fails = 0) {
    const asked: string[] = [];
    let rootReads = 0;
    let failures = 0;
    const send = (request: { operation: string; input: { StackName: string } }): Promise<object> => {
      if (request.operation === 'DescribeStacks') {
        return Promise.resolve({ Stacks: [{ StackId: ID, StackStatus: 'UPDATE_COMPLETE', LastUpdatedTime: START }] });
      }
      const isRoot = request.input.StackName === ID;
      asked.push(isRoot ? 'root' : 'child');
      if (isRoot) return Promise.resolve({ StackEvents: (root[rootReads++] ?? root.at(-1))?.toReversed() });
      if (failures++ < fails) return Promise.reject(UNAVAILABLE);
      return Promise.resolve({ StackEvents: CHILD_EVENTS.toReversed() });
    };
    const service = {
      send,
      DescribeStackEventsCommand: command('DescribeStackEvents'),
      DescribeStacksCommand: command('DescribeStacks'),
    };
    return { aws: { cloudFormation: () => Promise.resolve(service) } as unknown as Aws, asked };
  }

  it.each([
    ['that ended before the first look', [END], ['root', 'child', 'root']],
    ['that are busy for a while', [END.slice(0, -2), END], ['root', 'child', 'root', 'child', 'root']],
  ])('%s: are read once more after their end, in the same round as their parent', async (_, looks, expected) => {
    const { aws, asked } = twoStacks(looks);
    expect((await follow(aws)).told.toSorted()).toEqual(ALL_SORTED);
    expect(asked).toEqual(expected);
  });

  it('whose events cannot be read for a moment: each event is reported, and once', async () => {
    const { aws } = twoStacks([END], 1);
    expect((await follow(aws)).told.toSorted()).toEqual(ALL_SORTED);
  });
});

describe('somebody else deploys right after it', () => {
  const THEIRS = [...DONE, rootEvent('UPDATE_IN_PROGRESS', 10, 'theirs')];
  const theirs: Look = { events: THEIRS, status: 'UPDATE_IN_PROGRESS', updatedAt: new Date(START.getTime() + 10_000) };
  const over: Look = {
    ...theirs,
    events: [...THEIRS, rootEvent('UPDATE_ROLLBACK_COMPLETE', 12, 'theirs')],
    status: 'UPDATE_ROLLBACK_COMPLETE',
  };
  const begun: Look = { events: BEGUN, status: 'UPDATE_IN_PROGRESS' };
  const done: Look = { events: DONE, status: 'UPDATE_IN_PROGRESS', updatedAt: START };

  it.each([
    ['before the first look', [theirs]],
    ['and ends it before the first look', [over]],
    ['between two looks', [begun, theirs]],
    ['and ends it between two looks', [begun, over]],
    ['before the description', [begun, done, theirs]],
    ['before the last look', [begun, { ...done, status: 'UPDATE_COMPLETE' }, theirs]],
    ['while our events are late', [{ ...theirs, events: [...OLD, ...THEIRS.slice(-1)] }, theirs]],
  ])('%s: only ours is told, and how it ended', async (_, looks) => {
    const { aws } = scripted(looks);
    expect(await follow(aws)).toEqual({ status: 'UPDATE_COMPLETE', isLatest: false, told: OURS });
  });

  it('with a tool that gives no token', async () => {
    const quiet = [...DONE, { ...rootEvent('UPDATE_IN_PROGRESS', 10), ClientRequestToken: undefined as never }];
    const { aws } = scripted([begun, { ...theirs, events: quiet }]);
    expect(await follow(aws)).toEqual({ status: 'UPDATE_COMPLETE', isLatest: false, told: OURS });
  });

  it('and ours had failed', async () => {
    const failed = [...BEGUN, rootEvent('UPDATE_ROLLBACK_IN_PROGRESS', 5), rootEvent('UPDATE_ROLLBACK_COMPLETE', 9)];
    const { aws } = scripted([{ ...theirs, events: [...failed, ...THEIRS.slice(-1)] }]);
    expect(await follow(aws)).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', isLatest: false });
  });

  it('cancels it: the rollback is ours all the same', async () => {
    const cancelled = [
      ...BEGUN,
      rootEvent('UPDATE_ROLLBACK_IN_PROGRESS', 5, 'theirs'),
      rootEvent('UPDATE_ROLLBACK_COMPLETE', 9, 'theirs'),
    ];
    const { aws } = scripted([begun, { events: cancelled, status: 'UPDATE_ROLLBACK_COMPLETE' }]);
    expect(await follow(aws)).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', isLatest: true });
  });

  it('deletes it before it has ended', async () => {
    const deleted = [...BEGUN, rootEvent('DELETE_IN_PROGRESS', 5, 'theirs'), rootEvent('DELETE_COMPLETE', 9, 'theirs')];
    const { aws } = scripted([begun, { events: deleted, status: 'DELETE_COMPLETE' }]);
    expect(await follow(aws)).toMatchObject({ status: 'DELETE_COMPLETE', isLatest: false });
  });
});
