import type { Aws } from '../aws/aws.ts';
import { parsePollDelay } from '../deploy/deploy-stack.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import type { DeployedImage } from '../package/choose-repositories.ts';
import { chooseRepositories } from '../package/choose-repositories.ts';
import { ensureRepositories, managedRepositoryUri } from '../deploy/companion-stack.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncEnvironment } from './sync-environment.ts';

/** A run that may have images. */
export interface ImageRun {
  options: Pick<SyncOptions, 'stackName' | 'imageRepository' | 'imageRepositories' | 'resolveImageRepos'>;
  environment: Pick<SyncEnvironment, 'reporter' | 'signal' | 'env'>;
  aws: Aws;
}

/** Where images go. */
export interface ImageRepositories {
  /** The repository of each function whose image is made here. */
  uris: ReadonlyMap<ResourceIdentifier, string>;
  /** Makes managed repositories that are not there yet; before the first push. */
  ensure(): Promise<void>;
}

/** Chooses the repositories: nothing is asked or made. Throws if it is not said where an image goes. */
export function resolveRepositories(
  { options, environment, aws }: ImageRun,
  root: Stack,
  { account, region }: { account: string; region: string },
  deployed?: DeployedImage,
): ImageRepositories {
  const { stackName } = options;
  const chosen = chooseRepositories(root, options, deployed);
  const ids = [...chosen.keys()].filter((id) => chosen.get(id) === undefined);
  const uriOf = (id: ResourceIdentifier): string =>
    chosen.get(id) ?? managedRepositoryUri(stackName, id, { account, region });
  let made: Promise<void> | undefined;
  const { reporter, signal, env } = environment;
  const tools = { reporter, signal, pollDelayMs: parsePollDelay(env) };
  return {
    uris: new Map([...chosen.keys()].map((id) => [id, uriOf(id)])),
    ensure: async () => {
      if (ids.length > 0) await (made ??= ensureRepositories(aws, { stackName, ids }, tools));
    },
  };
}
