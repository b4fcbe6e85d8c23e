import * as path from 'node:path';
import type { ContainerOptions } from './containers/container-options.ts';

/** The options of a run that concern builds. */
export interface BuildOptions {
  /** Where `.aws-sam` lives. Absolute. */
  projectDir: string;
  stackName: string;
  dependencyLayer: boolean;
  buildInSource: boolean;
  /** `--use-container`; undefined: tools run on this machine. */
  container?: ContainerOptions | undefined;
  /** The user's environment, for the tools (PATH, proxies, registries). */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns our own folder below `.aws-sam`, which SAM CLI neither reads nor prunes. Its folders `artifacts/` and `deps/` hold
 * immutable folders.
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
