import type { BuildOptions } from '../builder/build-options.ts';
import type { ContainerOptions } from '../builder/containers/container-options.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncRun } from './sync-run.ts';

/** Selects the options of builds. */
export function buildOptionsOf({ options, environment }: Pick<SyncRun, 'options' | 'environment'>): BuildOptions {
  const { projectDir, stackName, dependencyLayer, buildInSource } = options;
  const container = containerOptionsOf(options);
  return { projectDir, stackName, dependencyLayer, buildInSource, container, env: environment.env };
}

/** The options of build containers; undefined: builds run on this machine. */
function containerOptionsOf(
  options: Pick<SyncOptions, 'useContainer' | 'buildImages' | 'containerVariables'>,
): ContainerOptions | undefined {
  const { useContainer, buildImages, containerVariables } = options;
  if (!useContainer) return undefined;
  return {
    image: buildImages.all,
    images: buildImages.byId,
    env: containerVariables.all,
    envById: containerVariables.byId,
  };
}
