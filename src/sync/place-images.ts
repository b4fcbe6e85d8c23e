import { resolveRepositories } from '../deploy/image-repositories.ts';
import type { ImageRepositories } from '../deploy/image-repositories.ts';
import { UserError } from '../errors.ts';
import type { Stack } from '../model/stack.ts';
import { lookUpImage } from '../package/image-store.ts';
import type { SyncRun } from './sync-run.ts';

/** Gives the shared build cache the repositories of images, before these are built. */
export function placeImages({ sharedBuilds, aws }: SyncRun, { uris }: Pick<ImageRepositories, 'uris'>): void {
  sharedBuilds?.placeImages({ repositories: uris, lookUp: (repository, tag) => lookUpImage(aws, repository, tag) });
}

/** Does the same for a code sync, as far as options name the repositories: the others are known after the build. */
export function placeGivenImages(run: SyncRun, root: Stack, place: { account: string; region: string }): void {
  if (run.sharedBuilds === undefined) return;
  try {
    placeImages(run, resolveRepositories(run, root, place));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}
