import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { exists, statIfExists } from '../../../support/files.ts';
import { compileFolders, isGlob } from '../../../support/globs.ts';
import { withSlashes } from '../../../support/places.ts';
import { isLocalUrl, pathOfUrl } from '../file-url.ts';
import { isInstallable, normalizeName, parseRequirement, PROJECT_FILES, readPyProject } from './pyproject.ts';
import type { PyProject, UvSource } from './pyproject.ts';
import { differencesToLock, lockedLocals, readUvLock } from './uv-lock.ts';
import type { BuildContext } from '../workflow.ts';

/** Collects the files that were read or searched while reading manifests, so that it is complete even if one is invalid. */
export class ConsultedFiles {
  readonly #files = new Set<string>();
  readonly #projectDir: string;

  /** Missing files count below `projectDir` only: we do not watch a whole disk for them. */
  constructor(projectDir: string) {
    this.#projectDir = projectDir + path.sep;
  }

  add(file: string): void {
    this.#files.add(file);
  }

  /** Adds a file that may be missing. */
  async search(file: string): Promise<void> {
    if (file.startsWith(this.#projectDir) || (await exists(file))) this.add(file);
  }

  async pyProject(dir: string): Promise<PyProject | undefined> {
    await this.search(path.join(dir, 'pyproject.toml'));
    return readPyProject(dir);
  }

  list(): string[] {
    return [...this.#files];
  }
}

/** A project of uv, with everything that decides its packages. */
export interface UvProject {
  /** `pyproject.toml`, or a script with metadata in it. Absolute. */
  file: string;
  isScript: boolean;
  /** The lock of the project or its workspace; undefined if there is none. */
  lock: string | undefined;
  /** The path of that lock, existing or not. Absolute. */
  lockFile: string;
  /** Hash of the lock's content. */
  lockHash: string | undefined;
  /** The Python versions that it supports. */
  requiresPython: string | undefined;
  /** Local folders and archives that it needs. Absolute. */
  locals: readonly string[];
  /** Requirements that do not match the lock. */
  notInLock: readonly string[];
}

/** Reads the lock and the workspace around a project. */
export async function readUvProject(
  project: PyProject,
  files: ConsultedFiles,
  hasher: BuildContext['hasher'],
): Promise<UvProject> {
  const isScript = !project.file.endsWith('pyproject.toml');
  const root = isScript ? project : await findWorkspaceRoot(project, files);
  files.add(project.file);
  for (const dir of new Set([project.dir, root.dir])) files.add(path.join(dir, 'uv.toml'));
  const lockFile = isScript ? `${project.file}.lock` : path.join(root.dir, 'uv.lock');
  const facts = { file: project.file, isScript, requiresPython: project.project?.requiresPython, lockFile };
  files.add(lockFile);
  const lockHash = await hasher.hashFile(lockFile);
  if (lockHash === undefined) {
    const locals = new Set<string>();
    await addLocalsOf(project, { locals, files, extras: [] });
    return { ...facts, lockHash, lock: undefined, locals: [...locals].sort(), notInLock: [] };
  }
  const lock = await readUvLock(lockFile, lockHash);
  return {
    ...facts,
    lockHash,
    lock: lockFile,
    locals: lockedLocals(lock, root.dir, project.dir),
    notInLock: isScript ? [] : differencesToLock(project, lock, root.dir),
  };
}

/**
 * Returns the workspace of which the project is a member, else the project itself. As in uv, only the nearest `pyproject.toml`
 * above decides.
 */
async function findWorkspaceRoot(project: PyProject, files: ConsultedFiles): Promise<PyProject> {
  if (project.uv.workspace) return project;
  for (let folder = project.dir; path.dirname(folder) !== folder;) {
    folder = path.dirname(folder);
    const above = await files.pyProject(folder);
    if (above === undefined) continue;
    const { members = [], exclude = [] } = above.uv.workspace ?? {};
    const place = withSlashes(path.relative(folder, project.dir));
    const isMember = compileFolders(members).matches(place) && !compileFolders(exclude).matches(place);
    return isMember ? above : project;
  }
  return project;
}

interface LocalSearch {
  locals: Set<string>;
  files: ConsultedFiles;
  extras: readonly string[];
}

/** Adds the local folders and archives that a project needs, transitively, by its manifests. */
async function addLocalsOf(project: PyProject, search: LocalSearch): Promise<void> {
  const { files, extras } = search;
  const root = await findWorkspaceRoot(project, files);
  const { dependencies = [], extras: optional, isDynamic = false } = project.project ?? {};
  // only the build backend knows the dependencies
  if (isDynamic) search.locals.add(project.dir);
  const wanted = isDynamic
    ? [...project.uv.sources.keys()]
    : [...dependencies, ...extras.flatMap((extra) => optional?.get(extra) ?? [])];
  for (const text of wanted) {
    const requirement = parseRequirement(text);
    if (requirement === undefined) continue;
    if (requirement.url?.startsWith('file:')) await addLocal(pathOfUrl(requirement.url, project.dir), search);
    for (const place of await sourcePlaces(requirement.name, project, root))
      await addLocal(place, { ...search, extras: requirement.extras });
  }
  for (const place of localIndexes(project, root)) search.locals.add(place);
}

/** Adds a local folder or archive, and what the project in it needs. */
export async function addLocal(place: string, search: LocalSearch): Promise<void> {
  if (search.locals.has(place)) return;
  const isFolder = (await statIfExists(place))?.isDirectory() === true;
  if (isFolder && !(await isInstallable(place))) {
    // pip and uv refuse it: what it holds, perhaps a whole disk, decides nothing
    for (const name of PROJECT_FILES) await search.files.search(path.join(place, name));
    return;
  }
  search.locals.add(place);
  if (!isFolder) return;
  const project = await search.files.pyProject(place);
  if (project) await addLocalsOf(project, search);
}

/** A project's own sources take precedence over those of its workspace. */
async function sourcePlaces(name: string, project: PyProject, root: PyProject): Promise<string[]> {
  const places: string[] = [];
  for (const { dir, uv } of project === root ? [project] : [project, root]) {
    const entry = uv.sources.get(name);
    if (entry === undefined) continue;
    for (const source of entry) places.push(...(await placesOf(source, { name, dir, root })));
    return places;
  }
  return places;
}

async function placesOf(
  source: UvSource,
  { name, dir, root }: { name: string; dir: string; root: PyProject },
): Promise<string[]> {
  if (source.path !== undefined) return [path.resolve(dir, source.path)];
  if (!source.workspace) return [];
  const member = await findMember(root, name);
  // it may appear where members are
  return member === undefined
    ? (root.uv.workspace?.members ?? []).map((pattern) => fixedPart(root.dir, pattern))
    : [member];
}

function fixedPart(dir: string, pattern: string): string {
  const parts = pattern.split('/');
  const wild = parts.findIndex(isGlob);
  return path.join(dir, ...(wild < 0 ? parts : parts.slice(0, wild)));
}

function localIndexes(project: PyProject, root: PyProject): string[] {
  return [project, root].flatMap(({ dir, uv }) => uv.places.filter(isLocalUrl).map((place) => pathOfUrl(place, dir)));
}

/** Finds the folder of a workspace's member by name. */
async function findMember(root: PyProject, name: string): Promise<string | undefined> {
  const { members = [], exclude = [] } = root.uv.workspace ?? {};
  const included = compileFolders(members);
  const excluded = compileFolders(exclude);
  const isNamed = async (folder: string): Promise<boolean> => {
    const own = (await readPyProject(folder))?.project?.name;
    return own !== undefined && normalizeName(own) === name;
  };
  const visit = async (folder: string, place: string): Promise<string | undefined> => {
    const isMember = place === '' || (included.matches(place) && !excluded.matches(place));
    if (isMember && (await isNamed(folder))) return folder;
    if (place !== '' && !included.mayMatchBelow(place)) return undefined;
    for (const item of await fs.readdir(folder, { withFileTypes: true })) {
      if (!item.isDirectory() || /^\.|^node_modules$|^__pycache__$/.test(item.name)) continue;
      const member = await visit(path.join(folder, item.name), place === '' ? item.name : `${place}/${item.name}`);
      if (member !== undefined) return member;
    }
    return undefined;
  };
  return visit(root.dir, '');
}
