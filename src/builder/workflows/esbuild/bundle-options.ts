import type { BuildOptions as EsbuildOptions } from 'esbuild';
import { UserError } from '../../../errors.ts';
import { readEsbuildProperties } from '../../../model/esbuild-properties.ts';
import type { TemplateMap } from '../../../template/template.ts';

/** `BuildProperties` as options of esbuild's JavaScript API. */
export interface BundleOptions {
  esbuild: EsbuildOptions;
  /** As written; undefined: the handler's module. */
  entryPoints: readonly string[] | undefined;
  useNpmCi: boolean;
  /** `External: ["./node_modules/*"]`: all dependencies of package.json are external. */
  allDependenciesExternal: boolean;
}

const ALL_DEPENDENCIES = './node_modules/*';

/** Turns `BuildProperties` into esbuild's options. */
export function readBundleOptions(properties: TemplateMap, where: string): BundleOptions {
  const { options, entryPoints, useNpmCi, problems } = readEsbuildProperties(properties);
  const [problem] = problems;
  // the model checks templates when it reads them; this is a safeguard
  if (problem) throw new UserError(`${where}: BuildProperties ${problem.key ?? ''} ${problem.message}`);
  const external = (options['external'] ?? []) as string[];
  return {
    esbuild: {
      target: 'es2020',
      format: 'cjs',
      minify: true,
      ...options,
      external: external.filter((name) => name !== ALL_DEPENDENCIES),
    },
    entryPoints,
    useNpmCi,
    allDependenciesExternal: external.includes(ALL_DEPENDENCIES),
  };
}
