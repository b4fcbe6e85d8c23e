import { randomUUID } from 'node:crypto';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { note, step, type Reporter } from '../console/reporter.ts';
import { deleteStack } from '../deploy/delete-stack.ts';
import { describeStack, type DeployedStack } from '../deploy/describe-stack.ts';
import { followStack, waitUntilSettled } from '../deploy/follow-stack.ts';
import { pause } from '../support/pause.ts';
import { readFirstCause } from '../deploy/failed-events.ts';
import { explainStackFailure } from '../deploy/stack-failure.ts';
import { isSuccess, stackCondition } from '../deploy/stack-status.ts';
import { StackMovedError, startOperation } from '../deploy/start-operation.ts';
import { UserError } from '../errors.ts';
import type { Template } from '../template/template.ts';

/** A stack with one bucket that SAM CLI and sam-sync share: the first to need it creates it. */
export interface ManagedStack {
  name: string;
  template: Template;
  /** The output with the name of the bucket. */
  output: string;
  /** The ID of the step that creates it. */
  stepId: string;
  /** The bucket, as a line of the console names it. */
  label: string;
  /** What else the user can do, as a sentence. */
  otherwise: string;
}

/** The tag by which SAM CLI knows its own stacks. */
export const MANAGED_TAGS = { ManagedStackSource: 'AwsSamCli' };

/** The longest wait for another process that creates the stack (ms). */
const MAX_WAIT = 15 * 60_000;
/** The longest wait for SAM CLI to execute the change set that creates the stack (ms). */
const MAX_REVIEW = 60_000;
/** The longest wait for a new bucket to become visible (ms). */
const MAX_PROPAGATION = 60_000;

/** What the creation of the bucket needs from its caller. */
export interface ManagedStackTools {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  pollDelayMs?: number | undefined;
}

/** Returns the name of the stack's bucket; undefined if the stack does not exist (yet). One call. */
export async function findBucketOf(aws: Aws, managed: ManagedStack): Promise<string | undefined> {
  const stack = await describeManagedStack(aws, managed);
  return stack === undefined ? undefined : bucketOf(stack, managed);
}

/** Returns the name of the stack's bucket, creating it if needed. One call if it exists. */
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

/** Waits until S3 knows a new bucket. After the longest wait, leaves the error to the first upload. */
async function waitForBucket(aws: Aws, bucket: string, tools: ManagedStackTools): Promise<void> {
  const { send, HeadBucketCommand } = await aws.s3();
  const started = performance.now();
  for (;;) {
    const missing = await send(new HeadBucketCommand({ Bucket: bucket })).then(
      () => false,
      (error: unknown) => isAwsError(error, 'NotFound', 'NoSuchBucket'),
    );
    if (!missing || performance.now() - started > MAX_PROPAGATION) return;
    await pause(tools.pollDelayMs ?? 1_000, tools.signal);
  }
}

/** Creates the error for an interrupted SAM CLI or a change set under review, which we must not delete. */
function stillInReview({ name, status, region }: DeployedStack, { otherwise }: ManagedStack): UserError {
  return new UserError(`Stack ${name} is still in ${status}: the change set that creates it was not executed`, {
    hint: `If it is not under review, run \`aws cloudformation delete-stack --stack-name ${name} --region ${region}\`, then sync again. ${otherwise}`,
  });
}

interface Preparing {
  managed: ManagedStack;
  tools: ManagedStackTools;
}

/** Does the next step towards a stack with a bucket. */
async function prepareManagedStack(aws: Aws, stack: DeployedStack | undefined, preparing: Preparing): Promise<void> {
  const { managed, tools } = preparing;
  if (stack === undefined) return await createManagedStack(aws, managed, tools);
  if (stackCondition(stack.status) === 'busy') {
    note(tools.reporter, 'info', `Stack ${stack.name} is in ${stack.status}: waiting for it to finish`);
    await waitUntilSettled(aws, stack.id, { ...tools, timeoutMs: MAX_WAIT });
    return;
  }
  note(tools.reporter, 'info', `Stack ${stack.name} was never created (${stack.status}): deleting and creating it`);
  await deleteStack(aws, stack, tools);
}

async function describeManagedStack(aws: Aws, managed: ManagedStack): Promise<DeployedStack | undefined> {
  try {
    return await describeStack(aws, managed.name);
  } catch (error) {
    throw isAwsError(error) && error.kind === 'access-denied' ? withAlternative(error, managed) : error;
  }
}

/** Returns the bucket of the stack; undefined if the stack does not have it yet. Throws if it never will. */
function bucketOf(stack: DeployedStack, { output, otherwise }: ManagedStack): string | undefined {
  const { name, status } = stack;
  const condition = stackCondition(status);
  if (condition === 'absent') return undefined;
  if (stack.tags['ManagedStackSource'] !== MANAGED_TAGS.ManagedStackSource && status !== 'REVIEW_IN_PROGRESS') {
    throw new UserError(`Stack ${name} was created by neither AWS SAM CLI nor sam-sync`, {
      hint: `Its tag ManagedStackSource must be ${MANAGED_TAGS.ManagedStackSource}. ${otherwise}`,
    });
  }
  if (status === 'DELETE_FAILED') {
    throw new UserError(`Could not delete stack ${name}: ${stack.statusReason ?? status}`, {
      hint: `Empty its bucket, delete the stack and sync again to create it. ${otherwise}`,
    });
  }
  if (condition === 'never-created' || status === 'CREATE_IN_PROGRESS' || status.startsWith('DELETE_'))
    return undefined;
  const bucket = stack.outputs.find(({ key }) => key === output)?.value;
  if (bucket !== undefined) return bucket;
  if (condition === 'busy') return undefined;
  throw new UserError(`Stack ${name} has no output ${output} that names its bucket`, {
    hint: `The stack is in ${status}. ${otherwise}`,
  });
}

async function createManagedStack(aws: Aws, managed: ManagedStack, tools: ManagedStackTools): Promise<void> {
  const { name, template, stepId, label } = managed;
  await step(tools.reporter, { kind: 'create', id: stepId, label }, async () => {
    const detail = `stack ${name}`;
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
      if (operation === 'unchanged') return { value: undefined, detail };
      if (operation instanceof StackMovedError) {
        // another process is creating it
        await pause(tools.pollDelayMs ?? 1_000, tools.signal);
        return { value: undefined, detail };
      }
      // events of this stack would interrupt those of the user's stack
      const reporter: Reporter = {
        report: (event) => void (event.type === 'stack-event' || tools.reporter.report(event)),
      };
      const followed = await followStack(aws, { ...tools, ...operation, stackName: name, token, reporter });
      if (!isSuccess(followed.status)) {
        const attempt = { stackName: name, region: await aws.region(), verb: 'create' } as const;
        throw explainStackFailure(
          attempt,
          followed,
          await readFirstCause(aws, { ...operation, token }, followed.events),
        );
      }
      return { value: undefined, detail };
    } catch (error) {
      throw isAwsError(error) && error.kind === 'access-denied' ? withAlternative(error, managed) : error;
    }
  });
}

function withAlternative(error: UserError, { otherwise }: ManagedStack): UserError {
  return new UserError(error.message, { cause: error, hint: `${error.hint ?? ''} ${otherwise}`.trim() });
}
