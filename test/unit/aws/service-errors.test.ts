import { describe, expect, it } from 'vitest';
import { AwsError, mayHaveArrived, toAwsError, isAwsError, type AwsCall } from '../../../src/aws/service-errors.ts';
import { UserError } from '../../../src/errors.ts';

const CALL: AwsCall = {
  service: 'CloudFormation',
  operation: 'DescribeStacks',
  endpoint: 'https://cloudformation.eu-west-1.amazonaws.com',
  region: 'eu-west-1',
  profile: undefined,
};

function failure(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}

function answer(name: string, message: string, status = 400, attempts = 1): Error {
  return failure(name, message, { $metadata: { httpStatusCode: status, requestId: 'r-1', attempts } });
}

function network(code: string, more: object = {}): Error {
  return failure('Error', `connect ${code}`, { code, ...more });
}

function explain(error: Error, call: Partial<AwsCall> = {}): AwsError {
  const explained = toAwsError(error, { ...CALL, ...call });
  expect(explained).toBeInstanceOf(AwsError);
  return explained as AwsError;
}

describe('one clear sentence each', () => {
  it.each<[string, Error, Partial<AwsCall>, string, string, string]>([
    [
      'no credentials',
      failure('CredentialsProviderError', 'Could not load credentials from any providers'),
      {},
      'no-credentials',
      'No AWS credentials found in the environment or in ~/.aws',
      '--local',
    ],
    [
      'no credentials in the profile',
      failure('CredentialsProviderError', 'Could not load credentials from any providers'),
      { profile: 'dev' },
      'no-credentials',
      'The AWS profile dev has no credentials',
      '--profile',
    ],
    [
      'SSO session over',
      failure('CredentialsProviderError', 'The SSO session associated with this profile has expired.'),
      { profile: 'dev' },
      'expired-credentials',
      'The AWS credentials of profile dev have expired: The SSO session associated with this profile has expired',
      '`aws sso login --profile dev`',
    ],
    [
      'a process that gives none',
      failure('CredentialsProviderError', 'Command failed: get-keys'),
      { profile: 'dev' },
      'bad-credentials',
      'The AWS credentials of profile dev could not be loaded: Command failed: get-keys',
      '`aws sts get-caller-identity --profile dev`',
    ],
    [
      'expired token',
      answer('ExpiredToken', 'The security token included in the request is expired', 403),
      {},
      'expired-credentials',
      'The AWS credentials have expired: The security token included in the request is expired',
      '`aws sso login`',
    ],
    [
      'wrong keys',
      answer('InvalidClientTokenId', 'The security token included in the request is invalid.', 403),
      {},
      'bad-credentials',
      'The AWS credentials were rejected: The security token included in the request is invalid',
      'Region eu-west-1 is enabled',
    ],
    [
      'access denied, with all that IAM says',
      answer(
        'AccessDenied',
        'User: arn:aws:iam::1:user/me is not authorized to perform: cloudformation:DescribeStacks on resource: arn:aws:cloudformation:eu-west-1:1:stack/app/* because no identity-based policy allows the cloudformation:DescribeStacks action',
        403,
      ),
      {},
      'access-denied',
      'Access denied: arn:aws:iam::1:user/me may not perform cloudformation:DescribeStacks on arn:aws:cloudformation:eu-west-1:1:stack/app/*, because no identity-based policy allows the cloudformation:DescribeStacks action',
      `Add to the identity's policy: {"Effect":"Allow","Action":"cloudformation:DescribeStacks","Resource":"arn:aws:cloudformation:eu-west-1:1:stack/app/*"}`,
    ],
    [
      'access denied, without resource',
      answer(
        'AccessDeniedException',
        'User: arn:aws:iam::1:user/me is not authorized to perform: lambda:GetFunction',
        403,
      ),
      { service: 'Lambda', operation: 'GetFunction' },
      'access-denied',
      'Access denied: arn:aws:iam::1:user/me may not perform lambda:GetFunction',
      '{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*"}',
    ],
    [
      'access denied, explicitly',
      answer(
        'AccessDenied',
        'User: arn:aws:iam::1:user/me is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy',
        403,
      ),
      {},
      'access-denied',
      'Access denied: arn:aws:iam::1:user/me may not perform s3:PutObject on arn:aws:s3:::b/k, with an explicit deny in a resource-based policy',
      'A policy denies it explicitly, so that no other can allow it',
    ],
    [
      'access denied, in two words',
      answer('AccessDenied', 'Access Denied', 403),
      { service: 'S3', operation: 'PutObject', profile: 'dev' },
      'access-denied',
      'Access denied: the credentials of profile dev may not call PutObject of S3: Access Denied (request r-1)',
      '--profile',
    ],
    [
      'throttled',
      answer('Throttling', 'Rate exceeded', 400, 10),
      {},
      'throttled',
      'CloudFormation throttled DescribeStacks after 10 attempts: Rate exceeded',
      'AWS_MAX_ATTEMPTS',
    ],
    [
      'broken',
      answer('InternalFailure', 'Oops', 500, 3),
      {},
      'unavailable',
      'CloudFormation failed at DescribeStacks after 3 attempts: Oops (request r-1)',
      'The service has a problem',
    ],
    [
      'clock',
      answer('SignatureDoesNotMatch', 'Signature expired: 20260101T000000Z is now earlier than 20260102', 403),
      {},
      'clock-skew',
      'CloudFormation rejected the request because the clock of this machine is wrong: Signature expired',
      'Set it and sync again',
    ],
    [
      'another message that has the words of a wrong clock',
      answer('ValidationError', 'Parameter Note: signature expired is not a valid note', 400),
      {},
      'other',
      'CloudFormation rejected DescribeStacks: Parameter Note: signature expired is not a valid note',
      '',
    ],
    [
      'a credential process whose name has the words of an expired session',
      failure('CredentialsProviderError', 'Command failed: /opt/sso-token/expired'),
      { profile: 'dev' },
      'bad-credentials',
      'The AWS credentials of profile dev could not be loaded: Command failed: /opt/sso-token/expired',
      '`aws sts get-caller-identity --profile dev`',
    ],
    [
      'SSO token over',
      failure('CredentialsProviderError', "Token is expired. To refresh this SSO session run 'aws sso login'"),
      { profile: 'dev' },
      'expired-credentials',
      'The AWS credentials of profile dev have expired: Token is expired',
      '`aws sso login --profile dev`',
    ],
    [
      'wrong region',
      answer('PermanentRedirect', 'The bucket is in this region: us-east-1.', 301),
      { service: 'S3', operation: 'PutObject' },
      'wrong-region',
      'S3 rejected PutObject because the resource is not in Region eu-west-1: The bucket is in this region: us-east-1',
      '--region',
    ],
    [
      'closed port of this machine',
      failure('AggregateError', '', { errors: [network('ECONNREFUSED')], code: 'ECONNREFUSED' }),
      { endpoint: 'http://localhost:4566' },
      'unreachable',
      'CloudFormation cannot be reached at http://localhost:4566: the connection was refused',
      'sam-sync cloud start',
    ],
    [
      'closed port elsewhere',
      network('ECONNREFUSED'),
      {},
      'unreachable',
      'CloudFormation cannot be reached at https://cloudformation.eu-west-1.amazonaws.com: the connection was refused',
      'HTTPS_PROXY',
    ],
    [
      'unknown host',
      network('ENOTFOUND'),
      { region: 'eu-west-11' },
      'unreachable',
      'CloudFormation cannot be reached at https://cloudformation.eu-west-1.amazonaws.com: the host name is unknown',
      'that eu-west-11 is a Region',
    ],
    [
      'no answer',
      failure('TimeoutError', 'Socket timed out'),
      {},
      'unreachable',
      'CloudFormation cannot be reached at https://cloudformation.eu-west-1.amazonaws.com: the request timed out',
      'network',
    ],
    [
      'certificate',
      network('SELF_SIGNED_CERT_IN_CHAIN'),
      {},
      'unreachable',
      'its certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
      'AWS_CA_BUNDLE',
    ],
  ])('%s', (_name, error, call, kind, message, hint) => {
    const explained = explain(error, call);
    expect(explained.kind).toBe(kind);
    expect(explained.message).toContain(message);
    expect(explained.message).not.toContain('\n');
    expect(explained.hint ?? '').toContain(hint);
  });

  it('anything else: service, operation, message, request id', () => {
    const explained = explain(answer('ValidationError', 'Template format error: no resources.'), {
      operation: 'CreateStack',
    });
    expect(explained.message).toBe(
      'CloudFormation rejected CreateStack: Template format error: no resources (ValidationError, request r-1)',
    );
  });
});

describe('what callers branch on', () => {
  it('the code of the service', () => {
    const explained = explain(answer('AlreadyExistsException', 'exists', 400, 2));
    expect(explained).toMatchObject({ code: 'AlreadyExistsException', serviceMessage: 'exists', attempts: 2 });
    expect(isAwsError(explained, 'AlreadyExistsException')).toBe(true);
    expect(isAwsError(explained, 'ValidationError')).toBe(false);
  });

  it('the code of the network, also in a cause', () => {
    expect(explain(failure('TimeoutError', 'x', { cause: network('ECONNRESET') })).code).toBe('ECONNRESET');
  });
});

it('a call that its own limit ended may have arrived', () => {
  const error = explain(failure('AbortError', 'Request aborted', { cause: failure('TimeoutError', 'timed out') }));
  expect(error).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('the request timed out') });
  expect(mayHaveArrived(error)).toBe(true);
});

it('what has a sentence already is left alone', () => {
  const error = new UserError('No AWS Region is set');
  expect(toAwsError(error, CALL)).toBe(error);
});
