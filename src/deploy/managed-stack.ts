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

/** A stack with one bucket that SAM CLI and sam-sync share: the first one to need it creates it, the other one uses it. */
export interface ManagedStack {
  name: string;
  template: Template;
  /** The output that holds the name of the bucket. */
  output: string;
  /** Of the step that creates it. */
  stepId: string;
  label: string;
  /** What else the user can do, as a sentence. */
  otherwise: string;
}

/** The tag by which SAM CLI knows its own stacks. */
export const MANAGED_TAGS = { ManagedStackSource: 'AwsSamCli' };

/** How long someone else may take to make the stack (ms). */
const MAX_WAIT = 15 * 60_000;
/** How long AWS SAM CLI may take from announcing the stack to making it (ms). */
const MAX_REVIEW = 60_000;
/** How long a new bucket may take to be known everywhere (ms). */
const MAX_SPREAD = 60_000;

/** What making the bucket needs of its surroundings. */
export interface ManagedStackTools {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  pollDelayMs?: number | undefined;
}

/** The name of the stack's bucket, or undefined if the stack is not there (yet). One call. */
export async function findBucketOf(aws: Aws, managed: ManagedStack): Promise<string | undefined> {
  const stack = await describeManagedStack(aws, managed);
  return stack === undefined ? undefined : bucketOf(stack, managed);
}

/** The name of the stack's bucket, which is made if it is not there. One call if it is. */
export async function ensureBucketOf(aws: Aws, managed: ManagedStack, tools: ManagedStackTools): Promise<string> {
  let reviewedSince: number | undefined;
  let isNew = false;
  for (;;) {
    const stack = await describeManagedStack(aws, managed);
    const bucket = stack === undefined ? undefined : bucketOf(stack, managed);
    if (bucket !== undefined) {
      if (isNew) await waitForBucket(aws, bucket, tools);
      return bucket;
    }
    if (stack?.status === 'REVIEW_IN_PROGRESS') {
      // SAM CLI is about to create it
      reviewedSince ??= performance.now();
      if (performance.now() - reviewedSince >= MAX_REVIEW) throw stillInReview(stack, managed);
      await pause(tools.pollDelayMs ?? 1_000, tools.signal);
    } else {
      await prepareManagedStack(aws, stack, { managed, tools });
      isNew = true;
    }
  }
}

/** S3 may not know a new bucket everywhere at once. If it takes too long, the first upload says what is wrong. */
async function waitForBucket(aws: Aws, bucket: string, tools: ManagedStackTools): Promise<void> {
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
function stillInReview({ name, status, region }: DeployedStack, { otherwise }: ManagedStack): UserError {
  return new UserError(`Stack ${name} is still in ${status}: the change set that creates it was not executed`, {
    hint: `If nobody is about to execute it: \`aws cloudformation delete-stack --stack-name ${name} --region ${region}\`, then sync again. ${otherwise}`,
  });
}

interface Preparing {
  managed: ManagedStack;
  tools: ManagedStackTools;
}

/** One step towards a stack with a bucket. */
async function prepareManagedStack(aws: Aws, stack: DeployedStack | undefined, preparing: Preparing): Promise<void> {
  const { managed, tools } = preparing;
  if (stack === undefined) return await createManagedStack(aws, managed, tools);
  if (stackCondition(stack.status) === 'busy') {
    note(tools.reporter, 'info', `Stack ${stack.name} is in ${stack.status}: waiting for its end`);
    await waitUntilSettled(aws, stack.id, { ...tools, timeoutMs: MAX_WAIT });
    return;
  }
  note(tools.reporter, 'info', `Stack ${stack.name} was never created (${stack.status}): it is removed and made again`);
  await deleteStack(aws, stack, tools);
}

async function describeManagedStack(aws: Aws, managed: ManagedStack): Promise<DeployedStack | undefined> {
  try {
    return await describeStack(aws, managed.name);
  } catch (error) {
    throw isAwsError(error) && error.kind === 'access-denied' ? withAlternative(error, managed) : error;
  }
}

/** The bucket of the stack; undefined: it has none yet but can get one. */
function bucketOf(stack: DeployedStack, { output, otherwise }: ManagedStack): string | undefined {
  const { name, status } = stack;
  const condition = stackCondition(status);
  if (condition === 'absent') return undefined;
  if (stack.tags['ManagedStackSource'] !== MANAGED_TAGS.ManagedStackSource && status !== 'REVIEW_IN_PROGRESS') {
    throw new UserError(`There is a stack ${name}, but neither AWS SAM CLI nor sam-sync made it`, {
      hint: `Its tag ManagedStackSource should be ${MANAGED_TAGS.ManagedStackSource}. ${otherwise}`,
    });
  }
  if (status === 'DELETE_FAILED') {
    throw new UserError(`Stack ${name} could not be deleted: ${stack.statusReason ?? status}`, {
      hint: `Empty its bucket and delete the stack: it is made again then. ${otherwise}`,
    });
  }
  if (condition === 'never-created' || status === 'CREATE_IN_PROGRESS' || status.startsWith('DELETE_'))
    return undefined;
  const bucket = stack.outputs.find(({ key }) => key === output)?.value;
  if (bucket !== undefined) return bucket;
  if (condition === 'busy') return undefined;
  throw new UserError(`Stack ${name} has no output ${output}, so the bucket that it made cannot be found`, {
    hint: `The stack is in ${status}. ${otherwise}`,
  });
}

async function createManagedStack(aws: Aws, managed: ManagedStack, tools: ManagedStackTools): Promise<void> {
  const { name, template, stepId, label } = managed;
  await step(tools.reporter, { kind: 'setup', id: stepId, label }, async () => {
    const token = `sam-sync-${randomUUID()}`;
    try {
      const operation = await startOperation(aws, {
        kind: 'create',
        request: {
          stackName: name,
          template,
          parameters: {},
          tags: MANAGED_TAGS,
          capabilities: [],
          roleArn: undefined,
          notificationArns: undefined,
          express: false,
        },
        parameters: [],
        template: { TemplateBody: JSON.stringify(template) },
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
      const followed = await followStack(aws, { ...tools, ...operation, stackName: name, token, reporter });
      if (!isSuccess(followed.status)) {
        const about = { stackName: name, region: await aws.region(), verb: 'create' } as const;
        throw explainStackFailure(about, followed);
      }
      return { value: undefined };
    } catch (error) {
      throw isAwsError(error) && error.kind === 'access-denied' ? withAlternative(error, managed) : error;
    }
  });
}

function withAlternative(error: UserError, { otherwise }: ManagedStack): UserError {
  return new UserError(error.message, { cause: error, hint: `${error.hint ?? ''} ${otherwise}`.trim() });
}
