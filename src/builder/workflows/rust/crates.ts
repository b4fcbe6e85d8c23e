import * as path from 'node:path';
import { exists, readTextIfExists } from '../../../support/files.ts';
import { ownValue } from '../../../support/own-value.ts';
import { fields, text } from '../../../support/shapes.ts';
import type { BuildInput } from '../../build-result.ts';
import { addInputs, namesAbove, placesAbove } from '../files-above.ts';
import { findNamedVariables, whyVariable } from '../named-variables.ts';
import type { NamedVariable, VariableSyntax } from '../named-variables.ts';
import { findOutsidePaths } from '../outside-paths.ts';
import type { PathSyntax } from '../outside-paths.ts';
import { parseTomlFile } from '../toml-file.ts';

/** A table of a Cargo.toml. cargo reports its errors; we only read what belongs to the crate. */
type Table = Readonly<Record<string, unknown>>;

/** Returns the table at a path; an empty one if there is none. */
export function tableAt(table: Table, ...names: readonly string[]): Table {
  let inner = table;
  for (const name of names) inner = fields(ownValue(inner, name)) ?? {};
  return inner;
}

/** Names that are no source of a crate. */
const EXCLUDES = ['target', '.git', '.aws-sam'];

/** Reads the Cargo.toml of a folder; undefined if there is none. */
export async function readCrate(dir: string): Promise<Table | undefined> {
  const file = path.join(dir, 'Cargo.toml');
  const content = await readTextIfExists(file);
  return content === undefined ? undefined : parseTomlFile(file, content);
}

/** Files that a crate's sources include from outside of it. */
const PATHS: PathSyntax = {
  isBuildFile: (name) => name.endsWith('.rs'),
  paths: /(?:include(?:_str|_bytes)?!\s*\(|#\[path\s*=)\s*"([^"\n]*)"|"(\/\.\.\/[^"\n]*)"/g,
  // after CARGO_MANIFEST_DIR
  variables: [{ pattern: /^\//, folder: 'root' }],
  unknown: /\0/,
  excludes: EXCLUDES,
};

/** Variables whose values the compiler puts into the program. */
const VARIABLES: VariableSyntax = {
  isFile: (name) => name.endsWith('.rs'),
  uses: /\b(?:option_)?env!\s*\(\s*"([^"]+)"/g,
  // Cargo sets them
  ignored: /^(?:CARGO_|OUT_DIR$)/,
  excludes: EXCLUDES,
};

/** What decides the build of a crate. */
export interface CrateInputs {
  inputs: BuildInput[];
  /** Variables that decide it, too. */
  variables: readonly NamedVariable[];
  /** Why another machine may build something else; undefined: the inputs decide it. */
  unshared: string | undefined;
}

/**
 * Returns the inputs of a crate: its folder, its workspace's settings, the crates that it names by path, transitively, and what their
 * sources include from outside.
 */
export async function crateInputs(codeDir: string, projectDir: string): Promise<CrateInputs> {
  const files = new Set<string>();
  const crates = new Set<string>();
  let script: string | undefined;
  const visit = async (dir: string): Promise<void> => {
    if (crates.has(dir)) return;
    const manifest = await readCrate(dir);
    if (manifest === undefined) return;
    crates.add(dir);
    const named = tableAt(manifest, 'package')['build'];
    if (named !== false && (typeof named === 'string' || (await exists(path.join(dir, 'build.rs')))))
      script ??= `${path.basename(dir)} has a build script, which may use anything on this machine`;
    const root = await workspaceOf(dir, manifest);
    for (const name of ['Cargo.lock', ...namesAbove('cargo')]) files.add(path.join(root.dir, name));
    for (const local of localDependencies(manifest, dir, root)) await visit(local);
  };
  await visit(codeDir);
  for (const { path: file } of placesAbove('cargo', [codeDir], projectDir)) files.add(file);
  // the function's crate may itself be the root of the workspace
  const inside = (file: string): boolean => [...crates].some((crate) => path.dirname(file) === crate);
  const outside = await findOutsidePaths([...crates], PATHS);
  const own = [
    ...[...crates].map((dir) => ({ path: dir, excludes: EXCLUDES })),
    ...[...files].filter((file) => !inside(file)).map((file) => ({ path: file, excludes: [] })),
  ];
  const variables = await findNamedVariables([...crates, ...outside.inputs.map((input) => input.path)], VARIABLES);
  const unresolved = outside.unresolved && `${outside.unresolved}, which holds the crate`;
  return {
    inputs: addInputs(own, outside.inputs),
    variables,
    unshared: script ?? unresolved ?? whyVariable(variables),
  };
}

interface CrateRoot {
  dir: string;
  manifest: Table;
}

/** Finds the nearest Cargo.toml with a `[workspace]`; the crate itself if there is none. */
export async function workspaceOf(dir: string, manifest: Table): Promise<CrateRoot> {
  const named = text(tableAt(manifest, 'package')['workspace']);
  if (named !== undefined) {
    const root = path.resolve(dir, named);
    return { dir: root, manifest: (await readCrate(root)) ?? {} };
  }
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const above = folder === dir ? manifest : await readCrate(folder);
    if (above?.['workspace'] !== undefined) return { dir: folder, manifest: above };
    if (path.dirname(folder) === folder) return { dir, manifest };
  }
}

function localDependencies(manifest: Table, dir: string, root: CrateRoot): string[] {
  const targets = tableAt(manifest, 'target');
  const places = [manifest, ...Object.keys(targets).map((name) => tableAt(targets, name))];
  const shared = tableAt(root.manifest, 'workspace', 'dependencies');
  const own = places
    .flatMap((place) => [tableAt(place, 'dependencies'), tableAt(place, 'build-dependencies')])
    .flatMap((table) => Object.keys(table).map((name) => ({ name, dependency: tableAt(table, name) })))
    .flatMap(({ name, dependency }) => {
      const { path: local, workspace } = dependency;
      if (local === undefined && workspace === true) return folderOf(root.dir, tableAt(shared, name)['path']);
      return folderOf(dir, local);
    });
  const patches = tableAt(root.manifest, 'patch');
  const patched = Object.keys(patches)
    .map((name) => tableAt(patches, name))
    .flatMap((table) => Object.keys(table).flatMap((name) => folderOf(root.dir, tableAt(table, name)['path'])));
  return [...own, ...patched];
}

function folderOf(base: string, value: unknown): string[] {
  return typeof value === 'string' ? [path.resolve(base, value)] : [];
}
