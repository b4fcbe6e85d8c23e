import type { PublishVersionCommandInput, UpdateAliasCommandInput } from '@aws-sdk/client-lambda';
import { NeedsDeploymentError } from '../../needs-deployment-error.ts';
import { fromAnswer } from '../../planned-request.ts';
import type { ServiceContext } from '../../service-context.ts';
import { hasCode, isSameCode } from '../function-code.ts';
import { hasSetting } from '../settings/function-configuration.ts';
import type { FunctionState } from '../function-state.ts';
import type { FunctionWork } from '../function-work.ts';
import type { VersionSettings } from './version-settings.ts';

/** Publishes a version: for the alias or, with a capacity provider, as the latest one. */
export interface VersionPublication {
  version: PublishVersionCommandInput;
  /** It moves to this version or to one that exists. */
  alias: AliasMove | undefined;
}

type AliasMove = UpdateAliasCommandInput & { Name: string; FunctionVersion: string };

/** What is published, and what callers of the alias get of changed settings if nothing is. */
export interface VersionPlan {
  publish: VersionPublication | undefined;
  /** In a few words. */
  note: string | undefined;
}

const NOTHING: VersionPlan = { publish: undefined, note: undefined };

/** The placeholder for the version that `PublishVersion` returns. */
export const NEW_VERSION = fromAnswer('PublishVersion', 'Version');

/** Lambda's name for the version that functions with a capacity provider run. */
const LATEST_PUBLISHED = '$LATEST.PUBLISHED';

/** Plans the version for the function's alias. `changes`: of code or layers; `settings`: how many change. */
export async function planVersion(
  tools: ServiceContext,
  work: FunctionWork,
  { changes, settings }: { changes: boolean; settings: number },
): Promise<VersionPlan> {
  const { alias, state, code, resource } = work;
  const { CapacityProviderConfig, PublishToLatestPublished } = resource.properties;
  const latest = CapacityProviderConfig !== undefined && String(PublishToLatestPublished) === 'true';
  if (alias === undefined && !latest) return NOTHING;
  // a function that only uses a layer of this sync is published if that layer changes
  const comparesCode = code !== undefined || changes;
  if (!comparesCode && work.version === undefined) return NOTHING;
  const published = await tools.lambda.readIfThere(state.name, alias ?? LATEST_PUBLISHED);
  if (alias !== undefined && published === undefined && comparesCode) {
    throw new NeedsDeploymentError(`${work.id} has no alias ${alias} in the cloud yet`, {
      hint: 'Sync without --code first: a deployment creates it.',
    });
  }
  const isBehind =
    published === undefined || !isWantedCode(work, published) || published.layers.join() !== state.layers.join();
  const { name: FunctionName } = state;
  if (comparesCode && (changes || isBehind)) {
    if (alias === undefined)
      return {
        publish: { version: { FunctionName, PublishTo: 'LATEST_PUBLISHED' }, alias: undefined },
        note: undefined,
      };
    return { publish: newVersion(FunctionName, alias), note: undefined };
  }
  if (alias === undefined || published === undefined || work.version === undefined) return NOTHING;
  return planVersionOfSettings(tools, work, { alias, published, version: work.version, settings });
}

interface PublishedVersion {
  alias: string;
  published: FunctionState;
  version: VersionSettings;
  settings: number;
}

/** Publishes changed settings where the deployment does it too, and moves the alias back where they are as deployed. */
async function planVersionOfSettings(
  tools: ServiceContext,
  work: FunctionWork,
  { alias, published, version: { published: names, back, deployed }, settings }: PublishedVersion,
): Promise<VersionPlan> {
  const { name: FunctionName } = work.state;
  const isMoved = deployed !== undefined && published.version !== deployed;
  const isLate = lacks(work, names, published);
  const withDeployment = settings > 0 ? `alias ${alias} with the deployment` : undefined;
  if (isLate || (isMoved && lacks(work, back, published))) {
    // somebody shifts its traffic
    if (await hasWeights(tools, FunctionName, alias)) return { publish: undefined, note: withDeployment };
    if (!isLate && isMoved) {
      const stacks = await tools.lambda.readIfThere(FunctionName, deployed);
      // CloudFormation can publish what was taken back only if Lambda's newest version is another one
      if (stacks !== undefined && isWantedCode(work, stacks) && !lacks(work, back, stacks))
        return { publish: newVersion(FunctionName, alias, deployed), note: undefined };
    }
    return { publish: newVersion(FunctionName, alias), note: undefined };
  }
  if (settings === 0) return NOTHING;
  // code that is ahead of the stack makes the deployment publish too
  const note = names.length > 0 || isMoved ? withDeployment : `alias ${alias} stays at version ${published.version}`;
  return { publish: undefined, note };
}

function newVersion(FunctionName: string, Name: string, FunctionVersion = NEW_VERSION): VersionPublication {
  return { version: { FunctionName }, alias: { FunctionName, Name, FunctionVersion } };
}

function isWantedCode({ code, state }: FunctionWork, version: FunctionState): boolean {
  return code === undefined ? isSameCode(version, state) : hasCode(version, code);
}

function lacks({ configuration }: FunctionWork, names: readonly string[], version: FunctionState): boolean {
  return names.some((name) => {
    const setting = configuration?.settings.get(name);
    return setting !== undefined && !hasSetting(version, setting.property, setting.value);
  });
}

async function hasWeights({ lambda }: ServiceContext, FunctionName: string, Name: string): Promise<boolean> {
  const { send, GetAliasCommand } = await lambda.service();
  const { RoutingConfig } = await send(new GetAliasCommand({ FunctionName, Name }));
  return Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {}).length > 0;
}
