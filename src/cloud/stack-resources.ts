import type { Aws } from '../aws/aws.ts';
import { isNoSuchResource, isNoSuchStack } from '../deploy/stack-refusals.ts';
import { UserError } from '../errors.ts';
import { setOwn } from '../support/own-value.ts';
import type { DeployedResource, StackListing } from './sync-state.ts';

/** The root stack that a question belongs to. */
interface StackQuestion {
  aws: Aws;
  /** Of the root stack, for errors. */
  stackName: string;
}

/** All resources of a stack (name or ARN): one call for each 100 of them. */
export async function listStackResources(question: StackQuestion, stack: string): Promise<StackListing> {
  const { send, ListStackResourcesCommand } = await question.aws.cloudFormation();
  const listing: Record<string, DeployedResource> = {};
  let token: string | undefined;
  do {
    const page = await askAboutStack(question, { stack }, () =>
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

/** One resource of a stack (name or ARN), and the stack's ARN; undefined: the stack has no such resource. */
export async function describeStackResource(
  question: StackQuestion,
  stack: string,
  logicalId: string,
): Promise<{ resource: DeployedResource | undefined; stackId: string | undefined } | undefined> {
  const { send, DescribeStackResourceCommand } = await question.aws.cloudFormation();
  const answer = await askAboutStack(question, { stack, logicalId }, () =>
    send(new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId })),
  );
  const detail = answer?.StackResourceDetail;
  return detail && { resource: toResource(detail), stackId: detail.StackId };
}

/** undefined: the stack has no such resource. */
async function askAboutStack<T>(
  { aws, stackName }: StackQuestion,
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
  // what an update replaced is listed until it is deleted, and what was deleted for a while after
  if (!PhysicalResourceId || ResourceStatus?.startsWith('DELETE')) return undefined;
  return { type: ResourceType ?? '', physicalId: PhysicalResourceId, updatedAt: LastUpdatedTimestamp?.getTime() ?? 0 };
}

/** A code sync was asked for and there is no stack. */
export function noSuchStack(stackName: string, region: string): UserError {
  return new UserError(`There is no stack ${stackName} in ${region}`, {
    hint: 'A code sync changes what is there already: sync without --code to make the stack, or choose another one with --stack-name, --region or --profile.',
  });
}
