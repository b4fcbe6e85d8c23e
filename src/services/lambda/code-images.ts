import type { LocalImage } from '../../model/built-stack.ts';
import type { FunctionResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import { createImageStore } from '../../package/image-store.ts';
import type { LocatedImage, PushedImage } from '../../package/image-store.ts';
import { createGate } from '../../support/map-limit.ts';
import { resolveRepositories } from '../../deploy/image-repositories.ts';
import type { ImageRepositories, ImageRun } from '../../deploy/image-repositories.ts';

/** Images of code syncs. */
export interface CodeImages {
  /**
   * Chooses the repository of a function's image: by the options, else that of its current image. Throws if there is
   * neither. `place`: of the stack; `currentUri`: `Code.ImageUri` of GetFunction.
   */
  locate(
    fn: FunctionResource,
    image: LocalImage,
    there: { place: { account: string; region: string }; currentUri: string | undefined },
  ): LocatedImage;
  /** Its digest in the registry, if it is known without a push; compare it with `Code.ResolvedImageUri`. */
  knownDigest(located: LocatedImage): Promise<string | undefined>;
  /** Pushes what the registry lacks. `uri` (`repository@sha256:…`) is the `ImageUri` for UpdateFunctionCode. */
  push(located: LocatedImage): Promise<PushedImage>;
}

export function openCodeImages(run: ImageRun, root: Stack): CodeImages {
  const store = createImageStore({ aws: run.aws, ...run.environment });
  const uncreated = new Map<ResourceIdentifier, ImageRepositories>();
  // managed repositories belong to one stack, which takes one change at a time
  const inTurn = createGate(1);
  return {
    locate: (fn, image, { place, currentUri }) => {
      const current = currentUri === undefined ? undefined : parseImageReference(currentUri).repository;
      const repositories = resolveRepositories(run, root, place, { only: fn.id, current });
      const repository = repositories.uris.get(fn.id) ?? '';
      // the repository of the current image exists
      if (repository !== current) uncreated.set(fn.id, repositories);
      return store.locate(fn.id, image, repository);
    },
    knownDigest: store.knownDigest,
    push: async (located) => {
      const repositories = uncreated.get(located.id);
      if (repositories !== undefined) await inTurn(() => repositories.ensure());
      return store.push(located);
    },
  };
}
