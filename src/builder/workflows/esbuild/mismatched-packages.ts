import * as path from 'node:path';
import type { Plugin } from 'esbuild';
import { satisfies, validRange } from 'semver';
import { hashFile, readTextIfExists } from '../../../support/files.ts';
import { findInstalledPackage } from '../node/installed-package.ts';
import { localPlace } from '../node/local-packages.ts';
import { readForeignManifest } from '../node/manifest.ts';
import type { NodeProject } from '../node/project.ts';

/** A dependency in package.json that is not installed, or in another version. */
export interface MismatchedPackage {
  name: string;
  wanted: string;
  found: string | undefined;
}

/** Finds the dependencies of package.json that the app's own `node_modules`, here and above, lack. */
export async function findMismatchedPackages(project: NodeProject): Promise<MismatchedPackage[]> {
  const mismatched: MismatchedPackage[] = [];
  for (const [name, wanted] of Object.entries(project.manifest.dependencies ?? {})) {
    if (Object.hasOwn(project.manifest.optionalDependencies ?? {}, name)) continue;
    const { version: found, nodeModules } = (await findInstalled(project.dir, name)) ?? {};
    const archive = archiveOf(project, wanted);
    if (archive !== undefined && nodeModules !== undefined && !(await isInstalledFrom(archive, nodeModules, name))) {
      mismatched.push({ name, wanted, found });
      continue;
    }
    const range = wanted.replace(/^npm:.+@/, '');
    const comparable = found !== undefined && validRange(range) !== null && !project.locals.folders.has(name);
    const fits = comparable ? satisfies(found, range, { includePrerelease: true }) : found !== undefined;
    if (!fits) mismatched.push({ name, wanted, found });
  }
  return mismatched;
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

/** Whether npm recorded this very archive. The version does not tell: archives are often packed again under the same one. */
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
 * Creates a plugin that resolves these packages in our installation, because the app's folders have other versions. For all other
 * packages esbuild's `nodePaths` suffice: they come after the app's folders and respect module formats in package.json.
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
        const resolved = await build.resolve(specifier, { resolveDir: installed, kind, pluginData: 'installed' });
        return resolved.errors.length > 0 ? undefined : resolved;
      });
    },
  };
}
