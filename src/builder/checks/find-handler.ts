import { readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { itemsIn, namesIn } from '../../support/files.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { handlerOf, SOURCES } from './handler-location.ts';
import type { HandlerLocation } from './handler-location.ts';

/** The folders of a function's files. Absolute. */
export interface FunctionFolders {
  artifact: string;
  /** The content of its dependency layer. */
  dependencies: string | undefined;
}

/**
 * Finds the file of the handler, relative to the artifact; `elsewhere`: it is among the packages; undefined: it does not exist.
 * Names are case-sensitive as on Lambda, also on disks that ignore case.
 */
export function findHandler(place: HandlerLocation, folders: FunctionFolders): string | 'elsewhere' | undefined {
  const { artifact, dependencies } = folders;
  const [first = ''] = place.files;
  const file = place.files.find((candidate) => isThere(artifact, candidate));
  if (file !== undefined) return file;
  const { alternatives } = place;
  const beside = namesIn(path.join(artifact, path.dirname(first)));
  if (alternatives && beside.some((name) => alternatives.test(name))) return 'elsewhere';
  const packages = packageFolders(place, folders);
  if (packages.some((folder) => place.inPackages.some((file) => isThere(folder, file)))) return 'elsewhere';
  const { inJars } = place;
  const libraries = [artifact, path.join(artifact, 'lib'), path.join(dependencies ?? artifact, 'java', 'lib')];
  if (inJars !== undefined && libraries.some((folder) => isInJars(folder, inJars))) return 'elsewhere';
  return undefined;
}

function packageFolders({ language }: HandlerLocation, { artifact, dependencies }: FunctionFolders): string[] {
  if (language === 'python') return dependencies === undefined ? [] : [path.join(dependencies, 'python')];
  if (language === 'nodejs') {
    const layer = dependencies === undefined ? [] : [path.join(dependencies, 'nodejs', 'node_modules')];
    return [path.join(artifact, 'node_modules'), ...layer];
  }
  if (language !== 'ruby') return [];
  const roots = [path.join(artifact, 'vendor', 'bundle', 'ruby')];
  if (dependencies !== undefined) roots.push(path.join(dependencies, 'ruby', 'gems'));
  return roots.flatMap((root) =>
    namesIn(root).flatMap((version) => {
      const gems = path.join(root, version, 'gems');
      return namesIn(gems).map((gem) => path.join(gems, gem, 'lib'));
    }),
  );
}

/** Whether a file (or, in `node_modules`, a package) of exactly this name is below the folder. */
function isThere(folder: string, file: string): boolean {
  const absolute = path.join(folder, file);
  // first, because Node throws for a file in the place of the folder, in spite of `throwIfNoEntry`
  if (!namesIn(path.dirname(absolute)).includes(path.basename(absolute))) return false;
  const isFolder = statSync(absolute, { throwIfNoEntry: false })?.isDirectory();
  return isFolder === false || (isFolder === true && path.basename(folder) === 'node_modules');
}

/** Looks for the file's name in the jars: their directories hold it as plain text. */
function isInJars(folder: string, file: string): boolean {
  const jars = namesIn(folder).filter((name) => name.endsWith('.jar'));
  return jars.some((name) => readFileSync(path.join(folder, name)).includes(file));
}

/** Search this many files at most for a similar handler. */
const MAX_FILES = 500;
const PACKAGE_FOLDERS: ReadonlySet<string> = new Set(['node_modules', 'vendor', '__pycache__']);

/** Returns the handler that the user probably meant if the file does not exist: one of an own file with a similar name. */
export function nearestHandler(
  place: HandlerLocation,
  artifact: string,
  isOwn: (file: string) => boolean,
): string | undefined {
  const { language, name, files } = place;
  const [wanted = ''] = files;
  if (language === undefined || name === undefined) return undefined;
  const ownFiles = listFiles(artifact, SOURCES[language]).filter(isOwn);
  const base = path.posix.basename(wanted);
  const sameName = ownFiles.find((file) => path.posix.basename(file).toLowerCase() === base.toLowerCase());
  const file = sameName ?? nearestName(wanted, ownFiles);
  return file === undefined ? undefined : handlerOf(language, file, name);
}

function listFiles(root: string, pattern: RegExp): string[] {
  const files: string[] = [];
  const folders = [''];
  for (let folder = folders.shift(); folder !== undefined && files.length < MAX_FILES; folder = folders.shift()) {
    for (const item of itemsIn(path.join(root, folder))) {
      const file = path.posix.join(folder, item.name);
      if (item.isDirectory()) {
        if (!PACKAGE_FOLDERS.has(item.name) && folders.length < MAX_FILES) folders.push(file);
      } else if (pattern.test(item.name)) files.push(file);
    }
  }
  return files;
}
