import * as path from 'node:path';
import type { Plugin } from 'esbuild';
import { satisfies, validRange } from 'semver';
import { hashFile, readTextIfExists } from '../../../support/files.ts';
import { findInstalledPackage } from '../node/installed-package.ts';
import { localPlace } from '../node/local-packages.ts';
import { readForeignManifest } from '../node/manifest.ts';
import type { NodeProject } from '../node/project.ts';

/** A package that package.json asks for and that is not there, or in another version. */
export interface MismatchedPackage {
  name: string;
  wanted: string;
  found: string | undefined;
}

/** What the app's own `node_modules`, here and above, lack of what package.json asks for. */
export async function findMismatchedPackages(project: NodeProject): Promise<MismatchedPackage[]> {
  const unfit: MismatchedPackage[] = [];
  for (const [name, wanted] of Object.entries(project.manifest.dependencies ?? {})) {
    if (Object.hasOwn(project.manifest.optionalDependencies ?? {}, name)) continue;
    const { version: found, nodeModules } = (await findInstalled(project.dir, name)) ?? {};
    const archive = archiveOf(project, wanted);
    if (archive !== undefined && nodeModules !== undefined && !(await isInstalledFrom(archive, nodeModules, name))) {
      unfit.push({ name, wanted, found });
      continue;
    }
    const range = wanted.replace(/^npm:.+@/, '');
    const comparable = found !== undefined && validRange(range) !== null && !project.locals.folders.has(name);
    const fits = comparable ? satisfies(found, range, { includePrerelease: true }) : found !== undefined;
    if (!fits) unfit.push({ name, wanted, found });
  }
  return unfit;
}

async function findInstalled(
  from: string,
  name: string,
): Promise<{ version: string; nodeModules: string } | undefined> {
  const dir = await findInstalledPackage(from, name);
  if (dir === undefined) return undefined;
  const { version = '0.0.0' } = (await readForeignManifest(dir)) ?? {};
  return { version, nodeModules: dir.slice(0, -name.length - 1) };
}

function archiveOf({ dir, locals }: NodeProject, spec: string): string | undefined {
  const place = localPlace(dir, spec);
  return place !== undefined && locals.archives.includes(place) ? place : undefined;
}

/** Whether npm says that it unpacked just this content. The version does not: an archive is often packed again under it. */
async function isInstalledFrom(archive: string, nodeModules: string, name: string): Promise<boolean> {
  const text = await readTextIfExists(path.join(nodeModules, '.package-lock.json'));
  if (text === undefined) return false;
  const integrity = `sha512-${await hashFile(archive, 'sha512', 'base64')}`;
  try {
    const { packages } = JSON.parse(text) as { packages?: Record<string, { integrity?: string } | null> | null };
    return packages?.[`node_modules/${name}`]?.integrity === integrity;
  } catch {
    return false;
  }
}

/**
 * Finds packages in our installation although the app's folders have them, in versions that do not fit. For all others
 * esbuild's `nodePaths` do, which come after the app's folders and keep what package.json says of module formats.
 */
export function createInstalledPlugin(installed: string, names: readonly string[]): Plugin {
  const filter = new RegExp(
    `^(?:${names.map((name) => name.replace(/[.+^${}()|[\]\\/*?]/g, '\\$&')).join('|')})(?:/|$)`,
  );
  return {
    name: 'installed',
    setup: (build) => {
      build.onResolve({ filter }, async ({ path: specifier, importer, kind, pluginData }) => {
        if (pluginData === 'installed' || importer.startsWith(installed + path.sep)) return undefined;
        const found = await build.resolve(specifier, { resolveDir: installed, kind, pluginData: 'installed' });
        return found.errors.length > 0 ? undefined : found;
      });
    },
  };
}
