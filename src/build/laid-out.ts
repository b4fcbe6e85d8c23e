import * as path from 'node:path';
import { flattenStacks } from '../model/stack.ts';
import type { FunctionResource, LayerResource, ResourceIdentifier, Stack } from '../model/stack.ts';
import type { BuiltFolder } from './artifact.ts';
import { buildStoreDir } from './build-options.ts';
import type { BuildOptions } from './build-options.ts';
import { stackLayoutDir } from './built-templates.ts';
import type { BuiltParts } from './built-templates.ts';
import { openBuildCache } from './cache.ts';
import type { BuildCache, CacheEntry, EntryKind } from './cache.ts';
import { dependencyLayerId } from './dependency-layer.ts';
import { planImages } from './images/plan-images.ts';
import { linkTarget } from './linked-entries.ts';
import { isBuiltFunction, isBuiltLayer } from './plan-build.ts';

/** What is laid out of an application: where the links of its artifacts lead, with what is known of these. */
export async function readLaidOut(root: Stack, options: BuildOptions): Promise<BuiltParts> {
  const store = buildStoreDir(options.projectDir);
  const cache = openBuildCache(store);
  const folders = new Map<ResourceIdentifier, BuiltFolder>();
  const dependencyLayers = new Map<ResourceIdentifier, BuiltFolder>();
  const handlers = new Map<ResourceIdentifier, string>();
  const sourceMaps = new Set<ResourceIdentifier>();
  for (const stack of flattenStacks(root)) {
    const dir = stackLayoutDir(options, stack.path);
    const entryOf = (name: string, kind: EntryKind): Promise<CacheEntry | undefined> =>
      findLinked(cache, path.join(dir, name), path.join(store, kind));
    for (const resource of [...stack.functions.filter(isBuiltFunction), ...stack.layers.filter(isBuiltLayer)]) {
      const { id, logicalId } = resource;
      const code = await entryOf(logicalId, 'artifacts');
      if (code === undefined) continue;
      folders.set(id, folderOf(code));
      const { handler, sourceMaps: withMaps } = code.facts;
      if (typeof handler === 'string') handlers.set(id, handler);
      if (withMaps === true) sourceMaps.add(id);
      const layer = isFunction(resource) ? await entryOf(dependencyLayerId(id), 'deps') : undefined;
      if (layer !== undefined) dependencyLayers.set(id, folderOf(layer));
    }
  }
  return { folders, dependencyLayers, handlers, sourceMaps, images: imagesOf(root, options) };
}

async function findLinked(cache: BuildCache, link: string, kindDir: string): Promise<CacheEntry | undefined> {
  const entry = path.dirname(linkTarget(link) ?? '');
  if (path.dirname(entry) !== kindDir) return undefined;
  return cache.find(path.basename(kindDir) as EntryKind, path.basename(entry));
}

/** Images have the same names in each build. */
function imagesOf(root: Stack, options: BuildOptions): BuiltParts['images'] {
  const names = planImages(root, options.env).flatMap((image) => [...image.names]);
  return new Map(names.map(([id, name]) => [id, { name, imageId: '', recordFile: '' }]));
}

function isFunction(resource: FunctionResource | LayerResource): boolean {
  return 'packageType' in resource;
}

function folderOf({ path: folder, cached }: CacheEntry): BuiltFolder {
  return { path: folder, cached };
}
