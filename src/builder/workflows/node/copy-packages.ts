import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder } from '../../../support/files.ts';
import { placeBelow } from '../../../support/places.ts';
import { copyFiles, linkTree } from '../../file-tree.ts';
import { findInstalledPackage } from './installed-package.ts';
import { readForeignManifest, runtimeDependencies } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';
import { packFiles } from './pack-files.ts';

/** The packages to copy. */
export interface PackageCopy {
  /** The installed package whose dependencies to copy. */
  from: string;
  /** The topmost folder in which to look for packages. */
  base: string;
  /** Local packages: their folder in the installation → their source folder. */
  origins: ReadonlyMap<string, string>;
  /** Source folders of local packages by name, for managers that copied them into the installation. */
  locals: ReadonlyMap<string, string>;
  /** The folder for the new `node_modules`. */
  target: string;
}

/** A copied package whose dependencies are still to be copied. */
interface PlacedPackage {
  /** The folder in which it is installed, links resolved: the start for finding its dependencies. */
  real: string;
  manifest: NodeManifest;
  /** Its path below the target: '' for the package itself, else `node_modules/a/node_modules/b`. */
  place: string;
}

/**
 * Copies the dependencies of a package, transitively, as real files: flat where a name has one version, nested where it has
 * several, so that each package finds the same ones as in the installation.
 */
export async function copyPackages(copy: PackageCopy): Promise<void> {
  const base = await fs.realpath(copy.base);
  const origins = new Map<string, string>();
  for (const [place, origin] of copy.origins) if (await exists(place)) origins.set(await fs.realpath(place), origin);
  const start = await fs.realpath(copy.from);
  /** Path below the target → the installed package that is copied there. */
  const places = new Map<string, string>();
  const queue: PlacedPackage[] = [{ real: start, manifest: (await readForeignManifest(start)) ?? {}, place: '' }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const name of Object.keys(runtimeDependencies(next.manifest)).sort()) {
      const installed = await findInstalledPackage(next.real, name, base);
      if (installed === undefined) {
        assertOptional(next.manifest, name);
        continue;
      }
      const real = await fs.realpath(installed);
      const visible = visiblePlace(places, next.place, name);
      if (visible !== undefined && places.get(visible) === real) continue;
      // a new name goes to the top, another version of a used name stays with the package that needs it
      const place =
        visible === undefined ? `node_modules/${name}` : `${next.place}/node_modules/${name}`.replace(/^\//, '');
      places.set(place, real);
      const folder = placeBelow(copy.target, place, 'The name of a package');
      await copyPackage(real, origins.get(real) ?? copy.locals.get(name), folder);
      queue.push({ real, manifest: (await readForeignManifest(real)) ?? {}, place });
    }
  }
}

/** Returns the path from which the package at `from` would load `name`. */
function visiblePlace(places: ReadonlyMap<string, string>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (places.has(place)) return place;
    if (folder === '') return undefined;
  }
}

function assertOptional(manifest: NodeManifest, name: string): void {
  if (!Object.hasOwn(manifest.dependencies ?? {}, name) || Object.hasOwn(manifest.optionalDependencies ?? {}, name))
    return;
  throw new UserError(`${manifest.name ?? 'The package'} needs ${name}, which the package manager did not install`, {
    hint: 'Update the lock file: it may not contain the package yet.',
  });
}

async function copyPackage(real: string, origin: string | undefined, target: string): Promise<void> {
  if (origin !== undefined) return copyFiles(await packFiles(origin), target);
  await makeFolder(target);
  for (const item of await fs.readdir(real, { withFileTypes: true })) {
    if (item.name === 'node_modules') continue; // its packages are copied separately
    const from = path.join(real, item.name);
    if (item.isDirectory()) await linkTree(from, path.join(target, item.name));
    else if (item.isFile())
      await fs.link(from, path.join(target, item.name)).catch(() => fs.copyFile(from, path.join(target, item.name)));
  }
}
