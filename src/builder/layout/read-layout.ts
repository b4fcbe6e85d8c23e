import * as path from 'node:path';
import { flattenStacks } from '../../model/stack.ts';
import type {
  FunctionResource,
  LayerResource,
  ResourceIdentifier,
  Stack,
  WebFunctionResource,
} from '../../model/stack.ts';
import type { BuiltFolder } from '../build-result.ts';
import { buildStoreDir } from '../build-options.ts';
import type { BuildOptions } from '../build-options.ts';
import { stackLayoutDir } from './built-templates.ts';
import type { BuildArtifacts } from './built-templates.ts';
import { readEntry } from '../cache/cache-entries.ts';
import { dependencyLayerId } from '../dependency-layers/dependency-layer.ts';
import { planImages } from '../images/plan-images.ts';
import { linkTarget } from '../cache/linked-entries.ts';
import { isBuiltFunction, isBuiltLayer, isBuiltWebFunction } from '../plan-build.ts';

/** Reads what is laid out of an application: the cached artifacts that its links lead to, with their facts. */
export interface LayoutReader {
  readAll(root: Stack): Promise<BuildArtifacts>;
  /** Reads these functions and layers only. */
  read(root: Stack, ids: ReadonlySet<ResourceIdentifier>): Promise<BuildArtifacts>;
}

/** Opens the layout of a project for reading. */
export function openLayoutReader(options: BuildOptions): LayoutReader {
  const read = async (root: Stack, isSelected: (id: ResourceIdentifier) => boolean): Promise<BuildArtifacts> => {
    const folders = new Map<ResourceIdentifier, BuiltFolder>();
    const dependencyLayers = new Map<ResourceIdentifier, BuiltFolder>();
    const handlers = new Map<ResourceIdentifier, string>();
    const sourceMaps = new Set<ResourceIdentifier>();
    for (const resource of flattenStacks(root)
      .flatMap(builtResources)
      .filter(({ id }) => isSelected(id))) {
      const { id, logicalId, stackPath } = resource;
      const dir = stackLayoutDir(options, stackPath);
      const code = findLinked(options, path.join(dir, logicalId));
      if (code === undefined) continue;
      folders.set(id, { path: code.path, cached: true });
      const { handler, sourceMaps: withMaps } = code.facts;
      if (typeof handler === 'string') handlers.set(id, handler);
      if (withMaps === true) sourceMaps.add(id);
      const layer = isFunction(resource) ? findLinked(options, path.join(dir, dependencyLayerId(id))) : undefined;
      if (layer !== undefined) dependencyLayers.set(id, { path: layer.path, cached: true });
    }
    return { folders, dependencyLayers, handlers, sourceMaps, images: imagesOf(root, options) };
  };
  return { readAll: (root) => read(root, () => true), read: (root, ids) => read(root, (id) => ids.has(id)) };
}

function builtResources(stack: Stack): (FunctionResource | LayerResource | WebFunctionResource)[] {
  const { functions, layers, webFunctions } = stack;
  return [
    ...functions.filter(isBuiltFunction),
    ...layers.filter(isBuiltLayer),
    ...webFunctions.filter(isBuiltWebFunction),
  ];
}

/** Reads the entry of our cache that a link leads to. */
function findLinked(options: BuildOptions, link: string): ReturnType<typeof readEntry> {
  const entry = path.dirname(linkTarget(link) ?? '');
  const store = buildStoreDir(options.projectDir);
  return path.dirname(path.dirname(entry)) === store ? readEntry(entry) : undefined;
}

/** Names of images are the same in each build. */
function imagesOf(root: Stack, options: BuildOptions): BuildArtifacts['images'] {
  const names = planImages(root, options.env).flatMap((image) => [...image.names]);
  return new Map(names.map(([id, name]) => [id, { name, imageId: '', recordFile: '' }]));
}

function isFunction(resource: FunctionResource | LayerResource | WebFunctionResource): boolean {
  return 'packageType' in resource;
}
