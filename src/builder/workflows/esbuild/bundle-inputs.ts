import * as path from 'node:path';
import type { BuildOptions as EsbuildOptions, Metafile } from 'esbuild';
import { fields, listOf, text } from '../../../support/shapes.ts';
import { keyOf } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import { listTree } from '../../file-tree.ts';
import type { SourceHasher } from '../../cache/source-hash.ts';
import { withParents } from '../../../support/places.ts';
import { createListing, isInNodeModules } from './folder-listing.ts';
import type { FolderMemo, Listing } from './folder-listing.ts';
import { findLookups } from './module-lookups.ts';
import type { Lookups } from './module-lookups.ts';
import type { ModuleImport } from './package-modules.ts';

/** The files of a bundle, and the paths that its resolution tried. */
export interface BundleInputs extends Lookups {
  /** Files in the bundle. Absolute, sorted. */
  files: string[];
}

/** Files and imports of one run of esbuild. */
export interface BundleTrace {
  files: readonly string[];
  imports: readonly ModuleImport[];
  /** Files with errors; undefined if the run succeeded. */
  filesWithErrors?: readonly string[];
}

/** Files that decide how modules are found and compiled, in the folders of the code and above; esbuild does not list them. */
export const SETTINGS_ABOVE = ['package.json', 'tsconfig.json', 'jsconfig.json'] as const;
/** Names to ignore below folders that imports with a pattern name. */
export const TREE_EXCLUDES = ['node_modules', '.git', '.aws-sam'];
/** In specifiers these endings also mean TypeScript's. */
const SCRIPT_ENDING = /\.[cm]?jsx?$/;

/** Returns the trace of a run from esbuild's metafile. Inputs of plugins (`name:path`) are no files. */
export function traceOfMetafile({ inputs }: Metafile, workingDir: string): BundleTrace {
  const files: string[] = [];
  const imports: ModuleImport[] = [];
  for (const [name, input] of Object.entries(inputs)) {
    if (/^\w[\w-]+:/.test(name) && !path.isAbsolute(name)) continue;
    const file = path.resolve(workingDir, name);
    files.push(file);
    for (const { original, path: found, external } of input.imports) {
      // old versions omit how an import is written; external imports keep their specifier
      const specifier = original ?? (external === true ? found : undefined);
      if (specifier !== undefined) imports.push({ from: path.dirname(file), specifier });
    }
  }
  return { files, imports };
}

/** Returns the inputs of a bundle from a run's trace. `immutable`: a folder of installed packages, which have their own key. */
export async function inputsOfTrace(
  trace: BundleTrace,
  how: { codeDir: string; options: EsbuildOptions; immutable: string | undefined },
): Promise<BundleInputs> {
  const isOwn = (file: string): boolean =>
    how.immutable === undefined || !(file + path.sep).startsWith(how.immutable + path.sep);
  const files = [...new Set(trace.files.filter(isOwn))].sort();
  const imports = trace.imports.filter(({ from }) => isOwn(from) && !isInNodeModules(from + path.sep));
  const lookups = await findLookups(imports, how.codeDir, {
    ...how.options,
    failed: trace.filesWithErrors !== undefined,
    folders: [...new Set(files.map((file) => path.dirname(file)))],
  });
  const probes = new Set([...lookups.probes, ...files.filter((file) => !isInNodeModules(file)).flatMap(namesOf)]);
  const settings = new Set([...lookups.settings, ...(trace.filesWithErrors ?? [])]);
  return { ...lookups, files, probes: [...probes].sort(), settings: [...settings].sort() };
}

/** Returns how an import may have named a file: without its ending, and by its folder. */
function namesOf(file: string): string[] {
  const plain = file.slice(0, file.length - path.extname(file).length);
  return path.basename(plain) === 'index' ? [plain, path.dirname(file)] : [plain];
}

/** Returns the part of a probe's name that all matching files share; they add `.` and endings. */
export function stemOf(probe: string): string {
  return path.basename(probe).replace(SCRIPT_ENDING, '');
}

/**
 * Hashes the inputs' content: each file, every package.json and tsconfig.json that applies to them, and what exists at the paths
 * that resolution tried.
 */
export async function keyOfBundleInputs(
  inputs: BundleInputs,
  { hasher, folders }: { hasher: SourceHasher; folders: FolderMemo },
): Promise<string> {
  const listing = createListing(folders);
  const parts: KeyPart[] = [];
  for (const file of [...inputs.files, ...inputs.settings]) parts.push(file, await hasher.hashFile(file));
  for (const folder of foldersAbove(inputs.files)) {
    const names = listing.items(folder);
    for (const name of SETTINGS_ABOVE)
      if (names.has(name)) parts.push(folder, name, await hasher.hashFile(path.join(folder, name)));
    if (names.has('node_modules')) parts.push(folder, listing.packagesKey(path.join(folder, 'node_modules')));
  }
  for (const probe of inputs.probes) parts.push(probe, ...(await foundAt(probe, listing, hasher)));
  for (const tree of inputs.trees) parts.push(tree, namesBelow(tree, listing));
  return keyOf(parts);
}

/** Returns the folders of files, and all their parents. Sorted. */
function foldersAbove(files: readonly string[]): string[] {
  return [...new Set([...new Set(files.map((file) => path.dirname(file)))].flatMap(withParents))].sort();
}

async function foundAt(probe: string, listing: Listing, hasher: SourceHasher): Promise<KeyPart[]> {
  const beside = listing.named(path.dirname(probe), stemOf(probe));
  if (!listing.mayBeFolder(probe)) return [beside];
  const manifest = listing.items(probe).has('package.json');
  const main = manifest ? await hasher.hashFile(path.join(probe, 'package.json')) : undefined;
  return [beside, listing.named(probe, 'index'), main];
}

function namesBelow(tree: string, listing: Listing): string[] {
  return listing.items(tree).size === 0 ? [] : listTree(tree, TREE_EXCLUDES).files.map((file) => file.path);
}

/** Parses a record of inputs; undefined if it is damaged, or of another version. */
export function readBundleInputs(value: unknown): BundleInputs | undefined {
  const record = fields(value);
  const [files, probes, trees, settings] = ['files', 'probes', 'trees', 'settings'].map((name) =>
    listOf(text)(record?.[name]),
  );
  return files && probes && trees && settings && { files, probes, trees, settings };
}
