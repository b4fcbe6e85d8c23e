import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { exists, isMissing, makeFolder, readTextIfExists, removeTree, writeFileAtomic } from '../../support/files.ts';
import { isBelow } from '../../support/places.ts';
import { buildLayoutDir, buildStoreDir } from '../build-options.ts';
import type { BuildOptions } from '../build-options.ts';

/** `.aws-sam` of the project and what in it is replaced by a build. */
export type OwnFolders = Pick<BuildOptions, 'projectDir' | 'dependencyLayer'>;

/** Files that AWS SAM CLI writes beside the folder that it builds into. */
const SAM_CLI_FILES = ['build.toml', 'sync.toml'];
const TEMPLATE = 'template.yaml';

/**
 * Checks, before anything is written, that what a build replaces was made by us or by AWS SAM CLI. A linked `.aws-sam` is
 * fine; the folder in it that is replaced is never reached through a link of its own.
 */
export async function checkOwnFolders(folders: OwnFolders): Promise<void> {
  checkWorkDir(path.join(folders.projectDir, '.aws-sam'), folders.projectDir);
  await checkLayout(folders);
}

/** Makes the folder of built templates ours: empties it unless we made it, and marks it. */
export async function claimLayout(folders: OwnFolders): Promise<void> {
  const dir = buildLayoutDir(folders);
  if (!(await checkLayout(folders))) {
    for (const name of readdirSync(dir)) await removeTree(path.join(dir, name));
  }
  await makeFolder(dir);
  const mark = markOf(lstatSync(dir));
  if ((await readMark(folders)) !== mark) await writeFileAtomic(markFile(folders), mark);
}

/** Whether the folder of built templates is the one that we made last. */
export async function isOurLayout(folders: OwnFolders): Promise<boolean> {
  const stat = lstatNow(buildLayoutDir(folders));
  return stat !== undefined && stat.isDirectory() && (await readMark(folders)) === markOf(stat);
}

/** What is at a place itself, links not followed; undefined: nothing. */
function lstatNow(place: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A file of that name, or a link to nowhere: the operating system says so when something is to be put there. */
function checkWorkDir(workDir: string, projectDir: string): void {
  if (lstatNow(workDir)?.isSymbolicLink() !== true) return;
  const target = realPathNow(workDir);
  const project = realPathNow(projectDir);
  if (target === undefined || project === undefined || (target !== project && !isBelow(project, target))) return;
  throw new UserError(`${workDir} is a link to a folder that holds the project: ${target}`, {
    hint: 'Link it to a folder of its own: what is in it may be replaced.',
  });
}

/** Whether the folder is ours already, or not there. Throws if it must not be replaced. */
async function checkLayout(folders: OwnFolders): Promise<boolean> {
  const dir = buildLayoutDir(folders);
  const stat = lstatNow(dir);
  if (stat === undefined || (await isOurLayout(folders))) return true;
  if (stat.isSymbolicLink()) {
    throw new UserError(`${dir} is a link, and what is behind it would be replaced`, {
      hint: 'Remove the link, or link .aws-sam as a whole.',
    });
  }
  // a file in its place: the operating system says so when the folder is made
  if (!stat.isDirectory()) return true;
  if (!(await isBuildOutput(folders))) {
    throw new UserError(`${dir} was made neither by sam-sync nor by AWS SAM CLI, and would be replaced`, {
      hint: 'Move what you need out of it and remove the folder.',
    });
  }
  // with nothing but a template there is nothing to be emptied
  return namesBeside(folders).length === 0 || isLinked(folders);
}

/** A folder of AWS SAM CLI's, or of an earlier run of ours whose mark is gone. */
async function isBuildOutput(folders: OwnFolders): Promise<boolean> {
  const dir = buildLayoutDir(folders);
  if (namesBeside(folders).length === 0) return true;
  for (const name of SAM_CLI_FILES) if (await exists(path.join(path.dirname(dir), name))) return true;
  return isLinked(folders) || (readIfThere(path.join(dir, TEMPLATE)) ?? '').includes('SamResourceId');
}

/** What is in the folder beside the template. */
function namesBeside(folders: OwnFolders): string[] {
  return readdirSync(buildLayoutDir(folders)).filter((name) => name !== TEMPLATE);
}

/** Whether something in the folder is a link to our store. */
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

function realPathNow(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}

/** The mark is beside what AWS SAM CLI may wipe, and says which folder is meant: another one of the same name is not. */
function markFile(folders: OwnFolders): string {
  return path.join(buildStoreDir(folders.projectDir), 'layouts', path.basename(buildLayoutDir(folders)));
}

function markOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}:${ino}:${Math.round(birthtimeMs)}`;
}

function readMark(folders: OwnFolders): Promise<string | undefined> {
  return readTextIfExists(markFile(folders));
}
