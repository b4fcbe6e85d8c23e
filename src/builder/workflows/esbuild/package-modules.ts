import * as path from 'node:path';
import { realPathNow } from '../../../support/files.ts';
import { readTextFile } from '../../../support/regular-file.ts';
import { fields, parseJson } from '../../../support/shapes.ts';
import { withParents } from '../../../support/places.ts';
import { isInNodeModules } from './folder-listing.ts';

/** An import, as written. */
export interface ModuleImport {
  /** The folder of the importing file. Absolute. */
  from: string;
  specifier: string;
}

/**
 * Returns the paths of packages' modules that their package.json names, existing or not. By default only of linked packages (of a
 * workspace), which users edit; `all`: also of those in `node_modules`, which may be half installed.
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

/** Finds the folder of the package, links resolved. */
function findPackage(from: string, name: string): string | undefined {
  for (const above of withParents(from)) {
    const real = realPathNow(path.join(above, 'node_modules', name));
    if (real !== undefined) return real;
  }
  return undefined;
}

/** Returns all paths in `main`, `module` and `exports`: the bundler decides which one counts. */
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
