import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { GetBucketPolicyCommand, GetBucketVersioningCommand, GetPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import { UserError } from '../../src/errors.ts';
import { MANAGED_STACK_NAME, ensureManagedBucket, findManagedBucket } from '../../src/deploy/managed-bucket.ts';
import { clients, poll } from '../support/cloud.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();

beforeEach(async () => {
  await cloud.reset();
  proxy.clear();
});

function run() {
  const events: SyncEvent[] = [];
  const reporter = { report: (event: SyncEvent) => void events.push(event) };
  const aws = createAws({
    env: {},
    endpoint: proxy.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    reporter,
  });
  return { aws, events, ensure: () => ensureManagedBucket(aws, { reporter, pollDelayMs: 30 }) };
}

async function describeManaged(): Promise<Stack | undefined> {
  const { cloudformation } = clients(cloud.endpoint);
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: MANAGED_STACK_NAME }));
  return Stacks?.[0];
}

async function createManaged(template: object, tags = { ManagedStackSource: 'AwsSamCli' }): Promise<void> {
  const { cloudformation } = clients(cloud.endpoint);
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await cloudformation.send(
    new CreateStackCommand({ StackName: MANAGED_STACK_NAME, TemplateBody: JSON.stringify(template), Tags }),
  );
  await poll(async () => ((await describeManaged())?.StackStatus?.endsWith('_IN_PROGRESS') ? undefined : true));
}

async function rejection(promise: Promise<unknown>): Promise<UserError> {
  const error: unknown = await promise.then(
    () => new Error('it was fulfilled'),
    (reason: unknown) => reason,
  );
  return error as UserError;
}

const BUCKET = {
  Resources: { SamCliSourceBucket: { Type: 'AWS::S3::Bucket' } },
  Outputs: { SourceBucket: { Value: { Ref: 'SamCliSourceBucket' } } },
};
const DENIED = 'User: me is not authorized to perform: cloudformation:DescribeStacks';

describe('the bucket is not there', () => {
  it('is made as AWS SAM CLI makes it: encrypted, versioned, not public, TLS only', async () => {
    const { aws, ensure, events } = run();
    expect(await findManagedBucket(aws)).toBeUndefined();
    const bucket = await ensure();
    const { s3, cloudformation } = clients(cloud.endpoint);
    const stack = await describeManaged();
    expect(stack).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
      Tags: [{ Key: 'ManagedStackSource', Value: 'AwsSamCli' }],
      Outputs: [{ OutputKey: 'SourceBucket', OutputValue: bucket }],
    });
    const { StackResourceSummaries } = await cloudformation.send(
      new ListStackResourcesCommand({ StackName: MANAGED_STACK_NAME }),
    );
    expect(StackResourceSummaries?.map((resource) => resource.LogicalResourceId).sort()).toEqual([
      'SamCliSourceBucket',
      'SamCliSourceBucketBucketPolicy',
    ]);
    const Bucket = bucket;
    // the emulator does not apply it
    const sent = proxy.calls.find((call) => call.operation === 'CreateStack')?.body.toString();
    expect(decodeURIComponent(sent ?? '')).toContain('"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"}');
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
    const access = await s3.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect(Object.values(access.PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
    const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
    expect(JSON.parse(Policy)).toMatchObject({
      Statement: [
        { Principal: { Service: 'serverlessrepo.amazonaws.com' }, Resource: `arn:aws:s3:::${bucket}/*` },
        { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ],
    });
    expect(events.some((event) => event.type === 'stack-event')).toBe(false);

    proxy.clear();
    expect(await ensure()).toBe(bucket);
    expect(await findManagedBucket(aws)).toBe(bucket);
    expect(proxy.calls.map((call) => call.operation)).toEqual(['DescribeStacks', 'DescribeStacks']);
  });

  it('is not used before S3 knows it', async () => {
    proxy.fault({ operation: 'HeadBucket' }, { kind: 'answer', status: 404 }, { times: 2 });
    expect(await run().ensure()).toMatch(/\S/);
    expect(proxy.count('HeadBucket')).toBe(3);
  });

  it('two runs at once make one', async () => {
    const create = proxy.hold({ operation: 'CreateStack' });
    const both = Promise.all([run().ensure(), run().ensure()]);
    await poll(() => Promise.resolve(proxy.count('CreateStack') === 2 ? true : undefined));
    create.release();
    const [one, other] = await both;
    expect(one).toBe(other);
  });

  it('AWS SAM CLI is about to make it: waits for that', async () => {
    const { cloudformation } = clients(cloud.endpoint);
    await cloudformation.send(
      new CreateChangeSetCommand({
        StackName: MANAGED_STACK_NAME,
        ChangeSetName: 'InitialCreation',
        ChangeSetType: 'CREATE',
        TemplateBody: JSON.stringify(BUCKET),
      }),
    );
    const ensuring = run().ensure();
    await poll(() => Promise.resolve(proxy.count('DescribeStacks') > 2 ? true : undefined));
    await cloudformation.send(new DeleteStackCommand({ StackName: MANAGED_STACK_NAME }));
    await ensuring;
    expect(proxy.count('DeleteStack')).toBe(0);
  });

  it('a stack that was never created is removed and made again', async () => {
    const code = { S3Bucket: 'nowhere', S3Key: 'nothing' };
    const Properties = {
      Runtime: 'python3.12',
      Handler: 'a.b',
      Role: 'arn:aws:iam::000000000000:role/any',
      Code: code,
    };
    await createManaged({ Resources: { Bad: { Type: 'AWS::Lambda::Function', Properties } } });
    expect((await describeManaged())?.StackStatus).toBe('ROLLBACK_COMPLETE');
    const { ensure, aws } = run();
    expect(await findManagedBucket(aws)).toBeUndefined();
    expect(await ensure()).toMatch(/\S/);
  });

  it('its creation fails: says why', async () => {
    const message = 'User: me is not authorized to perform: cloudformation:CreateStack';
    proxy.fault({ operation: 'CreateStack' }, { kind: 'error', status: 403, code: 'AccessDenied', message });
    const error = await rejection(run().ensure());
    expect(error.message).toBe('Access denied: me may not perform cloudformation:CreateStack');
    expect(error.hint).toContain('--s3-bucket');
  });
});

describe('the bucket is there', () => {
  it('made by another tool: is used as it is', async () => {
    await createManaged({ Transform: 'AWS::Serverless-2016-10-31', ...BUCKET });
    const bucket = (await describeManaged())?.Outputs?.[0]?.OutputValue;
    expect(await run().ensure()).toBe(bucket);
    expect(proxy.count()).toBe(1);
  });

  it('in a stack that neither tool made: is not touched', async () => {
    await createManaged(BUCKET, { ManagedStackSource: 'Someone' });
    const error = await rejection(run().ensure());
    expect(error.message).toContain('was created by neither AWS SAM CLI nor sam-sync');
    expect(error.hint).toContain('--s3-bucket');
    expect(proxy.count()).toBe(1);
  });

  it('but its stack could not be deleted', async () => {
    await createManaged(BUCKET);
    const isStuck = (text: string): string => text.replaceAll('CREATE_COMPLETE', 'DELETE_FAILED');
    proxy.fault({ operation: 'DescribeStacks' }, { kind: 'change', body: isStuck }, { times: Infinity });
    const error = await rejection(run().ensure());
    expect(error.message).toMatch(/^Could not delete stack aws-sam-cli-managed-default: /);
    expect(error.hint).toContain('Empty its bucket');
  });

  it('but its stack does not tell it', async () => {
    await createManaged({ Resources: BUCKET.Resources });
    expect((await rejection(run().ensure())).message).toContain('has no output SourceBucket');
  });

  it('defect of 2.2: access denied is not "not found"', async () => {
    proxy.fault({ operation: 'DescribeStacks' }, { kind: 'error', status: 403, code: 'AccessDenied', message: DENIED });
    const error = await rejection(run().ensure());
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toBe('Access denied: me may not perform cloudformation:DescribeStacks');
    expect(error.hint).toContain('--s3-bucket');
    expect(proxy.count('CreateStack')).toBe(0);
  });
});
