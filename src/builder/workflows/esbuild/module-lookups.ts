import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BuildOptions as EsbuildOptions } from 'esbuild';
import type { TsConfigResult } from 'get-tsconfig';
import { withParents, isInNodeModules } from './folder-listing.ts';
import { packageModules } from './package-modules.ts';

/** A module that is imported by name, as it is written. */
export interface ModuleImport {
  /** The folder of the importing file. Absolute. */
  from: string;
  specifier: string;
}

/** Where a bundler looks for modules. All absolute, sorted, without duplicates. */
export interface Lookups {
  /** Paths of modules; which endings they may have, and whether they are folders, is open. */
  probes: string[];
  /** Folders with all that is below: imports with a pattern find any file there. */
  trees: string[];
  /** Settings that name places (tsconfig.json and what it extends); they need not exist. */
  settings: string[];
}

/** What of a bundle's options decides where modules are looked for. */
export interface LookupOptions extends Pick<EsbuildOptions, 'alias' | 'nodePaths' | 'tsconfig' | 'tsconfigRaw'> {
  /** Whether something was not found, or could not be read. */
  failed: boolean;
}

/** What resolution looks for, whatever it finds: a new file there may be found instead. */
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
    // an alias that names a path names it as seen from the code
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

/** Where `paths` and `baseUrl` of the nearest tsconfig.json send modules; each place is tried in turn. */
async function findMapped(
  imports: readonly ModuleImport[],
  { codeDir, options, settings }: { codeDir: string; options: LookupOptions; settings: Set<string> },
): Promise<string[]> {
  if (options.tsconfigRaw !== undefined) return [];
  const chosen = options.tsconfig === undefined ? undefined : path.resolve(codeDir, options.tsconfig);
  const configOf = nearestConfig();
  const found = new Map<string, string[]>();
  for (const { from, specifier } of imports) {
    if (isInNodeModules(from + path.sep)) continue;
    const config = chosen ?? configOf(from);
    if (config !== undefined) found.set(config, [...(found.get(config) ?? []), specifier]);
  }
  // also without imports it says how the code is compiled
  if (chosen !== undefined && !found.has(chosen)) found.set(chosen, []);
  const places: string[] = [];
  for (const [config, specifiers] of found) {
    const mapping = await readMapping(config, settings);
    for (const specifier of new Set(specifiers)) places.push(...mapping(specifier));
  }
  return places;
}

/** The nearest tsconfig.json, or jsconfig.json, of a folder. */
function nearestConfig(): (folder: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (folder) => {
    if (known.has(folder)) return known.get(folder);
    const config = withParents(folder)
      .flatMap((above) => ['tsconfig.json', 'jsconfig.json'].map((name) => path.join(above, name)))
      .find((file) => isFileSync(file));
    known.set(folder, config);
    return config;
  };
}

type Mapping = (specifier: string) => string[];

/** Reads a tsconfig.json with what it extends. `settings` gets the files that were looked at. */
async function readMapping(file: string, settings: Set<string>): Promise<Mapping> {
  const { createPathsMatcher, parseTsconfig } = await import('get-tsconfig');
  const cache = new Map<string, string>();
  try {
    // a named pipe would never end
    if (!isFileSync(file)) return () => [];
    const tsconfig: TsConfigResult = { path: file, config: parseTsconfig(file, cache) };
    const match = createPathsMatcher(tsconfig);
    const { baseUrl } = tsconfig.config.compilerOptions ?? {};
    return (specifier) => [
      ...(match?.(specifier) ?? []).map((place) => path.resolve(place)),
      ...(baseUrl === undefined ? [] : [path.resolve(path.dirname(file), baseUrl, specifier)]),
    ];
  } catch {
    return () => []; // esbuild says what is wrong with it
  } finally {
    settings.add(file);
    for (const looked of cache.keys()) {
      const [, place] = /^(?:readFileSync|existsSync):(.+\.json)(?::utf8)?$/.exec(looked) ?? [];
      if (place !== undefined) settings.add(path.resolve(place));
    }
  }
}

function isFileSync(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
