import { readBaseImages } from '../../builder/images/base-images.ts';
import { planImages } from '../../builder/images/plan-images.ts';
import type { ImageDefinition } from '../../builder/images/plan-images.ts';
import { hasLocalImage } from '../../model/image-path.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { imageIds } from '../../support/engine/container-engine.ts';
import { findEngine } from '../../support/engine/find-engine.ts';
import { pause } from '../../support/pause.ts';
import type { SyncEnvironment } from '../../sync/sync-environment.ts';

/** Notices when names of the container engine's images stand for other images: after a build, a pull or `docker tag`. */
export interface ImageWatch {
  /** Watches the images of this application instead: those that `ImageUri` names, and the base images of Dockerfiles. */
  follow(root: Stack | undefined): void;
  close(): void;
}

/** Reports images, by name, and the functions that are made of them. */
type OnImages = (names: readonly string[], ids: readonly ResourceIdentifier[]) => void;

/** Time between two looks (ms). The engines have no common way to report changes. */
const POLL_MS = 2_000;
/** Time between two looks, as a multiple of the time that one takes. */
const LOOK_SHARE = 10;

/** Watches nothing before `follow`. */
export function watchImages({ env, signal }: Pick<SyncEnvironment, 'env' | 'signal'>, onChange: OnImages): ImageWatch {
  const end = new AbortController();
  let current: Stack | undefined;
  let isPolling = false;
  const poll = async (): Promise<void> => {
    const ending = AbortSignal.any([signal, end.signal]);
    const engine = await findEngine('An image', { env, signal: ending });
    const known = new Map<string, string>();
    for (;;) {
      const root = current;
      if (root === undefined) return;
      const begun = performance.now();
      for (const [key, { names, ids }] of await groupByImages(planImages(root, env))) {
        const now = (await imageIds(engine, names)).join(' ');
        const before = known.get(key);
        known.set(key, now);
        if (before !== undefined && before !== now) onChange(names, ids);
      }
      // each look at an engine that is reached over ssh is a login
      await pause(Math.max(POLL_MS, LOOK_SHARE * (performance.now() - begun)), ending);
    }
  };
  return {
    follow: (root) => {
      current = root !== undefined && hasImages(root) ? root : undefined;
      if (isPolling || current === undefined) return;
      isPolling = true;
      // without an engine, or with wrong metadata, the build reports what is wrong; the next `follow` looks again
      poll()
        .catch(() => {})
        .finally(() => (isPolling = false));
    },
    close: () => {
      current = undefined;
      end.abort();
    },
  };
}

function hasImages(root: Stack): boolean {
  return flattenStacks(root).some(({ functions }) =>
    functions.some((fn) => hasLocalImage(fn) && fn.code.kind !== 'image-archive'),
  );
}

/** Functions that are made of the same images. */
interface ImageGroup {
  names: readonly string[];
  ids: readonly ResourceIdentifier[];
}

/** Asks for the same images once. */
async function groupByImages(definitions: readonly ImageDefinition[]): Promise<Map<string, ImageGroup>> {
  const groups = new Map<string, ImageGroup>();
  for (const { source, ids } of definitions) {
    const names =
      source.kind === 'dockerfile' ? await readBaseImages(source) : source.kind === 'local' ? [source.name] : [];
    if (names.length === 0) continue;
    const key = names.join(' ');
    groups.set(key, { names, ids: [...(groups.get(key)?.ids ?? []), ...ids] });
  }
  return groups;
}
