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

/** What to copy together, from where to where. */
export interface PackageCopy {
  /** The package whose dependencies are wanted, where they are installed. */
  from: string;
  /** Packages are looked for from a folder upwards to here. */
  base: string;
  /** Local packages: their place in the installation → where their files are. */
  origins: ReadonlyMap<string, string>;
  /** Local packages by name, for managers that copied them into the installation. */
  locals: ReadonlyMap<string, string>;
  /** `node_modules` is made in it. */
  target: string;
}

/** A package that still needs its dependencies. */
interface PlacedPackage {
  /** Where it is installed; its dependencies are found from here. */
  real: string;
  manifest: NodeManifest;
  /** Its place below the target: '' for the package itself, else `node_modules/a/node_modules/b`. */
  place: string;
}

/**
 * Copies the packages that one needs, and those that they need, as real files: flat where a name has one version,
 * nested where it has several, so that each finds the same ones as in the installation.
 */
export async function copyPackages(copy: PackageCopy): Promise<void> {
  const base = await fs.realpath(copy.base);
  const origins = new Map<string, string>();
  for (const [place, origin] of copy.origins) if (await exists(place)) origins.set(await fs.realpath(place), origin);
  const start = await fs.realpath(copy.from);
  /** Place below the target → the installed package that it is a copy of. */
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
      // a name that nobody above uses goes to the top, another version of one stays with who needs it
      const place =
        visible === undefined ? `node_modules/${name}` : `${next.place}/node_modules/${name}`.replace(/^\//, '');
      places.set(place, real);
      const folder = placeBelow(copy.target, place, 'The name of a package');
      await copyPackage(real, origins.get(real) ?? copy.locals.get(name), folder);
      queue.push({ real, manifest: (await readForeignManifest(real)) ?? {}, place });
    }
  }
}

/** The place from which `name` would be loaded by the package at `from`. */
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
    hint: 'Update the lock file: it may not know the package yet.',
  });
}

async function copyPackage(real: string, origin: string | undefined, target: string): Promise<void> {
  if (origin !== undefined) return copyFiles(await packFiles(origin), target);
  await makeFolder(target);
  for (const item of await fs.readdir(real, { withFileTypes: true })) {
    if (item.name === 'node_modules') continue; // its packages have places of their own
    const from = path.join(real, item.name);
    if (item.isDirectory()) await linkTree(from, path.join(target, item.name));
    else if (item.isFile())
      await fs.link(from, path.join(target, item.name)).catch(() => fs.copyFile(from, path.join(target, item.name)));
  }
}
