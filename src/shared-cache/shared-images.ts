import { hashOf } from '../builder/build-key.ts';
import type { OwnImage, SharedImageContext } from '../builder/shared-builds.ts';
import { UserError } from '../errors.ts';
import { imageTag } from '../model/image-reference.ts';
import type { ImageAnswer } from '../package/image-store.ts';
import { withSlashes } from '../support/places.ts';
import type { Entry, ImageEntry } from './entry.ts';

/** Where the images of an application are. */
export interface ImagePlaces {
  /** The repository of each image function. Nothing is taken from another one. */
  repositories: ReadonlyMap<string, string>;
  /** Returns what the registry has under a tag. */
  lookUp(repository: string, tag: string): Promise<ImageAnswer>;
}

/** An image of this run that may be written. */
export interface ImageToWrite {
  context: SharedImageContext;
  own: OwnImage;
}

/** Raise it when the same source gives another image. */
const RULES = 1;

/** Returns why an image is never shared; undefined if it may be. */
export function whyImageNeverShared({ definition: { source } }: SharedImageContext): string | undefined {
  if (source.kind === 'local') return 'it is an image of the container engine';
  const hasExtra = source.kind === 'dockerfile' && source.extra.length > 0;
  return hasExtra ? 'DockerBuildExtraParams may use anything on this machine' : undefined;
}

/** One function of an image: its key in the cache, and its place in the registry. */
interface ImagePlace {
  key: string;
  repository: string;
  name: string;
}

/** Returns the places of an image; undefined: the repository of a function is unknown. */
export function placesOf(
  { definition, content }: SharedImageContext,
  { repositories }: ImagePlaces,
): ImagePlace[] | undefined {
  const { source, architecture, names } = definition;
  const settings =
    source.kind === 'dockerfile'
      ? { dockerfile: withSlashes(source.dockerfile), target: source.target, args: { ...source.args } }
      : source.kind;
  const places = new Map<string, ImagePlace>();
  for (const [id, name] of names) {
    const repository = repositories.get(id);
    if (repository === undefined) return undefined;
    const key = hashOf(['sam-sync image', RULES], { settings, architecture, repository, name }, content);
    places.set(key, { key, repository, name });
  }
  return [...places.values()];
}

/** What finding an image takes. */
export interface FindImageOptions {
  places: ImagePlaces;
  readEntry(key: string): Promise<Entry | undefined>;
  warn(text: string, hint: string): undefined;
}

/**
 * Finds the image of a source: the repository of each function must have the digest of its entry, under the tag that a push from
 * here would give it. So an entry can only lead to images that the repository of the function has already.
 */
export async function findImage(
  context: SharedImageContext,
  { places, readEntry, warn }: FindImageOptions,
): Promise<ImageEntry | undefined> {
  let found: ImageEntry | undefined;
  for (const { key, repository, name } of placesOf(context, places) ?? []) {
    const entry = await readEntry(key);
    if (entry?.kind !== 'image' || (found && found.imageId !== entry.imageId)) return undefined;
    const answer = await askRegistry(places, repository, imageTag({ imageId: entry.imageId, name }));
    const reason =
      'reason' in answer
        ? answer.reason
        : answer.digest === entry.digest
          ? undefined
          : `${repository} has another one under its tag`;
    if (reason !== undefined)
      return warn(
        `Build cache: the image of ${context.definition.ids.join(', ')} is not taken, because ${reason}`,
        'It is built here.',
      );
    found = entry;
  }
  return found;
}

/** Asks for a tag. A repository that does not exist yet has no image. */
export async function askRegistry({ lookUp }: ImagePlaces, repository: string, tag: string): Promise<ImageAnswer> {
  try {
    return await lookUp(repository, tag);
  } catch (error) {
    if (error instanceof UserError) return { reason: error.message };
    throw error;
  }
}
