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
}

/** Functions prepared in parallel. */
const AT_ONCE = 8;
/** What ends the description of the version that makes room for CloudFormation's, and Lambda's limit. */
const MARK = ' [sam-sync]';
const LONGEST_DESCRIPTION = 256;

/**
 * Makes Lambda publish versions for the deployment that follows. SAM names a function's version by where the code is, so a
 * deployment after a code sync creates a version; Lambda publishes none if its newest one, which the code sync published for
 * the alias, has the same code and configuration, and the deployment fails ("Version already exists"). So another version is
 * published first that differs by its description.
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
  { stacks, lambda }: VersionTools,
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
  // SAM names the same version again
  if (!isUnclear && isSame(published, await lambda.read(name, version), naming)) return;
  const latest = await lambda.settled(name);
  if (isUnclear || (isSame(latest, published, ALL) && latest.layers.join() === published.layers.join()))
    await publishOther({ stacks, lambda }, id, latest);
}

/** Settings of versions, but for layers and the description, which a version may have of its own. */
const ALL = Object.keys(LAMBDA_CONFIGURATION).filter((name) => name !== 'Description' && name !== 'Layers');

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

/** Publishes a version with another description. What the description was is remembered until it is set again. */
async function publishOther({ stacks, lambda }: VersionTools, id: string, latest: FunctionState): Promise<void> {
  const { name: FunctionName, configuration } = latest;
  const { send, PublishVersionCommand, UpdateFunctionConfigurationCommand } = await lambda.service();
  const describe = async (Description: string): Promise<void> => {
    const request = new UpdateFunctionConfigurationCommand({ FunctionName, Description });
    const shows = (now: FunctionState): boolean => now.configuration.Description === Description;
    await lambda.change(FunctionName, () => send(request), shows);
    await lambda.settled(FunctionName, { shows });
  };
  const { Description: now = '' } = configuration;
  // of a run that was killed
  const description = now.endsWith(MARK) ? now.slice(0, -MARK.length) : now;
  const marked = `${description.slice(0, LONGEST_DESCRIPTION - MARK.length)}${MARK}`;
  const { ahead } = stacks.facts;
  const before = ownValue(ahead, id) ?? [];
  setOwn(ahead, id, [...new Set([...before, 'Description'])]);
  await stacks.save();
  await describe(marked);
  await lambda.change(FunctionName, () => send(new PublishVersionCommand({ FunctionName })));
  await describe(description);
  if (before.length > 0) setOwn(ahead, id, before);
  else delete ahead[id];
  await stacks.save();
}
