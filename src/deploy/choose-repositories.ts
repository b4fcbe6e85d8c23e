import { UserError } from '../errors.ts';
import { flattenStacks } from '../model/stack.ts';
import type { FunctionResource, ResourceIdentifier, Stack } from '../model/stack.ts';
import { nearestName } from '../support/nearest-name.ts';
import { ownValue } from '../support/own-value.ts';
import { getAt } from '../template/template-path.ts';
import { scalarText } from '../template/template.ts';
import { hasLocalImage, imagePath } from '../model/image-path.ts';
import { parseImageReference } from '../model/image-reference.ts';

/** Options that choose image repositories. */
export interface RepositoryOptions {
  /** `--image-repository`. */
  imageRepository: string | undefined;
  /** `--image-repositories`: by ID, or by logical ID alone. */
  imageRepositories: Readonly<Record<string, string>>;
  /** `--resolve-image-repos`. */
  resolveImageRepos: boolean;
}

/** A function that already runs an image. */
export interface DeployedImage {
  only: ResourceIdentifier | undefined;
  /** The repository of its image. */
  current: string | undefined;
}

/** The repository of each image function; undefined: its managed repository. */
export type ChosenRepositories = ReadonlyMap<ResourceIdentifier, string | undefined>;

/**
 * Chooses a repository for each function with a local image: its own, the one for all, a managed one, the one of its
 * ImageUri in the template, or for a single deployed function the one of its current image. Pure.
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

/** Stands for the managed repository; no name of a repository contains spaces. */
const MANAGED = 'the managed repository';

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

/** Returns the repository of `ImageUri: 123456789012.dkr.ecr.…/name:tag` beside a Dockerfile. */
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
  throw new UserError(`--image-repositories names ${unknown}, but no function with that ID has an image to push`, {
    hint:
      near === undefined
        ? `Functions with such images: ${[...new Set(images.map(({ id }) => id))].join(', ') || 'none'}.`
        : `Did you mean ${near}?`,
  });
}

function missingRepository(ids: readonly string[]): UserError {
  const example = ids.map((id) => `${id}=123456789012.dkr.ecr.eu-west-1.amazonaws.com/NAME`);
  const functions = ids.length === 1 ? 'is an image function' : 'are image functions';
  return new UserError(`${ids.join(', ')} ${functions}, but no image repository was given`, {
    hint: `Pass --image-repository URI for all functions, --image-repositories ${example[0]} for one, or --resolve-image-repos to create repositories.`,
  });
}
