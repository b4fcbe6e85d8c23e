import * as path from 'node:path';
import type { BuildOptions as EsbuildOptions, Metafile } from 'esbuild';
import { fields, listOf, text } from '../../../support/shapes.ts';
import { keyOf } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import { listTree } from '../../file-tree.ts';
import type { SourceHasher } from '../../cache/source-hash.ts';
import { withParents, createListing, isInNodeModules, packagesIn } from './folder-listing.ts';
import type { Listing } from './folder-listing.ts';
import { findLookups } from './module-lookups.ts';
import type { Lookups, ModuleImport } from './module-lookups.ts';

/** What a bundle was made of, and what was looked for to make it. */
export interface BundleInputs extends Lookups {
  /** Files that are in the bundle. Absolute, sorted. */
  files: string[];
}

/** What one run of esbuild read and imported. */
export interface BundleTrace {
  files: readonly string[];
  imports: readonly ModuleImport[];
  /** Files that it complained about; undefined: it did not fail. */
  filesWithErrors?: readonly string[];
}

/** Files that say how modules are found and compiled, in the folders of the code and above; they are no inputs in esbuild's own list. */
export const SETTINGS_ABOVE = ['package.json', 'tsconfig.json', 'jsconfig.json'] as const;
/** What is never looked at below folders that imports with a pattern name. */
export const TREE_EXCLUDES = ['node_modules', '.git', '.aws-sam'];
/** In specifiers these stand for TypeScript's endings too. */
const SCRIPT_ENDING = /\.[cm]?jsx?$/;

/** The trace of a run from esbuild's metafile. Inputs of plugins (`name:path`) are no files. */
export function traceOfMetafile({ inputs }: Metafile, workingDir: string): BundleTrace {
  const files: string[] = [];
  const imports: ModuleImport[] = [];
  for (const [name, input] of Object.entries(inputs)) {
    if (/^\w[\w-]+:/.test(name) && !path.isAbsolute(name)) continue;
    const file = path.resolve(workingDir, name);
    files.push(file);
    for (const { original, path: found, external } of input.imports) {
      // old versions do not say how an import is written; what stays outside is named as it is written
      const specifier = original ?? (external === true ? found : undefined);
      if (specifier !== undefined) imports.push({ from: path.dirname(file), specifier });
    }
  }
  return { files, imports };
}

/**
 * The inputs of a bundle from what a run of esbuild did. `immutable`: a folder whose files never change (installed packages
 * with a key of their own).
 */
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
  });
  const probes = new Set([...lookups.probes, ...files.filter((file) => !isInNodeModules(file)).flatMap(namesOf)]);
  const settings = new Set([...lookups.settings, ...(trace.filesWithErrors ?? [])]);
  return { ...lookups, files, probes: [...probes].sort(), settings: [...settings].sort() };
}

/** How an import may have named a file: without its ending, and by its folder. */
function namesOf(file: string): string[] {
  const plain = file.slice(0, file.length - path.extname(file).length);
  return path.basename(plain) === 'index' ? [plain, path.dirname(file)] : [plain];
}

/** The part of a probe's name that every file has that may be found for it; the rest is `.` and endings. */
export function stemOf(probe: string): string {
  return path.basename(probe).replace(SCRIPT_ENDING, '');
}

/**
 * A key of the inputs' content: of each file, of every package.json and tsconfig.json that has a say in them, and of what
 * is at the places where resolution looked.
 */
export async function keyOfBundleInputs(inputs: BundleInputs, hasher: SourceHasher): Promise<string> {
  const listing = createListing();
  const parts: KeyPart[] = [];
  for (const file of [...inputs.files, ...inputs.settings]) parts.push(file, await hasher.hashFile(file));
  for (const folder of foldersAbove(inputs.files)) {
    const names = listing.items(folder);
    for (const name of SETTINGS_ABOVE)
      if (names.has(name)) parts.push(folder, name, await hasher.hashFile(path.join(folder, name)));
    if (names.has('node_modules')) parts.push(folder, packagesIn(path.join(folder, 'node_modules'), listing));
  }
  for (const probe of inputs.probes) parts.push(probe, ...(await foundAt(probe, listing, hasher)));
  for (const tree of inputs.trees) parts.push(tree, namesBelow(tree, listing));
  return keyOf(parts);
}

/** The folders of files, and all above them. Sorted. */
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

/** Reads a record of inputs; undefined if it is damaged, or of another version. */
export function readBundleInputs(value: unknown): BundleInputs | undefined {
  const record = fields(value);
  const [files, probes, trees, settings] = ['files', 'probes', 'trees', 'settings'].map((name) =>
    listOf(text)(record?.[name]),
  );
  return files && probes && trees && settings && { files, probes, trees, settings };
}
