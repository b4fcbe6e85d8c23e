import { describe, expect, it } from 'vitest';
import { findFirstCause, findRollbackFailure, type StackEventRecord } from '../../../src/deploy/first-cause.ts';
import { explainStackFailure } from '../../../src/deploy/stack-failure.ts';

const ROOT = 'arn:root';
const CHILD = 'arn:child';
let clock = 0;

/** `event('Fn CREATE_FAILED reason')`, with `Child/Fn` for a resource of the nested stack; each a second after the last. */
function event(text: string, more: Partial<StackEventRecord> = {}): StackEventRecord {
  const [, path = '', logicalId = '', status = '', reason] = /^(?:(\w+)\/)?(\w+) (\w+)(?: (.*))?$/.exec(text) ?? [];
  clock += 1_000;
  return {
    id: String(clock),
    stackId: path === '' ? ROOT : CHILD,
    stackPath: path,
    logicalId,
    physicalId: logicalId === 'app' ? ROOT : logicalId === 'Child' && path !== '' ? CHILD : '',
    resourceType: ['app', 'Child'].includes(logicalId) ? 'AWS::CloudFormation::Stack' : 'AWS::Lambda::Function',
    status,
    reason,
    timestamp: new Date(clock),
    token: undefined,
    ...more,
  };
}

const CASCADE = 'Resource creation cancelled';
const SUMMARY = 'The following resource(s) failed to create: [A, B]. ';
const EMBEDDED =
  'Embedded stack arn:child was not successfully created: The following resource(s) failed to create: [Fn].';

describe('first cause', () => {
  it.each<[string, StackEventRecord[], string, string]>([
    ['alone', [event('A CREATE_IN_PROGRESS'), event('A CREATE_FAILED bad role')], 'A', 'bad role'],
    ['before the cascade', [event('A CREATE_FAILED bad'), event(`B CREATE_FAILED ${CASCADE}`)], 'A', 'bad'],
    [
      'after the cascade, as events may come',
      [event(`B CREATE_FAILED ${CASCADE}`), event('A CREATE_FAILED bad')],
      'A',
      'bad',
    ],
    [
      'not the summary',
      [event('A UPDATE_FAILED bad'), event(`app UPDATE_ROLLBACK_IN_PROGRESS ${SUMMARY}`)],
      'A',
      'bad',
    ],
    [
      'in a nested stack',
      [
        event(`Child/Fn CREATE_FAILED bad`),
        event(`Child/Child ROLLBACK_IN_PROGRESS ${SUMMARY}`),
        event(`Child CREATE_FAILED ${EMBEDDED}`),
        event(`B CREATE_FAILED ${CASCADE}`),
      ],
      'Child/Fn',
      'bad',
    ],
    ['a nested stack whose events are unknown', [event(`Child CREATE_FAILED ${EMBEDDED}`)], 'Child', EMBEDDED],
    [
      'the template as a whole',
      [event('app ROLLBACK_IN_PROGRESS Transform AWS::Serverless-2016-10-31 failed with: Invalid document')],
      'app',
      'Transform AWS::Serverless-2016-10-31 failed with: Invalid document',
    ],
    ['only cancelled ones', [event(`B CREATE_FAILED ${CASCADE}`)], 'B', CASCADE],
    ['without reason', [event('A CREATE_FAILED')], 'A', 'no reason given'],
    [
      'a hook',
      [
        event('A CREATE_IN_PROGRESS', {
          hook: { type: 'Org::Check', status: 'HOOK_COMPLETE_FAILED', reason: 'no tags' },
        }),
        event('A CREATE_FAILED The following hook(s) failed: [Org::Check]'),
      ],
      'A',
      'the hook Org::Check rejected it: no tags',
    ],
  ])('%s', (_name, events, id, reason) => {
    expect(findFirstCause(events)).toMatchObject({ id, reason });
    expect(findFirstCause(events.toReversed())).toMatchObject({ id, reason });
  });

  it('none', () => expect(findFirstCause([event('A CREATE_COMPLETE'), event('app CREATE_COMPLETE')])).toBeUndefined());

  it('tells what failed by itself too', () => {
    const events = [event('A CREATE_FAILED bad'), event('C CREATE_FAILED worse'), event(`B CREATE_FAILED ${CASCADE}`)];
    expect(findFirstCause(events)?.others).toEqual(['C']);
  });
});

it('the failure of a rollback is told apart from what caused it', () => {
  const events = [
    event('A UPDATE_FAILED bad'),
    event(`app UPDATE_ROLLBACK_IN_PROGRESS ${SUMMARY}`),
    event('B UPDATE_FAILED cannot go back'),
    event('app UPDATE_ROLLBACK_FAILED'),
  ];
  expect(findFirstCause(events)?.id).toBe('A');
  expect(findRollbackFailure(events)).toMatchObject({ id: 'B', reason: 'cannot go back' });
});

describe('the error', () => {
  const about = { stackName: 'app', region: 'eu-west-1', verb: 'update' } as const;
  const status = 'UPDATE_ROLLBACK_COMPLETE';
  const rolledBack = { status, stack: { status, statusReason: undefined } as never, isLatest: true };

  it('first cause, then what the stack is now', () => {
    const error = explainStackFailure(about, { ...rolledBack, events: [event('Child/Fn UPDATE_FAILED bad')] });
    expect(error.message).toBe('Child/Fn (AWS::Lambda::Function) failed: bad');
    expect(error.hint).toContain('Stack app was rolled back to its previous state (UPDATE_ROLLBACK_COMPLETE)');
  });

  it.each([
    ['The role defined for the function cannot be assumed by Lambda.', 'syncing again often helps'],
    ['User: me is not authorized to perform: s3:CreateBucket on resource', 'needs the permission s3:CreateBucket'],
    [
      'A version for this Lambda function exists ( 2 ). Modify the function to create a new version.',
      'allow lambda:ListVersionsByFunction',
    ],
    ['name already exists in stack arn', 'delete or rename it'],
  ])('advice for: %s', (reason, advice) => {
    const error = explainStackFailure(about, { ...rolledBack, events: [event(`A UPDATE_FAILED ${reason}`)] });
    expect(error.hint).toContain(advice);
  });

  it('deleted meanwhile', () => {
    const error = explainStackFailure(about, {
      status: 'DELETE_COMPLETE',
      stack: undefined,
      isLatest: false,
      events: [],
    });
    expect(error.message).toBe('Could not update stack app: DELETE_COMPLETE');
    expect(error.hint).toContain('Someone else deleted stack');
  });
});
