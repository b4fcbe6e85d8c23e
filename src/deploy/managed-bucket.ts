import { randomUUID } from 'node:crypto';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { note, step, type Reporter } from '../console/reporter.ts';
import { deleteStack } from '../deploy/delete-stack.ts';
import { describeStack, type DeployedStack } from '../deploy/describe-stack.ts';
import { followStack, waitUntilSettled } from '../deploy/follow-stack.ts';
import { pause } from '../support/pause.ts';
import { explainStackFailure } from '../deploy/stack-failure.ts';
import { isSuccess, stackCondition } from '../deploy/stack-status.ts';
import { StackMovedError, startOperation } from '../deploy/start-operation.ts';
import { UserError } from '../errors.ts';
import type { Template } from '../template/template.ts';

/** The stack that AWS SAM CLI and we share: whoever comes first makes it, the other one uses it. */
export const MANAGED_STACK_NAME = 'aws-sam-cli-managed-default';

const MANAGED_TAGS = { ManagedStackSource: 'AwsSamCli' };
const OTHER_BUCKET = 'Or name a bucket of your own with --s3-bucket.';
/** How long someone else may take to make the stack (ms). */
const MAX_WAIT = 15 * 60_000;
/** How long AWS SAM CLI may take from announcing the stack to making it (ms). */
const MAX_REVIEW = 60_000;
/** How long a new bucket may take to be known everywhere (ms). */
const MAX_SPREAD = 60_000;

/** What making the bucket needs of its surroundings. */
export interface ManagedBucketTools {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  pollDelayMs?: number | undefined;
}

/** The name of the managed bucket, or undefined if its stack is not there (yet). One call. */
export async function findManagedBucket(aws: Aws): Promise<string | undefined> {
  const stack = await describeManagedStack(aws);
  return stack === undefined ? undefined : bucketOf(stack);
}

/** As CloudFormation names the bucket of the managed stack. */
const MANAGED_BUCKET = /aws-sam-cli-managed-default-samclisourcebucket-[a-z0-9]+/;

/** The managed bucket that a deployed template's artifacts are in; undefined: they are elsewhere, or there are none. */
export function managedBucketIn(template: Template | undefined): string | undefined {
  return template === undefined ? undefined : MANAGED_BUCKET.exec(JSON.stringify(template))?.[0];
}

/** The name of the managed bucket, which is made if it is not there. One call if it is. */
export async function ensureManagedBucket(aws: Aws, tools: ManagedBucketTools): Promise<string> {
  let reviewedSince: number | undefined;
  let isNew = false;
  for (;;) {
    const stack = await describeManagedStack(aws);
    const bucket = stack === undefined ? undefined : bucketOf(stack);
    if (bucket !== undefined) {
      if (isNew) await waitForBucket(aws, bucket, tools);
      return bucket;
    }
    if (stack?.status === 'REVIEW_IN_PROGRESS') {
      // SAM CLI is about to create it
      reviewedSince ??= performance.now();
      if (performance.now() - reviewedSince >= MAX_REVIEW) throw stillInReview(stack);
      await pause(tools.pollDelayMs ?? 1_000, tools.signal);
    } else {
      await prepareManagedStack(aws, stack, tools);
      isNew = true;
    }
  }
}

/** S3 may not know a new bucket everywhere at once. If it takes too long, the first upload says what is wrong. */
async function waitForBucket(aws: Aws, bucket: string, tools: ManagedBucketTools): Promise<void> {
  const { send, HeadBucketCommand } = await aws.s3();
  const started = performance.now();
  for (;;) {
    const missing = await send(new HeadBucketCommand({ Bucket: bucket })).then(
      () => false,
      (error: unknown) => isAwsError(error, 'NotFound', 'NoSuchBucket'),
    );
    if (!missing || performance.now() - started > MAX_SPREAD) return;
    await pause(tools.pollDelayMs ?? 1_000, tools.signal);
  }
}

/** SAM CLI was interrupted, or somebody reviews the change set: it is not ours to delete. */
function stillInReview({ name, status, region }: DeployedStack): UserError {
  return new UserError(`Stack ${name} is still in ${status}: the change set that creates it was not executed`, {
    hint: `If nobody is about to execute it: \`aws cloudformation delete-stack --stack-name ${name} --region ${region}\`, then sync again. ${OTHER_BUCKET}`,
  });
}

/** One step towards a stack with a bucket. */
async function prepareManagedStack(
  aws: Aws,
  stack: DeployedStack | undefined,
  tools: ManagedBucketTools,
): Promise<void> {
  if (stack === undefined) return await createManagedStack(aws, tools);
  if (stackCondition(stack.status) === 'busy') {
    note(tools.reporter, 'info', `Stack ${stack.name} is in ${stack.status}: waiting for its end`);
    await waitUntilSettled(aws, stack.id, { ...tools, timeoutMs: MAX_WAIT });
    return;
  }
  note(tools.reporter, 'info', `Stack ${stack.name} was never created (${stack.status}): it is removed and made again`);
  await deleteStack(aws, stack, tools);
}

async function describeManagedStack(aws: Aws): Promise<DeployedStack | undefined> {
  try {
    return await describeStack(aws, MANAGED_STACK_NAME);
  } catch (error) {
    throw isAwsError(error) && error.kind === 'access-denied' ? withOtherBucket(error) : error;
  }
}

/** The bucket of the stack; undefined: it has none yet but can get one. */
function bucketOf(stack: DeployedStack): string | undefined {
  const { name, status } = stack;
  const condition = stackCondition(status);
  if (condition === 'absent') return undefined;
  if (stack.tags['ManagedStackSource'] !== MANAGED_TAGS.ManagedStackSource && status !== 'REVIEW_IN_PROGRESS') {
    throw new UserError(`There is a stack ${name}, but neither AWS SAM CLI nor sam-sync made it`, {
      hint: `Its tag ManagedStackSource should be ${MANAGED_TAGS.ManagedStackSource}. ${OTHER_BUCKET}`,
    });
  }
  if (status === 'DELETE_FAILED') {
    throw new UserError(`Stack ${name} could not be deleted: ${stack.statusReason ?? status}`, {
      hint: `Empty its bucket and delete the stack: it is made again then. ${OTHER_BUCKET}`,
    });
  }
  if (condition === 'never-created' || status === 'CREATE_IN_PROGRESS' || status.startsWith('DELETE_'))
    return undefined;
  const bucket = stack.outputs.find(({ key }) => key === 'SourceBucket')?.value;
  if (bucket !== undefined) return bucket;
  if (condition === 'busy') return undefined;
  throw new UserError(`Stack ${name} has no output SourceBucket, so the bucket that it made cannot be found`, {
    hint: `The stack is in ${status}. ${OTHER_BUCKET}`,
  });
}

async function createManagedStack(aws: Aws, tools: ManagedBucketTools): Promise<void> {
  const label = `Making the S3 bucket for what is deployed (stack ${MANAGED_STACK_NAME})`;
  await step(tools.reporter, { kind: 'setup', id: 'managed-bucket', label }, async () => {
    const token = `sam-sync-${randomUUID()}`;
    try {
      const operation = await startOperation(aws, {
        kind: 'create',
        request: {
          stackName: MANAGED_STACK_NAME,
          template: MANAGED_TEMPLATE,
          parameters: {},
          tags: MANAGED_TAGS,
          capabilities: [],
          roleArn: undefined,
          notificationArns: undefined,
          express: false,
        },
        parameters: [],
        template: { TemplateBody: JSON.stringify(MANAGED_TEMPLATE) },
        token,
        signal: tools.signal,
      });
      if (operation === 'unchanged') return { value: undefined };
      if (operation instanceof StackMovedError) {
        // another run makes it at this moment
        await pause(tools.pollDelayMs ?? 1_000, tools.signal);
        return { value: undefined };
      }
      // its events would only stand between those of the user's stack
      const reporter: Reporter = {
        report: (event) => void (event.type === 'stack-event' || tools.reporter.report(event)),
      };
      const followed = await followStack(aws, {
        ...tools,
        ...operation,
        stackName: MANAGED_STACK_NAME,
        token,
        reporter,
      });
      if (!isSuccess(followed.status)) {
        const about = { stackName: MANAGED_STACK_NAME, region: await aws.region(), verb: 'create' } as const;
        throw explainStackFailure(about, followed);
      }
      return { value: undefined };
    } catch (error) {
      throw isAwsError(error) && error.kind === 'access-denied' ? withOtherBucket(error) : error;
    }
  });
}

function withOtherBucket(error: UserError): UserError {
  return new UserError(error.message, { cause: error, hint: `${error.hint ?? ''} ${OTHER_BUCKET}`.trim() });
}

const BUCKET_ARN = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::${SamCliSourceBucket}' };
const OBJECTS_ARN = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::${SamCliSourceBucket}/*' };

/** The same resources, properties and output as AWS SAM CLI's; it needs no SAM transform and so no capabilities. */
const MANAGED_TEMPLATE: Template = {
  AWSTemplateFormatVersion: '2010-09-09',
  Description: 'The bucket in which AWS SAM CLI and sam-sync keep what they deploy',
  Resources: {
    SamCliSourceBucket: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicPolicy: true,
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
        },
        VersioningConfiguration: { Status: 'Enabled' },
        Tags: [{ Key: 'ManagedStackSource', Value: MANAGED_TAGS.ManagedStackSource }],
      },
    },
    SamCliSourceBucketBucketPolicy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'SamCliSourceBucket' },
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'serverlessrepo.amazonaws.com' },
              Action: ['s3:GetObject'],
              Resource: OBJECTS_ARN,
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            },
            {
              Effect: 'Deny',
              Principal: '*',
              Action: ['s3:*'],
              Resource: [BUCKET_ARN, OBJECTS_ARN],
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      },
    },
  },
  Outputs: { SourceBucket: { Value: { Ref: 'SamCliSourceBucket' } } },
};
