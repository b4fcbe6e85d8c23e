import type { Aws } from '../aws/aws.ts';
import type { Reporter } from '../console/reporter.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import type { DeployedImage, RepositoryOptions } from './choose-repositories.ts';
import { chooseRepositories } from './choose-repositories.ts';
import { ensureRepositories, managedRepositoryUri } from './companion-stack.ts';
import { parsePollDelay } from './deploy-stack.ts';

/** A command that may have images to push. */
export interface ImageRun {
  options: RepositoryOptions & { stackName: string };
  environment: {
    reporter: Reporter;
    signal: AbortSignal;
    env: Readonly<Record<string, string | undefined>>;
  };
  aws: Aws;
}

/** The repositories that images are pushed to. */
export interface ImageRepositories {
  /** The repository of each function whose image is built here. */
  uris: ReadonlyMap<ResourceIdentifier, string>;
  /** Creates the managed repositories that do not exist yet; call it before the first push. */
  ensure(): Promise<void>;
}

/** Chooses the repositories without a call. Throws if an image has none. */
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
  let creating: Promise<void> | undefined;
  const { reporter, signal, env } = environment;
  const tools = { reporter, signal, pollDelayMs: parsePollDelay(env) };
  return {
    uris: new Map([...chosen.keys()].map((id) => [id, uriOf(id)])),
    ensure: async () => {
      if (ids.length > 0) await (creating ??= ensureRepositories(aws, { stackName, ids }, tools));
    },
  };
}
