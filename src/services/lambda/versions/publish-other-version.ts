import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { CloudStacks } from '../../../cloud/cloud-stacks.ts';
import { isAwsError } from '../../../aws/service-errors.ts';
import type { ResourceIdentifier } from '../../../model/stack.ts';
import { ownValue, setOwn } from '../../../support/own-value.ts';
import type { FunctionState } from '../function-state.ts';
import type { LambdaAccess } from '../lambda-client.ts';

/** What ends the description of the version that makes room for CloudFormation's, and Lambda's limit. */
const MARK = ' [sam-sync]';
const LONGEST_DESCRIPTION = 256;
/** How often a version with that description is published if other runs do the same. */
const ATTEMPTS = 3;

/** Whether the version was published to make room for CloudFormation's. */
export function makesRoom({ Description = '' }: FunctionConfiguration): boolean {
  return Description.endsWith(MARK);
}

/**
 * Publishes a version with another description. What the description was is remembered until it is set again, also for a run
 * that is killed.
 */
export async function publishOtherVersion(
  { stacks, lambda }: { stacks: CloudStacks; lambda: LambdaAccess },
  id: ResourceIdentifier,
  { FunctionName = '', Description: now = '' }: FunctionConfiguration,
): Promise<void> {
  const { send, PublishVersionCommand } = await lambda.service();
  const isOfKilledRun = now.endsWith(MARK);
  const description = isOfKilledRun ? now.slice(0, -MARK.length) : now;
  const marked = `${description.slice(0, LONGEST_DESCRIPTION - MARK.length)}${MARK}`;
  const { ahead } = stacks.facts;
  const known = ownValue(ahead, id) ?? [];
  const withDescription = [...new Set([...known, 'Description'])];
  const remember = async (names: readonly string[]): Promise<void> => {
    if (names.length > 0) setOwn(ahead, id, names);
    else delete ahead[id];
    await stacks.save();
  };
  await remember(withDescription);
  try {
    await describe(lambda, FunctionName, marked);
  } catch (error) {
    if (isAwsError(error) && error.kind === 'access-denied') await remember(known);
    else await describeLate(lambda, FunctionName, description);
    throw error;
  }
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const version = await lambda.change(FunctionName, () => send(new PublishVersionCommand({ FunctionName })));
      if (version !== undefined && makesRoom(version)) break;
      // another run has set its description back in between, and the version is what CloudFormation's would be
      await describe(lambda, FunctionName, marked);
    }
  } finally {
    await describe(lambda, FunctionName, description).catch(async (error: unknown) => {
      await describeLate(lambda, FunctionName, description);
      throw error;
    });
    // a mark that cut the description off hides its end: the code sync after the deployment sets it as in the template
    await remember(isOfKilledRun && now.length === LONGEST_DESCRIPTION ? withDescription : known);
  }
}

/** Sets the description back after an interruption, with one call. If it fails, the next run does what is left. */
async function describeLate({ service }: LambdaAccess, FunctionName: string, Description: string): Promise<void> {
  const { sendLate, UpdateFunctionConfigurationCommand } = await service();
  await sendLate(new UpdateFunctionConfigurationCommand({ FunctionName, Description })).catch(() => {});
}

async function describe(lambda: LambdaAccess, FunctionName: string, Description: string): Promise<void> {
  const { send, UpdateFunctionConfigurationCommand } = await lambda.service();
  const request = new UpdateFunctionConfigurationCommand({ FunctionName, Description });
  const shows = (now: FunctionState): boolean => now.configuration.Description === Description;
  await lambda.change(FunctionName, () => send(request), shows);
  await lambda.settled(FunctionName, { shows });
}
