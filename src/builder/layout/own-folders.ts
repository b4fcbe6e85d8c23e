import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import {
  exists,
  isMissing,
  makeFolder,
  readTextIfExists,
  realPathNow,
  removeTree,
  writeFileAtomic,
} from '../../support/files.ts';
import { isBelow } from '../../support/places.ts';
import { buildLayoutDir, buildStoreDir } from '../build-options.ts';
import type { BuildOptions } from '../build-options.ts';

/** The folders below `.aws-sam` that a build replaces. */
export type OwnFolders = Pick<BuildOptions, 'projectDir' | 'dependencyLayer'>;

/** Files that SAM CLI writes beside its build folder. */
const SAM_CLI_FILES = ['build.toml', 'sync.toml'];
const TEMPLATE = 'template.yaml';

/**
 * Checks, before anything is written, that we or SAM CLI made what a build replaces. `.aws-sam` may be a link; the folder in it
 * that is replaced may not.
 */
export async function checkOwnFolders(folders: OwnFolders): Promise<void> {
  checkWorkDir(path.join(folders.projectDir, '.aws-sam'), folders.projectDir);
  await checkLayout(folders);
}

/** Claims the folder of built templates: empties it unless we made it, and marks it as ours. */
export async function claimLayout(folders: OwnFolders): Promise<void> {
  const dir = buildLayoutDir(folders);
  if (!(await checkLayout(folders))) {
    for (const name of readdirSync(dir)) await removeTree(path.join(dir, name));
  }
  await makeFolder(dir);
  const mark = markOf(lstatSync(dir));
  if ((await readMark(folders)) !== mark) await writeFileAtomic(markFile(folders), mark);
}

/** Whether the folder of built templates is ours. */
export async function isOurLayout(folders: OwnFolders): Promise<boolean> {
  const stat = lstatIfExists(buildLayoutDir(folders));
  return stat !== undefined && stat.isDirectory() && (await readMark(folders)) === markOf(stat);
}

/** Returns `lstat` of a path; undefined if nothing is there. */
function lstatIfExists(place: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Refuses a link to a parent of the project. A file, or a link to nowhere, is reported by the operating system later. */
function checkWorkDir(workDir: string, projectDir: string): void {
  if (lstatIfExists(workDir)?.isSymbolicLink() !== true) return;
  const target = realPathNow(workDir);
  const project = realPathNow(projectDir);
  if (target === undefined || project === undefined || (target !== project && !isBelow(project, target))) return;
  throw new UserError(`${workDir} is a link to a folder that contains the project: ${target}`, {
    hint: 'Link it to a separate folder: sam-sync may replace its content.',
  });
}

/** Whether the folder is ours, or does not exist. Throws if it must not be replaced. */
async function checkLayout(folders: OwnFolders): Promise<boolean> {
  const dir = buildLayoutDir(folders);
  const stat = lstatIfExists(dir);
  if (stat === undefined || (await isOurLayout(folders))) return true;
  if (stat.isSymbolicLink()) {
    throw new UserError(`${dir} is a link, and a build would replace its target`, {
      hint: 'Remove the link, or link .aws-sam as a whole.',
    });
  }
  // a file in its place: the operating system reports it when the folder is created
  if (!stat.isDirectory()) return true;
  if (!(await isBuildOutput(folders))) {
    throw new UserError(`${dir} was created neither by sam-sync nor by SAM CLI, and a build would replace it`, {
      hint: 'Move the files that you need out of it and remove the folder.',
    });
  }
  // a folder with only a template need not be emptied
  return namesBeside(folders).length === 0 || isLinked(folders);
}

/** Whether SAM CLI made the folder, or an earlier run of ours whose mark is gone. */
async function isBuildOutput(folders: OwnFolders): Promise<boolean> {
  const dir = buildLayoutDir(folders);
  if (namesBeside(folders).length === 0) return true;
  for (const name of SAM_CLI_FILES) if (await exists(path.join(path.dirname(dir), name))) return true;
  return isLinked(folders) || (readIfThere(path.join(dir, TEMPLATE)) ?? '').includes('SamResourceId');
}

/** Returns the names in the folder except the template. */
function namesBeside(folders: OwnFolders): string[] {
  return readdirSync(buildLayoutDir(folders)).filter((name) => name !== TEMPLATE);
}

/** Whether the folder holds a link to our store. */
function isLinked(folders: OwnFolders): boolean {
  const dir = buildLayoutDir(folders);
  const store = buildStoreDir(folders.projectDir);
  return readdirSync(dir, { withFileTypes: true }).some(
    (item) => item.isSymbolicLink() && isBelow(path.resolve(dir, readlinkSync(path.join(dir, item.name))), store),
  );
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Returns the file of the mark. It lies where SAM CLI does not wipe it, and identifies the folder itself, not only its name. */
function markFile(folders: OwnFolders): string {
  return path.join(buildStoreDir(folders.projectDir), 'layouts', path.basename(buildLayoutDir(folders)));
}

function markOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}:${ino}:${Math.round(birthtimeMs)}`;
}

function readMark(folders: OwnFolders): Promise<string | undefined> {
  return readTextIfExists(markFile(folders));
}
