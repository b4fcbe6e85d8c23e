import * as fs from 'node:fs';
import * as path from 'node:path';
import { readTextFile } from '../../support/regular-file.ts';
import { keyOf } from '../build-key.ts';
import type { KeyPart } from '../build-key.ts';
import type { SourceHasher } from '../source-hash.ts';

/** What a bundle was made of. */
export interface BundleInputs {
  /** Files that are in the bundle. Absolute, sorted. */
  files: readonly string[];
  /** Folders in which a new file could be found in place of one of these. Absolute, sorted. */
  folders: readonly string[];
}

/** Files that say how modules are found and compiled; they are no inputs in esbuild's own list. */
const SETTINGS = /^(package\.json|[jt]sconfig(\..+)?\.json)$/;

/**
 * The inputs from esbuild's metafile. `immutable`: a folder whose files never change (installed packages with a key of
 * their own). Inputs of plugins (`name:path`) are no files.
 */
export function inputsOfMetafile(
  names: readonly string[],
  workingDir: string,
  immutable: string | undefined,
): BundleInputs {
  const files = names
    .filter((name) => !/^\w[\w-]+:/.test(name))
    .map((name) => path.resolve(workingDir, name))
    .filter((file) => immutable === undefined || !file.startsWith(immutable + path.sep));
  const folders = new Set(
    files.filter((file) => !file.includes(`${path.sep}node_modules${path.sep}`)).map((file) => path.dirname(file)),
  );
  folders.add(workingDir);
  return { files: files.sort(), folders: [...folders].sort() };
}

/**
 * A key of the inputs' content: of each file, of every package.json and tsconfig.json that has a say in them, and of the
 * names in folders where a new file or package would be found instead.
 */
export async function keyOfInputs(inputs: BundleInputs, hasher: SourceHasher): Promise<string> {
  const parts: KeyPart[] = [];
  for (const file of inputs.files) parts.push(file, await hasher.hashFile(file));
  const upwards = [
    ...new Set([...inputs.files.map((file) => path.dirname(file)), ...inputs.folders].flatMap(andAbove)),
  ].sort();
  for (const folder of upwards) {
    const names = namesIn(folder);
    for (const name of names.filter((item) => SETTINGS.test(item))) {
      const file = path.join(folder, name);
      for (const setting of withExtended(file)) parts.push(setting, await hasher.hashFile(setting));
    }
    if (names.includes('node_modules')) parts.push(folder, packagesIn(path.join(folder, 'node_modules')));
  }
  for (const folder of inputs.folders)
    parts.push(
      folder,
      namesIn(folder).filter((name) => /\.[cm]?[jt]sx?$|\.json$|\.css$/.test(name)),
    );
  return keyOf(parts);
}

/** A tsconfig.json and the files that it extends, if they are named by a path. */
function withExtended(file: string, seen = new Set<string>()): string[] {
  if (!path.basename(file).startsWith('tsconfig') && seen.size === 0) return [file];
  seen.add(file);
  const text = readText(file);
  const value = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/.exec(text)?.[1] ?? '';
  const bases = [...value.matchAll(/"(\.[^"]*)"/g)].flatMap(([, name = '']) => {
    const base = path.resolve(path.dirname(file), name.endsWith('.json') ? name : `${name}.json`);
    return seen.has(base) ? [] : withExtended(base, seen);
  });
  return [file, ...bases];
}

function readText(file: string): string {
  try {
    return readTextFile(file);
  } catch {
    return ''; // esbuild says that it is not there
  }
}

function andAbove(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...andAbove(parent)];
}

function packagesIn(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? namesIn(path.join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return []; // not there (any more), or not ours to read
  }
}
