import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { clients } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();

beforeEach(async () => {
  await cloud.reset();
  proxy.clear();
  await clients(cloud.endpoint).s3.send(new CreateBucketCommand({ Bucket: 'mine' }));
});

/** `bytes`: of the code; what is large is looked for before it is sent. */
async function sync(bytes: number, ...args: string[]) {
  const cwd = await tempFolder({
    'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f, Runtime: python3.11, Handler: app.handler}}}`,
    'f/app.py': `def handler(event, context): pass\n# ${randomBytes(bytes / 2).toString('hex')}\n`,
  });
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  return await runCli(['--stack-name', 'app', '--yes', '--s3-bucket', 'mine', ...args], { cwd, env });
}

async function stored(): Promise<number> {
  const { KeyCount } = await clients(cloud.endpoint).s3.send(new ListObjectsV2Command({ Bucket: 'mine' }));
  return KeyCount ?? 0;
}

describe('a bucket that nothing can be deployed from', () => {
  it.each([
    ['small code', 100],
    ['large code', 100_000],
  ])('is in another Region: refused before anything is stored, %s', async (_name, bytes) => {
    const headers = { 'x-amz-bucket-region': 'eu-central-1', 'content-type': 'application/xml' };
    const body = '<Error><Code>PermanentRedirect</Code><Message>Use the specified endpoint.</Message></Error>';
    proxy.fault({ service: 's3' }, { kind: 'answer', status: 301, headers, body }, { times: Infinity });
    const { code, stderr } = await sync(bytes);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: Bucket mine is in eu-central-1, but the stack is in us-east-1: ');
    for (const option of ['--s3-bucket', '--resolve-s3', '--region']) expect(stderr).toContain(option);
    expect(await stored()).toBe(0);
    expect(proxy.count('CreateStack')).toBe(0);
  });

  it.each([
    ['small code', 100],
    ['code sent in parts', 20_000_000],
  ])('has a policy that requires SSE-KMS: names --kms-key-id, %s', async (_name, bytes) => {
    const message =
      'User: arn:aws:iam::000000000000:user/dev is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::mine/key" with an explicit deny in a resource-based policy';
    proxy.fault(
      {
        service: 's3',
        when: ({ method, headers }) => /PUT|POST/.test(method) && headers['x-amz-server-side-encryption'] !== 'aws:kms',
      },
      { kind: 'error', status: 403, code: 'AccessDenied', message },
      { times: Infinity },
    );
    const { code, stderr } = await sync(bytes);
    expect(code).toBe(1);
    expect(stderr).toContain('may not perform s3:PutObject');
    expect(stderr).toContain('If the policy of bucket mine requires SSE-KMS, pass its key with --kms-key-id.');
  });

  it('is not there, or not for these credentials: says so, and nothing of keys', async () => {
    proxy.fault(
      { service: 's3' },
      { kind: 'error', status: 404, code: 'NoSuchBucket', message: 'The specified bucket does not exist' },
    );
    const missing = await sync(100);
    expect(missing.stderr).toContain('Error: Bucket mine does not exist');
    expect(missing.stderr).toContain('--s3-bucket');
    const message =
      'User: arn:aws:iam::000000000000:user/dev is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::mine/key" because no identity-based policy allows the s3:PutObject action';
    proxy.fault({ service: 's3' }, { kind: 'error', status: 403, code: 'AccessDenied', message });
    const denied = await sync(100);
    expect(denied.stderr).toContain(
      'Add to the identity\'s policy: {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::mine/key"}',
    );
    expect(denied.stderr).not.toContain('--kms-key-id');
  });

  it('takes what is encrypted with the key of --kms-key-id', async () => {
    proxy.fault(
      { operation: 'PutObject', when: ({ headers }) => headers['x-amz-server-side-encryption'] !== 'aws:kms' },
      { kind: 'error', status: 403, code: 'AccessDenied', message: 'Access Denied' },
    );
    expect(await sync(100, '--kms-key-id', 'alias/mine')).toMatchObject({ code: 0 });
  });
});
