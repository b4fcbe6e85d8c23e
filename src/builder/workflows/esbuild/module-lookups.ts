import type { ModuleImport } from './package-modules.ts';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BuildOptions as EsbuildOptions } from 'esbuild';
import type { TsConfigResult } from 'get-tsconfig';
import { withParents } from '../../../support/places.ts';
import { isInNodeModules } from './folder-listing.ts';
import { packageModules } from './package-modules.ts';

/** The paths where a bundler looks for modules. All absolute, sorted, without duplicates. */
export interface Lookups {
  /** Paths of modules, without a decided ending; they may be folders. */
  probes: string[];
  /** Folders with everything below: imports with a pattern match any file there. */
  trees: string[];
  /** Settings that name places (tsconfig.json and what it extends); they need not exist. */
  settings: string[];
}

/** The options of a bundle that decide where modules are looked for. */
export interface LookupOptions extends Pick<EsbuildOptions, 'alias' | 'nodePaths' | 'tsconfig' | 'tsconfigRaw'> {
  /** Whether the bundle failed. */
  failed: boolean;
  /** Folders of the bundle's files: the nearest tsconfig.json also decides how files without imports are compiled. */
  folders: readonly string[];
}

/** Returns the paths that resolution tries: a new file there may be found instead. */
export async function findLookups(
  imports: readonly ModuleImport[],
  codeDir: string,
  options: LookupOptions,
): Promise<Lookups> {
  const probes = new Set<string>();
  const trees = new Set<string>();
  const bare: ModuleImport[] = [];
  for (const { from, specifier } of imports) {
    const target = aliased(specifier, options.alias ?? {});
    // a path in an alias is relative to the code
    const base = target === specifier ? from : codeDir;
    if (!isPath(target)) bare.push({ from: base, specifier: target });
    else if (target.includes('*'))
      trees.add(path.resolve(base, target.slice(0, target.indexOf('*')).replace(/[^/]*$/, '')));
    else probes.add(path.resolve(base, target));
  }
  const settings = new Set<string>();
  for (const probe of await findMapped(bare, { codeDir, options, settings })) probes.add(probe);
  for (const probe of packageModules(bare, options.failed)) probes.add(probe);
  for (const folder of options.nodePaths ?? [])
    for (const { specifier } of bare) probes.add(path.resolve(codeDir, folder, specifier));
  return { probes: [...probes].sort(), trees: [...trees].sort(), settings: [...settings].sort() };
}

function isPath(specifier: string): boolean {
  return /^\.{1,2}(?:\/|$)/.test(specifier) || path.isAbsolute(specifier);
}

function aliased(specifier: string, aliases: Readonly<Record<string, string>>): string {
  const name = Object.keys(aliases)
    .filter((alias) => specifier === alias || specifier.startsWith(`${alias}/`))
    .sort((a, b) => b.length - a.length)[0];
  return name === undefined ? specifier : `${aliases[name] ?? ''}${specifier.slice(name.length)}`;
}

/** Returns the paths to which `paths` and `baseUrl` of the nearest tsconfig.json map modules. */
async function findMapped(
  imports: readonly ModuleImport[],
  { codeDir, options, settings }: { codeDir: string; options: LookupOptions; settings: Set<string> },
): Promise<string[]> {
  if (options.tsconfigRaw !== undefined) return [];
  const chosen = options.tsconfig === undefined ? undefined : path.resolve(codeDir, options.tsconfig);
  const configOf = nearestConfig();
  const specifiersOf = new Map<string, string[]>();
  for (const { from, specifier } of imports) {
    if (isInNodeModules(from + path.sep)) continue;
    const config = chosen ?? configOf(from);
    if (config !== undefined) specifiersOf.set(config, [...(specifiersOf.get(config) ?? []), specifier]);
  }
  const own = options.folders.filter((folder) => !isInNodeModules(folder + path.sep));
  for (const config of chosen === undefined ? own.map(configOf) : [chosen])
    if (config !== undefined && !specifiersOf.has(config)) specifiersOf.set(config, []);
  const places: string[] = [];
  for (const [config, specifiers] of specifiersOf) {
    const mapping = await readMapping(config, settings);
    for (const specifier of new Set(specifiers)) places.push(...mapping(specifier));
  }
  return places;
}

/** Returns a function that finds the nearest tsconfig.json, or jsconfig.json, of a folder. */
function nearestConfig(): (folder: string) => string | undefined {
  const configs = new Map<string, string | undefined>();
  return (folder) => {
    if (configs.has(folder)) return configs.get(folder);
    const config = withParents(folder)
      .flatMap((above) => ['tsconfig.json', 'jsconfig.json'].map((name) => path.join(above, name)))
      .find((file) => isFileSync(file));
    configs.set(folder, config);
    return config;
  };
}

type Mapping = (specifier: string) => string[];

/** Reads a tsconfig.json with its bases. Adds the files that it tried to `settings`. */
async function readMapping(file: string, settings: Set<string>): Promise<Mapping> {
  const { createPathsMatcher, parseTsconfig } = await import('get-tsconfig');
  const cache = new Map<string, string>();
  try {
    // reading a named pipe would never end
    if (!isFileSync(file)) return () => [];
    const tsconfig: TsConfigResult = { path: file, config: parseTsconfig(file, cache) };
    const match = createPathsMatcher(tsconfig);
    const { baseUrl } = tsconfig.config.compilerOptions ?? {};
    return (specifier) => [
      ...(match?.(specifier) ?? []).map((place) => path.resolve(place)),
      ...(baseUrl === undefined ? [] : [path.resolve(path.dirname(file), baseUrl, specifier)]),
    ];
  } catch {
    return () => []; // esbuild reports the error
  } finally {
    settings.add(file);
    for (const call of cache.keys()) {
      const [, place] = /^(?:readFileSync|existsSync):(.+\.json)(?::utf8)?$/.exec(call) ?? [];
      if (place !== undefined) settings.add(path.resolve(place));
    }
  }
}

function isFileSync(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
