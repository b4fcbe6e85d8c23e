import * as fs from 'node:fs';
import * as path from 'node:path';
import { isBelow, withParents } from '../../support/places.ts';
import type { BuildInput } from '../build-result.ts';

/**
 * What tools read from the folders above a project. A name that does not exist counts, too: a checkout that has it gets another
 * build, and so does this one once it is added.
 */
const FILES_ABOVE = {
  cargo: ['.cargo/config.toml', '.cargo/config', 'rust-toolchain.toml', 'rust-toolchain', 'Cargo.toml'],
  dotnet: [
    'Directory.Build.props',
    'Directory.Build.targets',
    'Directory.Build.rsp',
    'Directory.Packages.props',
    'global.json',
    'nuget.config',
    'NuGet.config',
    'NuGet.Config',
    '.editorconfig',
    '.globalconfig',
  ],
  go: ['go.work', 'go.work.sum'],
  gradle: ['settings.gradle', 'settings.gradle.kts'],
  maven: ['pom.xml', '.mvn'],
  node: ['package.json', 'pnpm-workspace.yaml', '.yarnrc.yml'],
} as const;

/** A tool that reads files from above a project. */
export type ToolWithFilesAbove = keyof typeof FILES_ABOVE;

/** Returns the names that a tool looks for. */
export function namesAbove(tool: ToolWithFilesAbove): readonly string[] {
  return FILES_ABOVE[tool];
}

/**
 * Lists what a tool looks for in these folders and above them, up to the repository's (without one, up to the project's): also what
 * does not exist. Settings above a repository are of the machine.
 */
export function placesAbove(tool: ToolWithFilesAbove, dirs: readonly string[], projectDir: string): BuildInput[] {
  const folders = new Set(dirs.flatMap((dir) => foldersOfRepository(dir, projectDir)));
  return [...folders].flatMap((folder) =>
    FILES_ABOVE[tool].map((name) => ({ path: path.join(folder, name), excludes: [] })),
  );
}

/** Lists a folder and those above it up to the repository's. */
function foldersOfRepository(dir: string, projectDir: string): string[] {
  const folders = withParents(dir);
  const repository = folders.findIndex((folder) => fs.existsSync(path.join(folder, '.git')));
  if (repository >= 0) return folders.slice(0, repository + 1);
  return isBelow(dir, projectDir) ? folders.slice(0, folders.indexOf(projectDir) + 1) : [dir];
}

/** Adds inputs whose paths are not there already. */
export function addInputs(inputs: readonly BuildInput[], more: readonly BuildInput[]): BuildInput[] {
  const known = new Set(inputs.map((input) => input.path));
  return [...inputs, ...more.filter(({ path: place }) => !known.has(place))];
}
