import { imageTag } from '../model/image-reference.ts';
import { mapLimit } from '../support/map-limit.ts';
import { formatEntry } from './entry.ts';
import type { ImageEntry } from './entry.ts';
import type { SharedCache } from './shared-cache.ts';
import { askRegistry, placesOf, whyImageNeverShared } from './shared-images.ts';
import type { ImageToWrite } from './shared-images.ts';
import type { WrittenBuilds } from './summary.ts';
import { reportNotShared } from './write-builds.ts';
import type { WriteOptions } from './write-builds.ts';

const WRITES_AT_ONCE = 8;

/** Adds the images of a run that their repositories have. */
export async function writeImages(
  cache: Pick<SharedCache, 'images' | 'places' | 'readEntry'>,
  options: WriteOptions,
): Promise<Pick<WrittenBuilds, 'written' | 'present' | 'failed' | 'notShared'>> {
  const result = { written: 0, present: 0, failed: 0, notShared: {} as Record<string, string> };
  await mapLimit(cache.images, WRITES_AT_ONCE, async (image) => {
    const outcome = await writeImage(image, cache, options);
    if (typeof outcome === 'string') result[outcome]++;
    else result.notShared[image.context.definition.ids.join(', ')] = outcome.reason;
  });
  reportNotShared(options.reporter, result.notShared);
  return result;
}

async function writeImage(
  { context, own }: ImageToWrite,
  { places: current, readEntry }: Pick<SharedCache, 'places' | 'readEntry'>,
  { scope, secret, machine }: WriteOptions,
): Promise<'written' | 'present' | 'failed' | { reason: string }> {
  const never = whyImageNeverShared(context);
  if (never !== undefined) return { reason: never };
  const places = current();
  const all = places && placesOf(context, places);
  if (places === undefined || all === undefined) return { reason: 'its repository is unknown' };
  let outcome: 'written' | 'present' = 'present';
  for (const { key, repository, name } of all) {
    if ((await readEntry(key)) !== undefined) continue;
    const answer = await askRegistry(places, repository, imageTag({ imageId: own.imageId, name }));
    if ('reason' in answer) return answer;
    const entry: ImageEntry = {
      kind: 'image',
      key,
      // Podman prints IDs without the algorithm
      imageId: own.imageId.replace(/^(?:sha256:)?/, 'sha256:'),
      digest: answer.digest,
      madeBy: { ...machine, image: undefined, tools: {} },
      durationMs: Math.round(own.ms),
      createdAt: new Date().toISOString(),
    };
    const added = await scope.add(`ac/${key}`, { text: formatEntry(entry, secret) });
    if (added === undefined) return 'failed';
    if (added === 'added') outcome = 'written';
  }
  return outcome;
}
