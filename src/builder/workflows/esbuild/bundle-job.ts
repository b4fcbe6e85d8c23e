import type { BuildDefinition } from '../../plan-build.ts';
import type { BundleTrace } from './bundle-inputs.ts';
import type { BundleOptions } from './bundle-options.ts';
import type { EsbuildProgram } from './find-esbuild.ts';
import type { MismatchedPackage } from './mismatched-packages.ts';
import type { LocalPackages } from '../node/local-packages.ts';
import type { NodeManifest } from '../node/manifest.ts';
import type { BuildContext } from '../workflow.ts';

/** One bundle to build. */
export interface BundleJob {
  definition: BuildDefinition;
  context: BuildContext;
  options: BundleOptions;
  manifest: NodeManifest;
  program: EsbuildProgram;
  dependenciesKey: string | undefined;
  /** Local packages to install for it. */
  locals: LocalPackages;
  /** Installed packages of the app in versions that do not match package.json. */
  outdated: readonly MismatchedPackage[];
  /** The trace of the last run, if it failed. */
  failed?: { trace: BundleTrace; installed: string | undefined } | undefined;
}
