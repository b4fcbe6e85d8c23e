import { describe, expect, it } from 'vitest';
import { toAwsError } from '../../../src/aws/service-errors.ts';
import { busyStatus, isNoSuchResource, isNoSuchStack, isNothingToUpdate } from '../../../src/deploy/stack-refusals.ts';

const ARN = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1a2b-3c';

/** What CloudFormation answers with this message. */
function refusal(message: string, name = 'ValidationError'): unknown {
  const error = Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
  return toAwsError(error, { service: 'CloudFormation', operation: 'X' });
}

describe('there is no such stack', () => {
  it.each([
    ['Stack with id app does not exist', 'app'],
    ['Stack [app] does not exist', 'app'],
    ['Stack:app does not exist', 'app'],
    ["Stack 'app' does not exist", 'app'],
    [`Stack with id ${ARN} does not exist`, ARN],
    [`Stack [${ARN}] does not exist`, ARN],
    [`Stack:${ARN} does not exist`, ARN],
    [`Stack [${ARN}] does not exist`, 'app'],
    ['Stack [app] does not exist', ARN],
  ])('%s', (message, stack) => {
    expect(isNoSuchStack(refusal(message), stack)).toBe(true);
  });

  it.each([
    ['Stack with id other does not exist', 'app'],
    ['Stack [app-2] does not exist', 'app'],
    [`Stack [${ARN}] does not exist`, ARN.replace('1a2b', '9f9f')],
    ['S3 error: The specified bucket does not exist', 'app'],
    ['S3 error: The specified key does not exist. For more information check http://docs.example', 'app'],
    ['Parameter validation failed: parameter value vpc-1 for parameter name Vpc does not exist', 'app'],
    ['ChangeSet [app] does not exist', 'app'],
    ['Resource Fn does not exist for stack app', 'app'],
    ['Export of Stack [app] does not exist', 'app'],
    ['', 'app'],
  ])('not: %s', (message, stack) => {
    expect(isNoSuchStack(refusal(message), stack)).toBe(false);
  });

  it('counts by the code of the service alone', () => {
    expect(isNoSuchStack(refusal('Stack with id app does not exist', 'AccessDenied'), 'app')).toBe(false);
    expect(isNoSuchStack(new Error('Stack with id app does not exist'), 'app')).toBe(false);
  });
});

it.each([
  ['Resource Fn does not exist for stack app', true],
  ['Resource [Fn] does not exist in stack [app]', true],
  [`Resource Fn does not exist for stack ${ARN}`, true],
  ['Resource Fn2 does not exist for stack app', false],
  ['Resource Fn does not exist for stack app-2', false],
  ['Resource limit exceeded', false],
  ['Stack with id app does not exist', false],
])('the stack has no such resource: %s', (message, expected) => {
  expect(isNoSuchResource(refusal(message), { stack: 'app', logicalId: 'Fn' })).toBe(expected);
});

it.each([
  ['No updates are to be performed.', true],
  ['No updates are to be performed', true],
  ['Transform Macro failed: no updates are to be performed', false],
])('nothing to update: %s', (message, expected) => {
  expect(isNothingToUpdate(refusal(message))).toBe(expected);
});

it.each([
  [`Stack:${ARN} is in UPDATE_IN_PROGRESS state and can not be updated.`, 'UPDATE_IN_PROGRESS'],
  ['Stack [app] is in DELETE_IN_PROGRESS state and cannot be updated', 'DELETE_IN_PROGRESS'],
  [`Stack:${ARN} is in ROLLBACK_COMPLETE state and can not be updated.`, undefined],
  ['Stack:other is in UPDATE_IN_PROGRESS state and can not be updated.', undefined],
  ['Nested table is in UPDATE_IN_PROGRESS state and can not be updated.', undefined],
])('busy: %s', (message, expected) => {
  expect(busyStatus(refusal(message), 'app')).toBe(expected);
});
