import { describe, expect, it } from 'vitest';
import { describeFailedState, isSuccess, recoveryAdvice, stackCondition } from '../../../src/deploy/stack-status.ts';

const failed = (status: string, deploymentMode?: string) => ({
  stackName: 'app',
  region: 'eu-west-1',
  status,
  deploymentMode,
});

describe('the status of a stack', () => {
  it.each([
    ['CREATE_COMPLETE', 'settled', true],
    ['UPDATE_COMPLETE', 'settled', true],
    ['UPDATE_ROLLBACK_COMPLETE', 'settled', false],
    ['IMPORT_COMPLETE', 'settled', false],
    ['A_NEW_STATUS', 'settled', false],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'busy', false],
    ['DELETE_IN_PROGRESS', 'busy', false],
    ['REVIEW_IN_PROGRESS', 'never-created', false],
    ['ROLLBACK_COMPLETE', 'never-created', false],
    ['DELETE_FAILED', 'never-created', false],
    ['DELETE_COMPLETE', 'absent', false],
    ['UPDATE_FAILED', 'broken', false],
    ['UPDATE_ROLLBACK_FAILED', 'broken', false],
    ['A_NEW_OPERATION_FAILED', 'broken', false],
  ])('%s: %s', (status, condition, success) => {
    expect([stackCondition(status), isSuccess(status)]).toEqual([condition, success]);
  });

  it.each([
    ['ROLLBACK_COMPLETE', undefined, /^Stack app was not created \(ROLLBACK_COMPLETE\)/],
    [
      'UPDATE_ROLLBACK_COMPLETE',
      undefined,
      /^Stack app was rolled back to its previous state \(UPDATE_ROLLBACK_COMPLETE\)/,
    ],
    ['DELETE_IN_PROGRESS', undefined, /^Someone else deleted stack app\. Sync again to create it/],
    ['DELETE_FAILED', undefined, /`aws cloudformation delete-stack --stack-name app --region eu-west-1`/],
    ['UPDATE_ROLLBACK_FAILED', 'EXPRESS', /`aws cloudformation continue-update-rollback --stack-name app /],
    ['UPDATE_FAILED', undefined, /`aws cloudformation rollback-stack --stack-name app --region eu-west-1`/],
    ['UPDATE_FAILED', 'STANDARD', /`aws cloudformation rollback-stack /],
    ['UPDATE_FAILED', 'EXPRESS', /`aws cloudformation update-stack .*Mode=EXPRESS,DisableRollback=true`/],
    ['A_NEW_STATUS', undefined, /`aws cloudformation describe-stack-events --stack-name app --region eu-west-1`/],
  ])('%s (%s) as the end of an operation', (status, mode, expected) => {
    expect(describeFailedState(failed(status, mode))).toMatch(expected);
  });

  it('a stack that another operation broke gets the same advice', () => {
    expect(recoveryAdvice(failed('UPDATE_FAILED'))).toBe(describeFailedState(failed('UPDATE_FAILED')));
  });
});
