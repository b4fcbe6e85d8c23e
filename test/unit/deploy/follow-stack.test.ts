import { describe, expect, it } from 'vitest';
import type { Aws } from '../../../src/aws/aws.ts';
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

/** A command class that keeps the name of its operation. */
const command = (operation: string) =>
  function (this: { operation: string }) {
    this.operation = operation;
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
  return followStack(aws, options).then((result) => ({ status: result.stack?.status, told }));
}

const OLD = [rootEvent('UPDATE_IN_PROGRESS', -3_600, 'other'), rootEvent('UPDATE_FAILED', -3_599, 'other')];
const BEGUN = [...OLD, rootEvent('UPDATE_IN_PROGRESS')];
const CLEANING = [...BEGUN, rootEvent('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 5)];
const DONE = [...CLEANING, rootEvent('UPDATE_COMPLETE', 9)];

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
      told: ['UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE'],
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

  it('or leaves it, when told to', async () => {
    const { aws, asked } = scripted([{ events: CLEANING, status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' }]);
    expect((await follow(aws, { leaveCleanup: true })).status).toBe('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    expect(asked).toEqual(['DescribeStackEvents', 'DescribeStacks']);
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
