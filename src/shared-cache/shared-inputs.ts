import * as fs from 'node:fs';
import * as path from 'node:path';
import { hashOf } from '../builder/build-key.ts';
import type { KeyPart } from '../builder/build-key.ts';
import type { BuildInput } from '../builder/build-result.ts';
import type { SourceHasher } from '../builder/cache/source-hash.ts';
import { spend } from '../builder/cache/work-budget.ts';
import type { WorkBudget } from '../builder/cache/work-budget.ts';
import { itemsIn } from '../support/files.ts';
import { compileExcludes } from '../support/globs.ts';
import { isBelow, withParents, withSlashes } from '../support/places.ts';

/** A file or folder that decides a build, relative to the code's folder, with `/`. */
export type SharedInput = BuildInput;

/** Where inputs are: paths in entries start from the code's folder, so that the place of a checkout does not matter. */
export interface InputPlace {
  codeDir: string;
  /** `codeDir` with links resolved. */
  realCodeDir: string;
  /** The repository, or without one the folder of the project. */
  root: string;
}

/** Finds the place of a build's inputs. */
export function inputPlace(codeDir: string, projectDir: string): InputPlace {
  const repository = withParents(projectDir).find((folder) => fs.existsSync(path.join(folder, '.git')));
  return {
    codeDir,
    realCodeDir: fs.realpathSync.native(codeDir),
    root: fs.realpathSync.native(repository ?? projectDir),
  };
}

/** Returns the place of code in the project, equal in all checkouts. */
export function placeOfCode(codeDir: string, projectDir: string): string {
  return withSlashes(path.relative(projectDir, codeDir));
}

/** Returns inputs as an entry has them, or why another machine may not have them. */
export function toShared(inputs: readonly BuildInput[], place: InputPlace): SharedInput[] | { reason: string } {
  const shared = new Map<string, SharedInput>();
  for (const input of inputs) {
    if (!isInside(input.path, place)) {
      // names that are looked up above the project, and found nowhere
      if (input.direct === true || !fs.existsSync(input.path)) continue;
      return { reason: `it reads ${input.path}, which is outside the repository` };
    }
    const one = toRelative(input, place);
    shared.set(JSON.stringify(one), one);
  }
  return [...shared].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, input]) => input);
}

/** Returns an input with its path from the code's folder. */
export function toRelative({ path: file, excludes, direct, stems }: BuildInput, place: InputPlace): SharedInput {
  const flags = { ...(direct === true ? { direct } : {}), ...(stems ? { stems: [...stems].sort() } : {}) };
  return { path: relativePath(file, place), excludes: [...excludes].sort(), ...flags };
}

function isInside(file: string, { codeDir, realCodeDir, root }: InputPlace): boolean {
  return (
    [codeDir, realCodeDir, root].some((folder) => file === folder || isBelow(file, folder)) || isReallyBelow(file, root)
  );
}

/** The path may lead through a link. */
function isReallyBelow(file: string, root: string): boolean {
  const existing = withParents(file).find((folder) => fs.existsSync(folder));
  if (existing === undefined || existing === path.dirname(existing)) return false;
  const real = fs.realpathSync(existing);
  return real === root || isBelow(real, root);
}

function relativePath(file: string, { codeDir, realCodeDir }: InputPlace): string {
  const [one = '', other = ''] = [codeDir, realCodeDir].map((folder) => withSlashes(path.relative(folder, file)));
  return other.split('../').length < one.split('../').length ? other : one;
}

/** Returns inputs of an entry in this project. */
export function fromShared(inputs: readonly SharedInput[], { codeDir }: InputPlace): BuildInput[] {
  return inputs.map((input) => ({ ...input, path: path.resolve(codeDir, input.path) }));
}

/**
 * Hashes the content of what an entry names. undefined: some of it is outside the repository, which no writer names, or cannot be
 * read, or it is more than a build reads. Others write entries: they decide neither what is read on this machine, nor whether its build fails.
 */
export async function hashNamed(
  inputs: readonly SharedInput[],
  place: InputPlace,
  hasher: SourceHasher,
): Promise<string | undefined> {
  if (!fromShared(inputs, place).every((input) => isInside(input.path, place))) return undefined;
  try {
    return await hashInputs(inputs, place, { hasher, budget: { ...MOST_WORK } });
  } catch {
    return undefined;
  }
}

/** No build of ours reads more. */
const MOST_WORK: WorkBudget = { items: 200_000, bytes: 4 * 1024 ** 3 };

/**
 * Hashes the content of inputs; what is missing counts as missing. A folder that holds the code counts with the code's place in
 * it: the projects in it are different builds of the same files.
 */
export async function hashInputs(
  inputs: readonly SharedInput[],
  place: InputPlace,
  { hasher, budget }: { hasher: SourceHasher; budget?: WorkBudget },
): Promise<string> {
  const parts: KeyPart[] = [];
  for (const input of fromShared(inputs, place)) {
    spend(budget, { items: 1 });
    const hash = input.direct
      ? await hashNames(input, { hasher, budget })
      : await hasher.hashPath(input.path, input.excludes, budget);
    const isAround = input.direct !== true && isBelow(place.codeDir, input.path);
    parts.push(isAround ? [hash ?? null, withSlashes(path.relative(input.path, place.codeDir))] : (hash ?? null));
  }
  return hashOf(parts);
}

/** Hashes what is directly in a folder: names, and the content of files that are named. */
async function hashNames(
  { path: folder, excludes, stems }: BuildInput,
  { hasher, budget }: { hasher: SourceHasher; budget: WorkBudget | undefined },
): Promise<string> {
  const isExcluded = compileExcludes(excludes);
  const isNamed = (name: string): boolean =>
    stems === undefined || stems.some((stem) => name === stem || name.startsWith(`${stem}.`));
  const parts: KeyPart[] = [];
  const items = itemsIn(folder).sort((a, b) => (a.name < b.name ? -1 : 1));
  spend(budget, { items: items.length });
  for (const item of items) {
    if (isExcluded(item.name, true) || !isNamed(item.name)) continue;
    const isContent = stems && item.isFile();
    parts.push(item.name, isContent ? await hasher.hashFile(path.join(folder, item.name), budget) : item.isFile());
  }
  return hashOf(parts);
}
