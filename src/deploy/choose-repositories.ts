import { UserError } from '../errors.ts';
import { flattenStacks } from '../model/stack.ts';
import type { FunctionResource, ResourceIdentifier, Stack } from '../model/stack.ts';
import { nearestName } from '../support/nearest-name.ts';
import { ownValue } from '../support/own-value.ts';
import { getAt } from '../template/template-path.ts';
import { scalarText } from '../template/template.ts';
import { hasLocalImage, imagePath } from '../model/image-path.ts';
import { parseImageReference } from '../model/image-reference.ts';

/** Where images go. */
export interface RepositoryOptions {
  /** `--image-repository`. */
  imageRepository: string | undefined;
  /** `--image-repositories`: by id, or by logical id alone. */
  imageRepositories: Readonly<Record<string, string>>;
  /** `--resolve-image-repos`. */
  resolveImageRepos: boolean;
}

/** A function that runs an image already. */
export interface DeployedImage {
  only: ResourceIdentifier | undefined;
  /** The repository that it comes from. */
  current: string | undefined;
}

/** The repository of each function that is an image; undefined: one that is managed for it. */
export type ChosenRepositories = ReadonlyMap<ResourceIdentifier, string | undefined>;

/**
 * Chooses a repository for each function whose image is made here: its own, the one for all, a managed one, or the one that
 * its ImageUri names in the template; for a single function that is deployed, the one that its image is in. Pure.
 */
export function chooseRepositories(
  root: Stack,
  options: RepositoryOptions,
  { only, current }: DeployedImage = { only: undefined, current: undefined },
): ChosenRepositories {
  const images = flattenStacks(root)
    .flatMap((stack) => stack.functions)
    .filter(hasLocalImage);
  const chosen = new Map<ResourceIdentifier, string | undefined>();
  const missing: string[] = [];
  for (const image of images.filter(({ id }) => only === undefined || id === only)) {
    const repository = repositoryOf(image, images, options) ?? current;
    if (repository === undefined) missing.push(image.id);
    else chosen.set(image.id, repository === MANAGED ? undefined : repository);
  }
  assertKnown(images, options);
  if (missing.length > 0) throw missingRepository(missing);
  return chosen;
}

/** A repository that is made for the function. No name of one holds spaces. */
const MANAGED = 'a managed one';

function repositoryOf(
  image: FunctionResource,
  images: readonly FunctionResource[],
  options: RepositoryOptions,
): string | undefined {
  const given = ownRepository(image, images, options) ?? options.imageRepository;
  return given ?? (options.resolveImageRepos ? MANAGED : writtenRepository(image));
}

function ownRepository(
  { id, logicalId }: FunctionResource,
  images: readonly FunctionResource[],
  { imageRepositories }: RepositoryOptions,
): string | undefined {
  const isOnlyOne = images.filter((other) => other.logicalId === logicalId).length === 1;
  return ownValue(imageRepositories, id) ?? (isOnlyOne ? ownValue(imageRepositories, logicalId) : undefined);
}

/** `ImageUri: 123456789012.dkr.ecr.…/name:tag` beside a Dockerfile says where the image belongs. */
function writtenRepository({ code, type, properties }: FunctionResource): string | undefined {
  if (code.kind === 'local-image') return undefined;
  const uri = scalarText(getAt(properties, imagePath(type).slice(1)));
  return uri === undefined || !/^(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+|localhost)\//.test(uri)
    ? undefined
    : parseImageReference(uri).repository;
}

function assertKnown(images: readonly FunctionResource[], { imageRepositories }: RepositoryOptions): void {
  const names = images.flatMap(({ id, logicalId }) => [id, logicalId]);
  const unknown = Object.keys(imageRepositories).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, names);
  throw new UserError(
    `--image-repositories names ${unknown}, and no function of that id has an image that is made here`,
    {
      hint:
        near === undefined
          ? `There are: ${[...new Set(images.map(({ id }) => id))].join(', ') || 'none'}.`
          : `Did you mean ${near}?`,
    },
  );
}

function missingRepository(ids: readonly string[]): UserError {
  const example = ids.map((id) => `${id}=123456789012.dkr.ecr.eu-west-1.amazonaws.com/NAME`);
  return new UserError(`It is not said to which repository the image of ${ids.join(', ')} goes`, {
    hint: `Give --image-repository URI for all, --image-repositories ${example[0]} for one, or --resolve-image-repos to have repositories made.`,
  });
}
