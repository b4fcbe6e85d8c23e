import { expect, it } from 'vitest';
import type { StackEventRecord } from '../../../src/deploy/first-cause.ts';
import { explainStackFailure } from '../../../src/deploy/stack-failure.ts';

function failed(reason: string): StackEventRecord {
  return {
    id: '1',
    stackId: 'arn:stack',
    stackPath: '',
    logicalId: 'Thing',
    physicalId: 'thing',
    resourceType: 'AWS::X::Y',
    status: 'CREATE_FAILED',
    reason,
    timestamp: new Date(0),
    token: undefined,
  };
}

const BUSY = 'The service throttled requests';

it.each([
  ['Rate exceeded (Service: Lambda, Status Code: 429)', true],
  ['Resource handler returned message: "Slow" (RequestToken: 1, HandlerErrorCode: Throttling)', true],
  ['Encountered unsupported property ThrottlingBurstLimit', false],
  ['Stage throttle settings are invalid', false],
])('advice by what the service said: %s', (reason, isBusy) => {
  const about = { stackName: 'app', region: 'eu-west-1', verb: 'create' } as const;
  const { hint = '' } = explainStackFailure(about, {
    status: 'DELETE_COMPLETE',
    stack: undefined,
    isLatest: false,
    events: [failed(reason)],
  });
  expect(hint.includes(BUSY)).toBe(isBusy);
});
