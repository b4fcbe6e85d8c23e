import type { LocalImage } from '../../model/built-stack.ts';
import type { FunctionResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import { createImageStore } from '../../package/image-store.ts';
import type { LocatedImage, PushedImage } from '../../package/image-store.ts';
import { createGate } from '../../support/map-limit.ts';
import { resolveRepositories } from '../../deploy/image-repositories.ts';
import type { ImageRepositories, ImageRun } from '../../deploy/image-repositories.ts';

/** Images on their way to functions without a deployment. */
export interface CodeImages {
  /**
   * Where a function's image is to be: as the options say, else where the one that it has comes from. Throws if neither
   * is known. `place`: of the stack; `currentUri`: `Code.ImageUri` of GetFunction.
   */
  locate(
    fn: FunctionResource,
    image: LocalImage,
    there: { place: { account: string; region: string }; currentUri: string | undefined },
  ): LocatedImage;
  /** Its digest there as far as it is known without sending anything; compare it with `Code.ResolvedImageUri`. */
  knownDigest(located: LocatedImage): Promise<string | undefined>;
  /** Sends what the registry lacks. `uri` (`repository@sha256:…`) is the `ImageUri` for UpdateFunctionCode. */
  push(located: LocatedImage): Promise<PushedImage>;
}

export function openCodeImages(run: ImageRun, root: Stack): CodeImages {
  const store = createImageStore({ aws: run.aws, ...run.environment });
  const unseen = new Map<ResourceIdentifier, ImageRepositories>();
  // managed repositories are in one stack, which takes one change at a time
  const inTurn = createGate(1);
  return {
    locate: (fn, image, { place, currentUri }) => {
      const current = currentUri === undefined ? undefined : parseImageReference(currentUri).repository;
      const repositories = resolveRepositories(run, root, place, { only: fn.id, current });
      const repository = repositories.uris.get(fn.id) ?? '';
      // where the function's image comes from there is a repository
      if (repository !== current) unseen.set(fn.id, repositories);
      return store.locate(fn.id, image, repository);
    },
    knownDigest: store.knownDigest,
    push: async (located) => {
      const repositories = unseen.get(located.id);
      if (repositories !== undefined) await inTurn(() => repositories.ensure());
      return store.push(located);
    },
  };
}
