import * as fs from 'node:fs';
import * as path from 'node:path';
import { readTextFile } from '../../../support/regular-file.ts';
import { fields, parseJson } from '../../../support/shapes.ts';
import { withParents, isInNodeModules } from './folder-listing.ts';
import type { ModuleImport } from './module-lookups.ts';

/**
 * Where modules of packages are looked for: what their package.json names, there or not. `all`: not only of linked packages
 * (of a workspace), which are edited, but also of those that were just being installed.
 */
export function packageModules(imports: readonly ModuleImport[], all: boolean): string[] {
  const probes = new Set<string>();
  const seen = new Set<string>();
  for (const { from, specifier } of imports) {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    const inside = specifier.slice(name.length + 1);
    const folder = findPackage(from, name);
    if (folder === undefined || (!all && isInNodeModules(folder)) || seen.has(folder + specifier)) continue;
    seen.add(folder + specifier);
    for (const place of inside === '' ? [folder, ...namedByManifest(folder)] : [path.join(folder, inside)])
      probes.add(place);
  }
  return [...probes];
}

/** The folder of the package, where it really is. */
function findPackage(from: string, name: string): string | undefined {
  for (const above of withParents(from)) {
    const real = realPath(path.join(above, 'node_modules', name));
    if (real !== undefined) return real;
  }
  return undefined;
}

function realPath(place: string): string | undefined {
  try {
    return fs.existsSync(place) ? fs.realpathSync(place) : undefined;
  } catch {
    return undefined;
  }
}

/** Whatever `main`, `module` and `exports` name: which of it counts is for the bundler to say. */
function namedByManifest(folder: string): string[] {
  let json: string;
  try {
    json = readTextFile(path.join(folder, 'package.json'));
  } catch {
    return [];
  }
  const manifest = fields(parseJson(json));
  const named = ['main', 'module', 'exports'].flatMap((field) => textsIn(manifest?.[field]));
  return named.filter((name) => !name.includes('*')).map((name) => path.resolve(folder, name));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  const parts = Array.isArray(value) ? value : Object.values(fields(value) ?? {});
  return parts.flatMap(textsIn);
}
