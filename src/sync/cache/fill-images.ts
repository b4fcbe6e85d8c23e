import { hashOf } from '../../builder/build-key.ts';
import type { BuildResult } from '../../builder/build-result.ts';
import type { ImageDefinition } from '../../builder/images/plan-images.ts';
import { note } from '../../console/reporter.ts';
import { chooseRepositories } from '../../deploy/choose-repositories.ts';
import { UserError } from '../../errors.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { createImageStore } from '../../package/image-store.ts';
import { placeOfCode } from '../../shared-cache/shared-inputs.ts';
import { writeImages } from '../../shared-cache/write-images.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { buildOptionsOf } from '../build-options-of.ts';
import type { OpenedCache } from '../open-shared-builds.ts';
import { placeImages } from '../place-images.ts';
import type { SyncRun } from '../sync-run.ts';
import type { Candidate } from './select-share.ts';

/** An image that the cache may lack. */
export interface ImageCandidate extends Candidate {
  definition: ImageDefinition;
}

/** The images that a fill can push, and their repositories. */
export interface FillImages {
  candidates: readonly ImageCandidate[];
  uris: ReadonlyMap<ResourceIdentifier, string>;
}

/** Returns the images whose repositories the options name; reports the others. */
export function listImages(images: readonly ImageDefinition[], run: SyncRun, root: Stack): FillImages {
  const uris = new Map<ResourceIdentifier, string>();
  for (const id of images.flatMap(({ ids }) => ids)) {
    const uri = repositoryOf(id, run, root);
    if (uri !== undefined) uris.set(id, uri);
  }
  const isPlaced = ({ ids }: ImageDefinition): boolean => ids.every((id) => uris.has(id));
  const unplaced = images.filter((image) => !isPlaced(image)).flatMap(({ ids }) => ids);
  if (unplaced.length > 0)
    note(
      run.environment.reporter,
      'info',
      `${unplaced.join(', ')}: not built, because no repository is given for the image`,
      'Pass --image-repository or --image-repositories. Repositories of --resolve-image-repos belong to one stack: sync it with --build-cache-write.',
    );
  const { projectDir } = buildOptionsOf(run);
  const candidates = images
    .filter(isPlaced)
    .map((definition) => ({ definition, key: shareKeyOf(definition, projectDir) }));
  return { candidates, uris };
}

function repositoryOf(id: ResourceIdentifier, { options }: SyncRun, root: Stack): string | undefined {
  try {
    return chooseRepositories(root, options, { only: id, current: undefined }).get(id);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Equal for an image in all checkouts. */
function shareKeyOf({ ids, source }: ImageDefinition, projectDir: string): string {
  const place = source.kind === 'local' ? source.name : source.kind === 'archive' ? source.path : source.context;
  return hashOf('sam-sync image', [...ids], source.kind === 'local' ? place : placeOfCode(place, projectDir));
}

/** Lets the builder find images that are there already. */
export function findImagesOf({ uris }: FillImages, run: SyncRun, { cache }: OpenedCache): void {
  placeImages({ ...run, sharedBuilds: cache }, { uris });
}

const PUSHES_AT_ONCE = 2;

/** Pushes the images that were built, and adds them. */
export async function pushAndAdd(
  { images }: Pick<BuildResult, 'images'>,
  { uris }: FillImages,
  run: SyncRun,
  { cache, settings }: OpenedCache,
): Promise<Awaited<ReturnType<typeof writeImages>>> {
  const store = createImageStore({ aws: run.aws, ...run.environment });
  const built = cache.images.flatMap(({ context }) => context.definition.ids);
  await mapLimit(built, PUSHES_AT_ONCE, async (id) => {
    const image = images.get(id);
    const repository = uris.get(id);
    if (image && repository !== undefined) await store.push(store.locate(id, image, repository));
  });
  return writeImages(cache, settings);
}
