import type { ContainerOptions } from '../build/containers/container-options.ts';
import type { SyncOptions } from './sync-options.ts';

/** What the options say about build containers; undefined: builds run on this machine. */
export function containerOptionsOf(
  options: Pick<SyncOptions, 'useContainer' | 'buildImage' | 'buildImages' | 'containerVariables'>,
): ContainerOptions | undefined {
  const { useContainer, buildImage, buildImages, containerVariables } = options;
  if (!useContainer) return undefined;
  return { image: buildImage, images: buildImages, env: containerVariables.all, envById: containerVariables.byId };
}
