import * as path from 'node:path';
import { readTextIfExists } from '../../support/files.ts';
import type { KeyPart } from '../build-key.ts';
import { listFiles } from '../file-tree.ts';

/** How the files of a tool name variables of the environment. */
export interface VariableSyntax {
  /** Files that may, by name. */
  isFile(name: string): boolean;
  /** Finds a use; one of its groups is the name, if the text has it. */
  uses: RegExp;
  /** Names that do not decide a build. */
  ignored: RegExp;
  excludes: readonly string[];
}

/** A use of a variable. */
export interface NamedVariable {
  /** Absolute. */
  file: string;
  /** undefined: any. */
  name: string | undefined;
}

/** Names of logins for repositories: they decide who may download, not what. */
export const LOGINS = /(?:^|_)(?:USER|USERNAME|ACTOR|PASS|PASSWORD|TOKEN|SECRET|KEY)$/i;

/** Lists the variables that files name; `places` are files and folders. Runs no tool. */
export async function findNamedVariables(
  places: readonly string[],
  { isFile, uses, ignored, excludes }: VariableSyntax,
): Promise<NamedVariable[]> {
  const files = new Set(places.flatMap((place) => listFiles(place, excludes)));
  const found = [...files].sort().map(async (file) => {
    const text = isFile(path.basename(file)) ? await readTextIfExists(file) : undefined;
    return [...(text ?? '').matchAll(uses)].map((match) => ({ file, name: match.slice(1).find(Boolean) }));
  });
  return (await Promise.all(found)).flat().filter(({ name }) => name === undefined || !ignored.test(name));
}

/** Returns why the project's files do not decide the build; undefined if they name no variable. */
export function whyVariable([used]: readonly NamedVariable[]): string | undefined {
  return used && `${path.basename(used.file)} uses ${used.name ?? 'variables'} of the environment`;
}

/** Returns parts of the key of a build on this machine: the variables that are set; none if there are none. */
export function variableParts(
  variables: readonly NamedVariable[],
  env: Readonly<Record<string, string | undefined>>,
): KeyPart[] {
  const names = [...new Set(variables.flatMap(({ name }) => name ?? []))].sort();
  const set = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return set.length === 0 ? [] : [set];
}
