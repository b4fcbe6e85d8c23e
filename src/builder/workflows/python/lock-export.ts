import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { exists, readTextIfExists, writeFileAtomic } from '../../../support/files.ts';
import { parseJson } from '../../../support/shapes.ts';
import { keyOf } from '../../build-key.ts';
import { buildStoreDir } from '../../build-options.ts';
import type { Tools } from '../../tools/tools.ts';
import { parseTomlFile } from '../toml-file.ts';
import { table } from './pyproject.ts';
import type { PyProject } from './pyproject.ts';
import type { BuildContext } from '../workflow.ts';

/** A lock of Poetry or Pipenv, which can export it as requirements. */
export interface LockExport {
  tool: 'poetry' | 'pipenv';
  program: string;
  dir: string;
  /** The files that the tool reads. Absolute. */
  files: readonly string[];
  /** Local folders and archives in the lock. Absolute. */
  locals: readonly string[];
}

interface LockSearch {
  dir: string;
  project: PyProject | undefined;
  context: BuildContext;
  /** Whether uv can install the packages instead: they are in `[project]`. */
  canUseUv: boolean;
}

/** A lock that can be exported, or why there is none. */
interface FoundLock {
  lock?: LockExport;
  reason?: string;
}

/**
 * Finds the lock of Poetry or Pipenv, if the tool can export it. Otherwise, or if only a Conda environment names packages, a
 * warning says what is not installed and what to do.
 */
export async function findExport(search: LockSearch): Promise<LockExport | undefined> {
  const { dir, project, context, canUseUv } = search;
  const hasPackages = (project?.poetryPackages ?? []).length > 0;
  if (hasPackages || (project && (await exists(path.join(dir, 'poetry.lock'))))) {
    const { lock, reason } = await findPoetry(search);
    if (lock) return lock;
    const packages = hasPackages
      ? '[tool.poetry.dependencies] of pyproject.toml names packages that'
      : 'the packages of poetry.lock';
    if (canUseUv) context.note('info', `poetry.lock is not used, uv resolves [project]: ${reason}`);
    else context.note('warning', `${packages} are not installed: ${reason}`);
    return undefined;
  }
  if (project?.project && canUseUv) return undefined;
  if (await namesPipenvPackages(dir)) {
    const { lock, reason } = await findPipenv(search);
    if (lock) return lock;
    context.note('warning', `Pipfile names packages that are not installed: ${reason}`);
    return undefined;
  }
  for (const name of ['environment.yml', 'environment.yaml']) {
    if (!/^dependencies\s*:/m.test((await readTextIfExists(path.join(dir, name))) ?? '')) continue;
    context.note('warning', `${name} names packages that are not installed: list them in requirements.txt`);
  }
  return undefined;
}

const POETRY_HOW = 'or list the packages in requirements.txt (poetry export --output requirements.txt)';

async function findPoetry({ dir, context }: LockSearch): Promise<FoundLock> {
  const [program] = await context.tools.find('poetry');
  if (program === undefined)
    return { reason: `poetry is not ${context.tools.place}; install it with poetry-plugin-export, ${POETRY_HOW}` };
  const file = path.join(dir, 'poetry.lock');
  const text = await readTextIfExists(file);
  if (text === undefined) return { reason: `there is no poetry.lock; run poetry lock, ${POETRY_HOW}` };
  if (!(await canExport(program, context)))
    return { reason: `this poetry cannot export its lock; run poetry self add poetry-plugin-export, ${POETRY_HOW}` };
  const packages = parseTomlFile(file, text)['package'];
  const sources = (Array.isArray(packages) ? packages : []).map((locked) => table(table(locked)['source']));
  const locals = sources.filter(({ type }) => type === 'directory' || type === 'file').map(({ url }) => String(url));
  const files = [path.join(dir, 'pyproject.toml'), file];
  return { lock: { tool: 'poetry', program, dir, files, locals: locals.map((local) => path.resolve(dir, local)) } };
}

/** Whether Poetry can export. Starting it takes half a second, so a success is recorded. */
async function canExport(program: string, { options, tools }: BuildContext): Promise<boolean> {
  const name = keyOf('poetry export', program, tools.identity);
  const marker = path.join(buildStoreDir(options.projectDir), 'traces', `${name}.json`);
  if (await exists(marker)) return true;
  const help = await tools.probe(program, ['export', '--help']);
  if (help?.code !== 0) return false;
  await writeFileAtomic(marker, '{}');
  return true;
}

async function namesPipenvPackages(dir: string): Promise<boolean> {
  const file = path.join(dir, 'Pipfile');
  const text = await readTextIfExists(file);
  return text !== undefined && Object.keys(table(parseTomlFile(file, text)['packages'])).length > 0;
}

const PIPENV_HOW = 'or list the packages in requirements.txt (pipenv requirements > requirements.txt)';

async function findPipenv({ dir, context }: LockSearch): Promise<FoundLock> {
  const [program] = await context.tools.find('pipenv');
  if (program === undefined) return { reason: `pipenv is not ${context.tools.place}; install it, ${PIPENV_HOW}` };
  const file = path.join(dir, 'Pipfile.lock');
  const text = await readTextIfExists(file);
  if (text === undefined) return { reason: `there is no Pipfile.lock; run pipenv lock, ${PIPENV_HOW}` };
  const locals = Object.values(table(table(parseJson(text))['default']))
    .map((locked) => table(locked)['path'] ?? table(locked)['file'])
    .filter((place): place is string => typeof place === 'string' && !/^\w\w+:/.test(place));
  const files = [path.join(dir, 'Pipfile'), file];
  return { lock: { tool: 'pipenv', program, dir, files, locals: locals.map((local) => path.resolve(dir, local)) } };
}

/** Exports the lock as requirements and returns the file. */
export async function exportLock(
  lock: LockExport,
  { tools, stepId, scratch }: { tools: Tools; stepId: string; scratch: string },
): Promise<string> {
  const args =
    lock.tool === 'poetry'
      ? ['export', '--no-interaction', '--no-ansi', '--format', 'requirements.txt', '--only', 'main']
      : ['requirements', '--hash'];
  const result = await tools.run(lock.program, args, {
    cwd: lock.dir,
    // no virtual environment is needed to print a file
    env: { PIPENV_IGNORE_VIRTUALENVS: '1', PIPENV_NOSPIN: '1', PIPENV_VERBOSITY: '-1', NO_COLOR: '1' },
    stepId,
    task: `${lock.tool} ${args[0]}`,
  });
  const file = path.join(scratch, 'requirements.txt');
  // it may hold logins of indexes
  await writeFile(file, result.stdout, { mode: 0o600 });
  return file;
}
