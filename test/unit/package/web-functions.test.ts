import { describe, expect, it } from 'vitest';
import { allowsLambda } from '../../../src/package/bucket-policy.ts';
import { webFunctionStack } from '../../../src/deploy/web-function-bucket.ts';

describe('the stack with the bucket for the code of Web Functions', () => {
  it.each([
    ['web', 'web-2567a5ec-WebFunctionCode'],
    ['s'.repeat(128), `${'s'.repeat(100)}-9fdf87f3-WebFunctionCode`],
  ])('of %s is named as SAM CLI names it', (stackName, name) => {
    expect(webFunctionStack(stackName).name).toBe(name);
    expect(webFunctionStack(stackName).exportName).toBe(`${name}-Bucket`);
    expect(webFunctionStack(stackName).name.length).toBeLessThanOrEqual(128);
  });
});

describe('a policy', () => {
  const LAMBDA = { Service: 'lambda.amazonaws.com' };
  const READ = { Effect: 'Allow', Principal: LAMBDA, Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' };
  const object = { bucket: 'b', key: 'dev/code' };

  it.each<[string, unknown, boolean]>([
    ['names Lambda and the action', { Statement: [READ] }, true],
    ['has one statement, not in a list', { Statement: READ }, true],
    ['allows everybody', { Statement: [{ ...READ, Principal: '*' }] }, true],
    ['allows every account', { Statement: [{ ...READ, Principal: { AWS: ['*'] } }] }, true],
    ['allows several services', { Statement: [{ ...READ, Principal: { Service: ['s', LAMBDA.Service] } }] }, true],
    ['allows actions by wildcards, in any case', { Statement: [{ ...READ, Action: ['S3:get*'] }] }, true],
    ['is about everything', { Statement: [{ ...READ, Resource: '*' }] }, true],
    ['is about the folder', { Statement: [{ ...READ, Resource: ['arn:aws-cn:s3:::b/dev/*'] }] }, true],
    ['is about another folder', { Statement: [{ ...READ, Resource: 'arn:aws:s3:::b/prod/*' }] }, false],
    ['is about another bucket', { Statement: [{ ...READ, Resource: 'arn:aws:s3:::bb/*' }] }, false],
    ['is about the bucket itself', { Statement: [{ ...READ, Resource: 'arn:aws:s3:::b' }] }, false],
    ['allows another service', { Statement: [{ ...READ, Principal: { Service: 'ec2.amazonaws.com' } }] }, false],
    ['allows another action', { Statement: [{ ...READ, Action: 's3:GetObjectVersion' }] }, false],
    ['denies', { Statement: [{ ...READ, Effect: 'Deny' }] }, false],
    ['has dots that are no wildcards', { Statement: [{ ...READ, Resource: 'arn:aws:s3:::b/dev.code' }] }, false],
    ['is damaged', 'x', false],
    ['is nothing', undefined, false],
  ])('that %s', (_name, policy, expected) => {
    expect(allowsLambda(policy, 's3:GetObject', object)).toBe(expected);
  });
});
