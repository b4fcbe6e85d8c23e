import type { Aws } from '../aws/aws.ts';
import { isNoSuchResource, isNoSuchStack } from '../deploy/stack-refusals.ts';
import { UserError } from '../errors.ts';
import { setOwn } from '../support/own-value.ts';
import type { DeployedResource, StackListing } from './sync-state.ts';

/** The client, and the root stack that a call belongs to. */
interface StackCall {
  aws: Aws;
  /** Of the root stack, for errors. */
  stackName: string;
}

/** Lists all resources of a stack (name or ARN) with one call for each 100 resources. */
export async function listStackResources(call: StackCall, stack: string): Promise<StackListing> {
  const { send, ListStackResourcesCommand } = await call.aws.cloudFormation();
  const listing: Record<string, DeployedResource> = {};
  let token: string | undefined;
  do {
    const page = await askAboutStack(call, { stack }, () =>
      send(new ListStackResourcesCommand({ StackName: stack, NextToken: token })),
    );
    for (const summary of page?.StackResourceSummaries ?? []) {
      const resource = toResource(summary);
      if (resource !== undefined) setOwn(listing, summary.LogicalResourceId ?? '', resource);
    }
    token = page?.NextToken;
  } while (token !== undefined);
  return listing;
}

/** Describes one resource of a stack (name or ARN), with the stack's ARN; undefined: the stack has no such resource. */
export async function describeStackResource(
  call: StackCall,
  stack: string,
  logicalId: string,
): Promise<{ resource: DeployedResource | undefined; stackId: string | undefined } | undefined> {
  const { send, DescribeStackResourceCommand } = await call.aws.cloudFormation();
  const answer = await askAboutStack(call, { stack, logicalId }, () =>
    send(new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId })),
  );
  const detail = answer?.StackResourceDetail;
  return detail && { resource: toResource(detail), stackId: detail.StackId };
}

/** undefined: the stack has no such resource. */
async function askAboutStack<T>(
  { aws, stackName }: StackCall,
  { stack, logicalId }: { stack: string; logicalId?: string },
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (logicalId !== undefined && isNoSuchResource(error, { stack, logicalId })) return undefined;
    if (isNoSuchStack(error, stack)) throw noSuchStack(stackName, await aws.region());
    throw error;
  }
}

function toResource(resource: {
  ResourceType?: string | undefined;
  PhysicalResourceId?: string | undefined;
  ResourceStatus?: string | undefined;
  LastUpdatedTimestamp?: Date | undefined;
}): DeployedResource | undefined {
  const { ResourceType, PhysicalResourceId, ResourceStatus, LastUpdatedTimestamp } = resource;
  // replaced resources are listed until CloudFormation deletes them, and deleted ones for a while after
  if (!PhysicalResourceId || ResourceStatus?.startsWith('DELETE')) return undefined;
  return { type: ResourceType ?? '', physicalId: PhysicalResourceId, updatedAt: LastUpdatedTimestamp?.getTime() ?? 0 };
}

/** A stack that does not exist. */
export class NoSuchStackError extends UserError {}

/** The error of a code sync whose stack does not exist. */
export function noSuchStack(stackName: string, region: string): NoSuchStackError {
  return new NoSuchStackError(`There is no stack ${stackName} in ${region}`, {
    hint: '--code only updates existing resources: sync without --code to create the stack, or choose another one with --stack-name, --region or --profile.',
  });
}
