import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { Format, Metafile } from 'esbuild';
import { makeFolder } from '../../../support/files.ts';
import { isPackageName } from '../node/manifest.ts';
import type { NodeManifest } from '../node/manifest.ts';

/**
 * Returns candidates for a layer's entry point without EntryPoints; the first that exists counts. Sources come before `main`,
 * which often names compiled output.
 */
export function layerEntries({ main }: NodeManifest): string[] {
  return ['index', 'src/index', ...(main === undefined ? [] : [main])];
}

/**
 * Returns the folder of bundles in a layer's `nodejs`: Lambda's NODE_PATH has `nodejs/node_modules`, so functions require them
 * by name. ES modules are not found on NODE_PATH; functions import them by path.
 */
export function bundlesFolder(target: string, format: Format | undefined): string {
  return format === 'esm' ? target : path.join(target, 'node_modules');
}

/**
 * Adds the other names of a layer's bundles: `/opt/nodejs/x` for `x`, which many applications use, and the name in package.json
 * for the index, or for the only bundle.
 */
export async function nameBundles(
  target: string,
  { metafile, manifest, format }: { metafile: Metafile; manifest: NodeManifest; format: Format | undefined },
): Promise<void> {
  if (format === 'esm') return;
  const bundles = Object.entries(metafile.outputs).flatMap(([file, { entryPoint }]) =>
    entryPoint !== undefined && /\.c?js$/.test(file) ? [file] : [],
  );
  for (const file of bundles) {
    const place = path.join(target, file);
    const up = path.posix.relative(path.posix.dirname(file), '.') || '.';
    await makeFolder(path.dirname(place));
    await fs.writeFile(place, `module.exports = require('${up}/node_modules/${file}');\n`);
  }
  const main = bundles.find((file) => /^index\.c?js$/.test(file)) ?? (bundles.length === 1 ? bundles[0] : undefined);
  const { name } = manifest;
  if (main === undefined || name === undefined || !isPackageName(name)) return;
  const folder = path.join(bundlesFolder(target, format), name);
  const up = path.posix.relative(name, '.');
  await makeFolder(folder);
  await fs.writeFile(path.join(folder, 'package.json'), JSON.stringify({ name, main: `${up}/${main}` }));
}
