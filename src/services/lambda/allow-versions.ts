import { note } from '../../console/reporter.ts';
import type { Reporter } from '../../console/reporter.ts';
import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import { findCompanion } from '../../cloud/generated-ids.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { FunctionResource, Stack } from '../../model/stack.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { ownValue, setOwn } from '../../support/own-value.ts';
import { shownSetting } from '../../template/kinds/direct-settings.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { LAMBDA_CONFIGURATION } from '../../template/kinds/lambda-settings.ts';
import { canonicalJson } from '../definition-text.ts';
import { isSameCode } from './function-code.ts';
import type { FunctionState } from './function-state.ts';
import type { LambdaAccess } from './lambda-client.ts';

interface VersionTools {
  stacks: CloudStacks;
  lambda: LambdaAccess;
  reporter: Reporter;
}

/** Functions prepared in parallel. */
const AT_ONCE = 8;
/** What ends the description of the version that makes room for CloudFormation's, and Lambda's limit. */
const MARK = ' [sam-sync]';
const LONGEST_DESCRIPTION = 256;
/** How often a version with that description is published if other runs do the same. */
const ATTEMPTS = 3;

/**
 * Makes Lambda publish versions for the deployment that follows. SAM names a function's version by where the code is, so a
 * deployment after a code sync creates a version; Lambda publishes none if its newest one, which the code sync published for
 * the alias or a deployment that was rolled back has left, has the same code and configuration, and the deployment fails
 * ("Version already exists"). So another version is published first that differs by its description.
 */
export async function allowNewVersions(tools: VersionTools, root: Stack): Promise<void> {
  const published = flattenStacks(root).flatMap((stack) =>
    stack.functions.filter(publishesByContent).map((resource) => ({ stack, resource })),
  );
  await mapLimit(published, AT_ONCE, async (fn) => {
    try {
      await allowNewVersion(tools, fn);
    } catch (error) {
      // the deployment shows whether it matters
      if (!isAwsError(error) || (error.kind !== 'access-denied' && error.code !== 'ResourceNotFoundException'))
        throw error;
    }
  });
}

/** With `AutoPublishCodeSha256`, SAM puts its value into the description: Lambda sees a change wherever SAM does. */
function publishesByContent({ properties }: FunctionResource): boolean {
  const { AutoPublishAlias: alias = null, AutoPublishCodeSha256: hash = null } = properties;
  return alias !== null && hash === null;
}

async function allowNewVersion(
  { stacks, lambda, reporter }: VersionTools,
  { stack, resource: { id, logicalId, type } }: { stack: Stack; resource: FunctionResource },
): Promise<void> {
  const listing = (await stacks.listing(stack.path)) ?? {};
  const name = ownValue(listing, logicalId)?.physicalId;
  const [alias, version] = ['Alias', 'Version'].map((companion) =>
    findCompanion(listing, { stack, logicalId }, companion)?.physicalId.split(':').at(-1),
  );
  if (name === undefined || alias === undefined || version === undefined) return;
  const published = await lambda.read(name, alias);
  // a code sync that was interrupted may have published a version and not moved the alias
  const isUnclear = stacks.facts.unsettled.includes(id);
  if (published.version === version && !isUnclear) return;
  const { settings: naming = [] } = kindOf(type)?.versioned ?? {};
  // somebody may have deleted the version
  const stacksOwn = isUnclear ? undefined : await lambda.readIfThere(name, version);
  // SAM names the same version again
  if (stacksOwn !== undefined && isSame(published, stacksOwn, naming)) return;
  // whatever $LATEST has now: after a rollback it has the code before, and the deployment brings that of the newest version
  await publishOrWarn({ stacks, lambda, reporter }, id, await lambda.settled(name));
}

async function publishOrWarn(tools: VersionTools, id: string, latest: FunctionState): Promise<void> {
  try {
    await publishOther(tools, id, latest);
  } catch (error) {
    if (!isAwsError(error) || error.kind !== 'access-denied') throw error;
    const text = `${id}: no version was published before the deployment, so Lambda may refuse CloudFormation's: ${error.message}`;
    note(tools.reporter, 'warning', text, error.hint);
  }
}

function isSame(one: FunctionState, other: FunctionState, settings: readonly string[]): boolean {
  return isSameCode(one, other) && valuesOf(one, settings) === valuesOf(other, settings);
}

function valuesOf({ configuration }: FunctionState, names: readonly string[]): string {
  const values = names.map((name) => {
    const property = ownValue(LAMBDA_CONFIGURATION, name);
    if (property === undefined || property.request !== undefined) return null;
    return shownSetting(property, configuration[property.member as keyof typeof configuration]) ?? null;
  });
  return canonicalJson(values);
}

/**
 * Publishes a version with another description. What the description was is remembered until it is set again, also for a run
 * that is killed.
 */
async function publishOther(
  { stacks, lambda }: Omit<VersionTools, 'reporter'>,
  id: string,
  { name: FunctionName, configuration }: FunctionState,
): Promise<void> {
  const { send, PublishVersionCommand } = await lambda.service();
  const { Description: now = '' } = configuration;
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
    throw error;
  }
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const version = await lambda.change(FunctionName, () => send(new PublishVersionCommand({ FunctionName })));
      if (version?.Description?.endsWith(MARK)) break;
      // another run has set its description back in between, and the version is what CloudFormation's would be
      await describe(lambda, FunctionName, marked);
    }
  } finally {
    await describe(lambda, FunctionName, description);
    // a mark that cut the description off hides its end: the code sync after the deployment sets it as in the template
    await remember(isOfKilledRun && now.length === LONGEST_DESCRIPTION ? withDescription : known);
  }
}

async function describe(lambda: LambdaAccess, FunctionName: string, Description: string): Promise<void> {
  const { send, UpdateFunctionConfigurationCommand } = await lambda.service();
  const request = new UpdateFunctionConfigurationCommand({ FunctionName, Description });
  const shows = (now: FunctionState): boolean => now.configuration.Description === Description;
  await lambda.change(FunctionName, () => send(request), shows);
  await lambda.settled(FunctionName, { shows });
}
