import * as path from 'node:path';
import { readTextIfExists } from '../../support/files.ts';
import { isBelow } from '../../support/places.ts';
import type { BuildInput } from '../build-result.ts';
import { listFiles } from '../file-tree.ts';

/** How build files of a tool name other places. */
export interface PathSyntax {
  /** Build files in a folder, by name. */
  isBuildFile(name: string): boolean;
  /** Finds paths with `..` in a text; their first group is the path. */
  paths: RegExp;
  /** Beginnings that stand for a folder: of the build file, or of the root. */
  variables: readonly { pattern: RegExp; folder: 'file' | 'root' }[];
  /** What nothing but the tool can resolve. */
  unknown: RegExp;
  excludes: readonly string[];
}

/** What build files name outside their folders. */
export interface OutsidePaths {
  inputs: readonly BuildInput[];
  /** A path that cannot be resolved here, or holds the project itself; undefined: there is none. */
  unresolved: string | undefined;
}

/** Lists what the build files in folders name outside of these folders, and what build files there name. Runs no tool. */
export async function findOutsidePaths(roots: readonly string[], syntax: PathSyntax): Promise<OutsidePaths> {
  const found = new Map<string, BuildInput>();
  let unresolved: string | undefined;
  const isKnown = (place: string): boolean =>
    [...roots, ...found.keys()].some((known) => place === known || isBelow(place, known));
  const visit = async (root: string): Promise<void> => {
    for (const { file, name } of await listPaths(root, syntax)) {
      const place = resolve(name, { file, root }, syntax);
      if (place !== undefined && isKnown(place)) continue;
      if (place === undefined || roots.some((known) => isBelow(known, place))) {
        unresolved ??= `${path.basename(file)} names ${name}`;
        continue;
      }
      found.set(place, { path: place, excludes: syntax.excludes });
      await visit(place);
    }
  };
  for (const root of roots) await visit(root);
  return { inputs: [...found.values()], unresolved };
}

async function listPaths(root: string, syntax: PathSyntax): Promise<{ file: string; name: string }[]> {
  const named = await Promise.all(
    listFiles(root, syntax.excludes)
      .filter((file) => syntax.isBuildFile(path.basename(file)))
      .map(async (file) => {
        const text = (await readTextIfExists(file)) ?? '';
        const names = [...text.matchAll(syntax.paths)].map((match) => match.slice(1).find(Boolean) ?? '');
        return names.flatMap((name) => name.split(';')).map((name) => ({ file, name: name.trim() }));
      }),
  );
  return named.flat().filter(({ name }) => /(?:^|[\\/)}])\.\.(?:[\\/]|$)/.test(name));
}

/** Returns the place, or its folder before the first wildcard. */
function resolve(
  name: string,
  { file, root }: { file: string; root: string },
  { variables, unknown }: PathSyntax,
): string | undefined {
  let base = path.dirname(file);
  let rest = name.replaceAll('\\', '/');
  for (const { pattern, folder } of variables) {
    const after = rest.replace(pattern, '');
    if (after !== rest && folder === 'root') base = root;
    rest = after;
  }
  if (unknown.test(rest)) return undefined;
  const parts = rest.split('/');
  const wild = parts.findIndex((part) => part.includes('*'));
  return path.resolve(base, (wild < 0 ? parts : parts.slice(0, wild)).join('/').replace(/^\/+/, ''));
}
