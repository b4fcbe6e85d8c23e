import * as path from 'node:path';
import type { ContainerOptions } from './containers/container-options.ts';

/** What the build needs to know of a run. */
export interface BuildOptions {
  /** Where `.aws-sam` lives. Absolute. */
  projectDir: string;
  stackName: string;
  dependencyLayer: boolean;
  buildInSource: boolean;
  /** `--use-container`; undefined: tools run on this machine. */
  container?: ContainerOptions | undefined;
  /** The environment of the user, for the tools that are run (PATH, proxies, registries). */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Our own folder below `.aws-sam`, which the peer neither knows nor prunes. `artifacts/` and `deps/` in it hold folders
 * that never change once they are there.
 */
export function buildStoreDir(projectDir: string): string {
  return path.join(projectDir, '.aws-sam', 'sam-sync');
}

/**
 * Where built templates and links to the artifacts are laid out as SAM CLI's other commands expect
 * (docs/sam-cli-behaviour.md#build-folders).
 */
export function buildLayoutDir(options: Pick<BuildOptions, 'projectDir' | 'dependencyLayer'>): string {
  return path.join(options.projectDir, '.aws-sam', options.dependencyLayer ? 'auto-dependency-layer' : 'build');
}
