import { hashOf } from '../builder/build-key.ts';
import type { KeyPart } from '../builder/build-key.ts';
import { decisiveVariables } from '../builder/decisive-variables.ts';
import { asKey } from '../builder/plan-build.ts';
import type { SharedBuildContext } from '../builder/shared-builds.ts';
import { COMPRESSOR } from '../package/zip/compression.ts';

/** Raise it when the same inputs give another result, and no workflow's `version` says so. */
const RULES = 2;

/**
 * Returns the first key of a build, in hex: everything but files. Paths do not take part: a build is the same in any checkout, and
 * for any function with these settings.
 */
export function staticKey({
  definition,
  workflow,
  options,
}: Pick<SharedBuildContext, 'definition' | 'workflow' | 'options'>): string {
  const { kind, buildMethod, runtime, architecture, handler, buildProperties, container } = definition;
  const { wantsSourceMaps, wantsDependencyLayer } = definition;
  return hashOf(
    ['sam-sync', RULES, COMPRESSOR, workflow.name, workflow.version],
    { kind, buildMethod, runtime, architecture, handler, wantsSourceMaps, wantsDependencyLayer },
    asKey(buildProperties),
    container && { image: container.image, env: { ...container.env } },
    variablesOf(workflow, options),
  );
}

/** Returns the key of installed packages, in hex. `key`: of their `PackageSharing`. */
export function packagesKey(
  { definition, workflow, options }: Pick<SharedBuildContext, 'definition' | 'workflow' | 'options'>,
  key: string,
): string {
  const { runtime, architecture, container } = definition;
  return hashOf(
    ['sam-sync packages', RULES, COMPRESSOR, workflow.name, workflow.version],
    { runtime, architecture, key },
    container && { image: container.image, env: { ...container.env } },
    variablesOf(workflow, options),
  );
}

function variablesOf(
  { name }: SharedBuildContext['workflow'],
  { env }: Pick<SharedBuildContext['options'], 'env'>,
): KeyPart {
  return [env['SAM_BUILD_MODE'], decisiveVariables(name, env)];
}

/** Returns why builds of this kind are never shared; undefined if they may be. */
export function whyNeverShared({
  definition: { workflow },
  options,
}: Pick<SharedBuildContext, 'definition' | 'options'>): string | undefined {
  if (workflow === 'makefile') return 'make may use anything on this machine';
  const isInSource = options.buildInSource && (workflow === 'nodejs' || workflow === 'esbuild');
  return isInSource ? 'it is built in its source (--build-in-source)' : undefined;
}
