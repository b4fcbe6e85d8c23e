import * as path from 'node:path';
import type { Plugin } from 'esbuild';
import { satisfies, validRange } from 'semver';
import { readForeignManifest } from './node-manifest.ts';
import type { NodeProject } from './node-project.ts';

/** A package that package.json asks for and that is not there, or in another version. */
export interface UnfitPackage {
  name: string;
  wanted: string;
  found: string | undefined;
}

/** What the app's own `node_modules`, here and above, lack of what package.json asks for. */
export async function unfitPackages(project: NodeProject): Promise<UnfitPackage[]> {
  const unfit: UnfitPackage[] = [];
  for (const [name, wanted] of Object.entries(project.manifest.dependencies ?? {})) {
    if (Object.hasOwn(project.manifest.optionalDependencies ?? {}, name)) continue;
    const found = await installedVersion(project.dir, name);
    const range = wanted.replace(/^npm:.+@/, '');
    const comparable = found !== undefined && validRange(range) !== null && !project.locals.has(name);
    const fits = comparable ? satisfies(found, range, { includePrerelease: true }) : found !== undefined;
    if (!fits) unfit.push({ name, wanted, found });
  }
  return unfit;
}

async function installedVersion(from: string, name: string): Promise<string | undefined> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const manifest = await readForeignManifest(path.join(folder, 'node_modules', name));
    if (manifest) return manifest.version ?? '0.0.0';
    if (path.dirname(folder) === folder) return undefined;
  }
}

/**
 * Finds packages in our installation although the app's folders have them, in versions that do not fit. For all others
 * esbuild's `nodePaths` do, which come after the app's folders and keep what package.json says of module formats.
 */
export function installedPlugin(installed: string, names: readonly string[]): Plugin {
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
