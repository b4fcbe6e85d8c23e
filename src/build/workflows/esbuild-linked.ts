import * as fs from 'node:fs';
import * as path from 'node:path';
import { fields, parseJson } from '../../support/shapes.ts';
import { andAbove, isInNodeModules } from './esbuild-folders.ts';
import type { ModuleImport } from './esbuild-lookups.ts';

/** Where modules of linked packages (of a workspace) are looked for: what their package.json names, there or not. */
export function linkedModules(imports: readonly ModuleImport[]): string[] {
  const probes = new Set<string>();
  const seen = new Set<string>();
  for (const { from, specifier } of imports) {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    const inside = specifier.slice(name.length + 1);
    const folder = findLinked(from, name);
    if (folder === undefined || seen.has(folder + specifier)) continue;
    seen.add(folder + specifier);
    for (const place of inside === '' ? [folder, ...namedByManifest(folder)] : [path.join(folder, inside)])
      probes.add(place);
  }
  return [...probes];
}

/** The folder of the package if it is a link that leads out of `node_modules`. */
function findLinked(from: string, name: string): string | undefined {
  for (const above of andAbove(from)) {
    const real = realPath(path.join(above, 'node_modules', name));
    if (real !== undefined) return isInNodeModules(real) ? undefined : real;
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
    json = fs.readFileSync(path.join(folder, 'package.json'), 'utf8');
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
