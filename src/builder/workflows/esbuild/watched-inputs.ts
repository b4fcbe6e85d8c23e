import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BuildInput } from '../../build-result.ts';
import { withParents, createListing, isInNodeModules } from './folder-listing.ts';
import { SETTINGS_ABOVE, stemOf, TREE_EXCLUDES } from './bundle-inputs.ts';
import type { BundleInputs } from './bundle-inputs.ts';

/** What to watch for a bundle: its files, and the names by which others would be found instead. */
export function watchedInputs(inputs: BundleInputs, projectDir: string): BuildInput[] {
  const stems = new Map<string, Set<string>>();
  const add = (folder: string, ...names: readonly string[]): void => {
    const known = stems.get(folder) ?? new Set();
    for (const name of names) known.add(name);
    stems.set(folder, known);
  };
  const listing = createListing();
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
    .flatMap((folder) => [folder, ...scopesIn(folder)]);
  return [
    ...[...inputs.files, ...inputs.settings].map((file) => ({ path: file, excludes: [] })),
    ...[...stems].map(([folder, names]) => ({ path: folder, excludes: [], direct: true, stems: [...names] })),
    ...packages.map((folder) => ({ path: folder, excludes: ['.*'], direct: true })),
    ...inputs.trees.map((folder) => ({ path: folder, excludes: TREE_EXCLUDES })),
  ];
}

/** A workspace's packages may be above the application, but not above its repository. */
function repositoryOf(projectDir: string): string {
  return withParents(projectDir).find((folder) => fs.existsSync(path.join(folder, '.git'))) ?? projectDir;
}

/** The folders of files and those above them, up to the one that holds the file and the ground. */
function foldersWithin(files: readonly string[], ground: string): string[] {
  const aboveGround = new Set(withParents(ground));
  const folders = new Set<string>();
  for (const folder of new Set(files.map((file) => path.dirname(file)))) {
    for (const above of withParents(folder)) {
      folders.add(above);
      if (aboveGround.has(above)) break;
    }
  }
  return [...folders];
}

function scopesIn(nodeModules: string): string[] {
  try {
    return fs
      .readdirSync(nodeModules)
      .filter((name) => name.startsWith('@'))
      .map((name) => path.join(nodeModules, name));
  } catch {
    return []; // gone again
  }
}

function isFolder(place: string): boolean {
  try {
    return fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false; // a link in a circle, or below a file
  }
}
