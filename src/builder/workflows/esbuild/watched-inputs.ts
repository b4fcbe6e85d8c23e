import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BuildInput } from '../../build-result.ts';
import { withParents } from '../../../support/places.ts';
import { createListing, isInNodeModules } from './folder-listing.ts';
import type { FolderMemo } from './folder-listing.ts';
import { SETTINGS_ABOVE, stemOf, TREE_EXCLUDES } from './bundle-inputs.ts';
import type { BundleInputs } from './bundle-inputs.ts';

/** Returns what to watch for a bundle: its files, and the names of files that would be found instead. */
export function watchedInputs(
  inputs: BundleInputs,
  { projectDir, folders }: { projectDir: string; folders: FolderMemo },
): BuildInput[] {
  const stems = new Map<string, Set<string>>();
  const add = (folder: string, ...names: readonly string[]): void => {
    const all = stems.get(folder) ?? new Set();
    for (const name of names) all.add(name);
    stems.set(folder, all);
  };
  const listing = createListing(folders);
  for (const probe of inputs.probes) {
    add(path.dirname(probe), stemOf(probe));
    if (listing.mayBeFolder(probe) && isFolder(probe)) add(probe, 'package.json', 'index');
  }
  const own = inputs.files.filter((file) => !isInNodeModules(file));
  const above = foldersWithin(own, repositoryOf(projectDir));
  for (const folder of above) add(folder, ...SETTINGS_ABOVE, 'node_modules');
  const packages = above
    .map((folder) => path.join(folder, 'node_modules'))
    .filter(isFolder)
    .flatMap((folder) => [folder, ...listing.scopes(folder)]);
  return [
    ...[...inputs.files, ...inputs.settings].map((file) => ({ path: file, excludes: [] })),
    ...[...stems].map(([folder, names]) => ({ path: folder, excludes: [], direct: true, stems: [...names] })),
    ...packages.map((folder) => ({ path: folder, excludes: ['.*'], direct: true })),
    ...inputs.trees.map((folder) => ({ path: folder, excludes: TREE_EXCLUDES })),
  ];
}

/** Returns the root of the repository: packages of a workspace may be above the application, but not above it. */
function repositoryOf(projectDir: string): string {
  return withParents(projectDir).find((folder) => fs.existsSync(path.join(folder, '.git'))) ?? projectDir;
}

/** Returns the folders of files and their parents, up to the first that also contains `top`. */
function foldersWithin(files: readonly string[], top: string): string[] {
  const aboveTop = new Set(withParents(top));
  const folders = new Set<string>();
  for (const folder of new Set(files.map((file) => path.dirname(file)))) {
    for (const above of withParents(folder)) {
      folders.add(above);
      if (aboveTop.has(above)) break;
    }
  }
  return [...folders];
}

function isFolder(place: string): boolean {
  try {
    return fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false; // a link in a circle, or below a file
  }
}
