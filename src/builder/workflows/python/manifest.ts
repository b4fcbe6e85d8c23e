import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, readTextIfExists } from '../../../support/files.ts';
import { withoutLogins } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { readScriptMetadata } from './pyproject.ts';
import type { PyProject } from './pyproject.ts';
import { findExport } from './lock-export.ts';
import type { LockExport } from './lock-export.ts';
import { localPathsBase, localPathsOf, readRequirements } from './requirements.ts';
import type { Requirements } from './requirements.ts';
import { addLocal, ConsultedFiles, readUvProject } from './uv-project.ts';
import type { UvProject } from './uv-project.ts';
import type { BuildContext } from '../workflow.ts';

/** The source of a function's packages, and what it says. */
export interface PythonManifest {
  source:
    | { kind: 'requirements'; tool: 'pip' | 'uv'; requirements: Requirements }
    | { kind: 'project'; tool: 'uv'; project: UvProject }
    | { kind: 'export'; tool: LockExport['tool']; lock: LockExport }
    /** It is invalid. */
    | { kind: 'invalid'; tool: 'pip' | 'uv' };
  /** Files that were read or searched. Absolute. */
  files: readonly string[];
  /** Local folders and archives to install, or to install from. Absolute. */
  locals: readonly string[];
  /** Hash parts of everything in the files. */
  key: KeyPart;
  /** The tool resolves relative paths against this folder. */
  base: string;
  isEmpty: boolean;
  /** The error to throw on installation: by then the files are known, and watched. */
  problem: UserError | undefined;
}

interface ManifestSearch {
  dir: string;
  definition: BuildDefinition;
  context: BuildContext;
  files: ConsultedFiles;
}

/** Finds the source of a function's packages; undefined if there is none. */
export async function findManifest(
  definition: BuildDefinition,
  context: BuildContext,
): Promise<PythonManifest | undefined> {
  const files = new ConsultedFiles(context.options.projectDir);
  const search = { dir: definition.codeDir, definition, context, files };
  try {
    return await (definition.buildMethod === 'python-uv' ? findForUv(search) : findForPip(search));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const source = { kind: 'invalid', tool: definition.buildMethod === 'python-uv' ? 'uv' : 'pip' } as const;
    const base = definition.codeDir;
    return { source, files: files.list(), locals: [], key: null, base, isEmpty: false, problem: error };
  }
}

/** SAM CLI reads these for `python-uv` too, in this order. */
const OTHER_REQUIREMENTS = ['requirements-dev.txt', 'requirements-test.txt', 'requirements-prod.txt'];

/**
 * `BuildMethod: python-uv`: requirements.txt before pyproject.toml, as in SAM CLI; where SAM CLI finds nothing, the metadata in
 * the handler's script.
 */
async function findForUv(search: ManifestSearch): Promise<PythonManifest | undefined> {
  const { dir, context, files } = search;
  const requirements = await readRequirements(path.join(dir, 'requirements.txt'), context.tools.env);
  const project = await files.pyProject(dir);
  if (requirements) {
    if (declaresPackages(project))
      context.note('info', 'installing requirements.txt, not pyproject.toml, as SAM CLI does; remove one of the two');
    return fromRequirements('uv', requirements, search);
  }
  if (project?.project) {
    if (!declaresPackages(project) && project.hasGroups)
      context.note('info', 'dependency groups are not installed; list packages under dependencies of [project]');
    return fromProject(project, search);
  }
  const script = await handlerScript(search);
  if (script) return fromProject(script, search);
  for (const name of OTHER_REQUIREMENTS) {
    const other = await readRequirements(path.join(dir, name), context.tools.env);
    if (other === undefined) continue;
    context.note(
      'info',
      `installing ${name}, because there is neither requirements.txt nor a [project] in pyproject.toml`,
    );
    return fromRequirements('uv', other, search);
  }
  context.note(
    'warning',
    `no packages are installed: ${dir} has neither requirements.txt nor a pyproject.toml with [project]`,
  );
  return undefined;
}

async function handlerScript({ dir, definition, files }: ManifestSearch): Promise<PyProject | undefined> {
  if (definition.handler === undefined) return undefined;
  const module = definition.handler.split('.').slice(0, -1).join('/');
  const file = path.join(dir, `${module}.py`);
  const script = await readScriptMetadata(file);
  if (script) files.add(file);
  return script;
}

/** Without uv as the method: requirements.txt, else the lock or the packages of an installed tool. */
async function findForPip(search: ManifestSearch): Promise<PythonManifest | undefined> {
  const { dir, context, files } = search;
  const requirements = await readRequirements(path.join(dir, 'requirements.txt'), context.tools.env);
  if (requirements) return fromRequirements('pip', requirements, search);
  const project = await files.pyProject(dir);
  const uv = project && declaresPackages(project) ? await fromProject(project, search) : undefined;
  const hasUvLock = uv?.source.kind === 'project' && uv.source.project.lock !== undefined;
  const exported = hasUvLock ? undefined : await findExport({ dir, project, context, canUseUv: uv !== undefined });
  if (exported) return fromExport(exported, search);
  if (uv === undefined || (await context.tools.find('uv')).length > 0) return uv;
  context.note(
    'warning',
    'pyproject.toml names packages that are not installed, because uv is not on PATH; install uv, or list them in requirements.txt',
  );
  return undefined;
}

/** Whether the project declares packages: a pyproject.toml may only configure tools. */
function declaresPackages(project: PyProject | undefined): boolean {
  return project?.project !== undefined && (project.project.dependencies.length > 0 || project.project.isDynamic);
}

async function fromRequirements(
  tool: 'pip' | 'uv',
  requirements: Requirements,
  { dir, context, files }: ManifestSearch,
): Promise<PythonManifest> {
  const candidates = [dir, context.options.projectDir];
  const localPaths = localPathsOf(requirements);
  const base = await localPathsBase(localPaths, candidates);
  const locals = new Set<string>();
  for (const local of localPaths) {
    const place = path.resolve(base, local);
    await addLocal(place, { locals, files, extras: [] });
    // it may appear in any candidate
    if (!(await exists(place))) for (const other of candidates) files.add(path.resolve(other, local));
  }
  for (const place of requirements.linkedPlaces) locals.add(place);
  for (const file of requirements.files) files.add(file);
  const [missing] = requirements.missing;
  return {
    source: { kind: 'requirements', tool, requirements },
    files: files.list(),
    locals: [...locals].sort(),
    key: [
      requirements.lines.map(({ text, isConstraint }) => [withoutLogins(text), isConstraint]),
      requirements.missing.map(({ file }) => file),
    ],
    base,
    isEmpty: !requirements.hasPackages && missing === undefined,
    problem: missing && missingFile(missing),
  };
}

function missingFile({ file, line, includedBy }: Requirements['missing'][number]): UserError {
  return new UserError(`${includedBy} includes ${file}, which does not exist (${line})`, {
    hint: 'Create it, or correct the path: it starts at the folder of the file that includes it.',
  });
}

async function fromProject(project: PyProject, { dir, context, files }: ManifestSearch): Promise<PythonManifest> {
  const uv = await readUvProject(project, files, context.hasher);
  if (uv.lock !== undefined && uv.notInLock.length > 0) {
    const text = `${path.basename(uv.lock)} does not match ${path.basename(uv.file)} (${uv.notInLock.join(', ')}); installing the locked versions. Run uv lock to update it`;
    context.note('warning', text);
  }
  // only the metadata of a script counts: the rest is code, which changes more often
  const texts = await readTexts(
    files.list().filter((file) => file !== uv.lockFile && !(uv.isScript && file === uv.file)),
  );
  return {
    source: { kind: 'project', tool: 'uv', project: uv },
    files: files.list(),
    locals: uv.locals,
    key: [
      texts,
      uv.lockHash,
      uv.isScript ? JSON.stringify([project.project, [...project.uv.sources], project.uv.places]) : null,
    ],
    base: dir,
    isEmpty: !declaresPackages(project),
    problem: undefined,
  };
}

async function fromExport(lock: LockExport, { dir, files }: ManifestSearch): Promise<PythonManifest> {
  const locals = new Set<string>();
  for (const place of lock.locals) await addLocal(place, { locals, files, extras: [] });
  for (const file of lock.files) files.add(file);
  return {
    source: { kind: 'export', tool: lock.tool, lock },
    files: files.list(),
    locals: [...locals].sort(),
    key: await readTexts(files.list()),
    base: dir,
    isEmpty: false,
    problem: undefined,
  };
}

async function readTexts(files: readonly string[]): Promise<KeyPart> {
  const texts = await Promise.all(files.map((file) => readTextIfExists(file)));
  return texts.filter((text) => text !== undefined).map(withoutLogins);
}
