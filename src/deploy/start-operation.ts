import type {
  Capability,
  CreateStackCommandInput,
  Parameter,
  Tag,
  UpdateStackCommandInput,
} from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.ts';
import { requireAnswer, UnexpectedAnswerError } from '../aws/check-answer.ts';
import { isAwsError, mayHaveArrived } from '../aws/service-errors.ts';
import { UserError } from '../errors.ts';
import { pause } from '../support/pause.ts';
import type { DeployRequest, ParameterInput } from './plan-deploy.ts';
import { busyStatus, isNoSuchStack, isNothingToUpdate } from './stack-refusals.ts';

/** A call of CreateStack or UpdateStack. */
export interface StackChange {
  kind: 'create' | 'update';
  request: DeployRequest;
  parameters: readonly ParameterInput[];
  template: { TemplateBody: string } | { TemplateURL: string };
  /** Identifies the operation and its events: repeating the call after a lost answer starts no second operation. */
  token: string;
  signal?: AbortSignal | undefined;
}

/** Returns whether CloudFormation refused to begin the operation, for a reason that does not pass: the stack is as it was. */
export function isRefusedOperation(error: unknown): boolean {
  // the advice about a missing capability hides the answer
  const answer = error instanceof UserError && !isAwsError(error) ? error.cause : error;
  if (!isAwsError(answer) || !OPERATIONS.has(answer.operation)) return false;
  return ['access-denied', 'other', 'wrong-region'].includes(answer.kind);
}

const OPERATIONS: ReadonlySet<string> = new Set(['CreateStack', 'UpdateStack']);

/** The stack changed after planning, by a concurrent operation: describe it and plan again. */
export class StackMovedError extends UserError {}

/** Starts the operation. Returns `unchanged` if CloudFormation finds nothing to update. */
export async function startOperation(
  aws: Aws,
  change: StackChange,
): Promise<{ stackId: string } | 'unchanged' | StackMovedError> {
  try {
    return { stackId: await callCloudFormation(aws, change) };
  } catch (error) {
    const own = mayBeRunning(error) ? await findOwnOperation(aws, change) : undefined;
    if (own !== undefined) return { stackId: own };
    if (isNothingToUpdate(error)) return 'unchanged';
    const refusal = explainRefusal(error, change);
    if (refusal instanceof StackMovedError) return refusal;
    throw refusal;
  }
}

async function callCloudFormation(aws: Aws, change: StackChange): Promise<string> {
  const { send, CreateStackCommand, UpdateStackCommand } = await aws.cloudFormation();
  const { operation, parameters } = stackRequest(change);
  const input = { ...parameters, ClientRequestToken: change.token };
  const command = operation === 'CreateStack' ? new CreateStackCommand(input) : new UpdateStackCommand(input);
  const answer = await send(command);
  return requireAnswer('CloudFormation', operation, 'StackId', answer.StackId);
}

/** The request that creates or updates the stack, without the token of its operation. Pure. */
export function stackRequest(change: Pick<StackChange, 'kind' | 'request' | 'parameters' | 'template'>): {
  operation: 'CreateStack' | 'UpdateStack';
  parameters: CreateStackCommandInput & UpdateStackCommandInput;
} {
  const { kind, request, parameters, template } = change;
  const common = {
    StackName: request.stackName,
    ...template,
    Parameters: parameters as Parameter[],
    Capabilities: request.capabilities as Capability[],
    // undefined keeps the current value
    RoleARN: request.roleArn,
    NotificationARNs: request.notificationArns as string[] | undefined,
    Tags: request.tags === undefined ? undefined : toTags(request.tags),
  };
  const express = { DeploymentConfig: { Mode: 'EXPRESS', DisableRollback: false } } as const;
  if (kind === 'create') {
    return {
      operation: 'CreateStack',
      parameters: { ...common, ...(request.express ? express : { OnFailure: 'ROLLBACK' }) },
    };
  }
  return {
    operation: 'UpdateStack',
    parameters: { ...common, ...(request.express ? express : { DisableRollback: false }) },
  };
}

function toTags(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Returns whether CloudFormation may have accepted the request although the call failed. */
function mayBeRunning(error: unknown): boolean {
  if (error instanceof UnexpectedAnswerError || mayHaveArrived(error)) return true;
  return isAwsError(error) && error.code.startsWith('TokenAlreadyExists');
}

/** Returns the ARN of the stack that has events of our operation. Polls, as they may arrive late. */
async function findOwnOperation(aws: Aws, { request, token, signal }: StackChange): Promise<string | undefined> {
  const { send, DescribeStackEventsCommand } = await aws.cloudFormation();
  for (let poll = 0; poll < 3; poll++) {
    if (poll > 0) await pause(500, signal);
    try {
      const { StackEvents = [] } = await send(new DescribeStackEventsCommand({ StackName: request.stackName }));
      const own = StackEvents.find((event) => event.ClientRequestToken === token);
      if (own !== undefined) return own.StackId;
    } catch (error) {
      signal?.throwIfAborted();
      // the caller reports the first error
      if (!isNoSuchStack(error, request.stackName)) return undefined;
    }
  }
  return undefined;
}

function explainRefusal(error: unknown, { kind, request }: StackChange): unknown {
  if (!isAwsError(error)) return error;
  const { stackName } = request;
  const busy = busyStatus(error, stackName);
  if (busy !== undefined) return new StackMovedError(`Stack ${stackName} is now in ${busy}`, { cause: error });
  if (kind === 'create' && error.code.startsWith('AlreadyExists')) {
    return new StackMovedError(`Someone else created stack ${stackName}`, { cause: error });
  }
  if (kind === 'update' && isNoSuchStack(error, stackName)) {
    return new StackMovedError(`Someone else deleted stack ${stackName}`, { cause: error });
  }
  const missing = /capabilities ?: ?\[([^\]]*)\]/i.exec(error.serviceMessage)?.[1];
  if (missing !== undefined && error.code.startsWith('InsufficientCapabilities')) {
    const all = [...new Set([...request.capabilities, ...missing.split(/\s*,\s*/)])];
    return new UserError(`The template of stack ${stackName} needs the capability ${missing}`, {
      cause: error,
      hint: `Allow it with --capabilities ${all.join(' ')}`,
    });
  }
  return error;
}
