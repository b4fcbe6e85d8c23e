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

/** The lock of another tool, which can write it as requirements. */
export interface LockExport {
  tool: 'poetry' | 'pipenv';
  program: string;
  dir: string;
  /** What the tool reads. Absolute. */
  files: readonly string[];
  /** Folders and archives on this machine that the lock names. Absolute. */
  locals: readonly string[];
}

interface LockSearch {
  dir: string;
  project: PyProject | undefined;
  context: BuildContext;
  /** Whether uv can do without the tool: the packages are in `[project]`. */
  canUseUv: boolean;
}

/**
 * The lock of Poetry or Pipenv, if the tool is there to export it. If not, or if the packages are named where nothing
 * here can install them from, a warning says what is not installed and how it would be.
 */
export async function findExport(question: LockSearch): Promise<LockExport | undefined> {
  const { dir, project, context, canUseUv } = question;
  const named = (project?.poetryPackages ?? []).length > 0;
  if (named || (project && (await exists(path.join(dir, 'poetry.lock'))))) {
    const found = await findPoetry(question);
    if (typeof found !== 'string') return found;
    const what = named
      ? '[tool.poetry.dependencies] of pyproject.toml names packages that'
      : 'the packages of poetry.lock';
    if (canUseUv) context.note('info', `poetry.lock is not used, uv resolves [project]: ${found}`);
    else context.note('warning', `${what} are not installed: ${found}`);
    return undefined;
  }
  if (project?.project && canUseUv) return undefined;
  if (await namesPipenvPackages(dir)) {
    const found = await findPipenv(question);
    if (typeof found !== 'string') return found;
    context.note('warning', `Pipfile names packages that are not installed: ${found}`);
    return undefined;
  }
  for (const name of ['environment.yml', 'environment.yaml']) {
    if (!/^dependencies\s*:/m.test((await readTextIfExists(path.join(dir, name))) ?? '')) continue;
    context.note('warning', `${name} names packages that are not installed: list them in requirements.txt`);
  }
  return undefined;
}

const POETRY_HOW = 'or list the packages in requirements.txt (poetry export --output requirements.txt)';

async function findPoetry({ dir, context }: LockSearch): Promise<LockExport | string> {
  const [program] = await context.tools.find('poetry');
  if (program === undefined)
    return `poetry is not ${context.tools.place}; install it with poetry-plugin-export, ${POETRY_HOW}`;
  const file = path.join(dir, 'poetry.lock');
  const text = await readTextIfExists(file);
  if (text === undefined) return `there is no poetry.lock; run poetry lock, ${POETRY_HOW}`;
  if (!(await canExport(program, context)))
    return `this poetry cannot export its lock; run poetry self add poetry-plugin-export, ${POETRY_HOW}`;
  const packages = parseTomlFile(file, text)['package'];
  const sources = (Array.isArray(packages) ? packages : []).map((locked) => table(table(locked)['source']));
  const locals = sources.filter(({ type }) => type === 'directory' || type === 'file').map(({ url }) => String(url));
  const files = [path.join(dir, 'pyproject.toml'), file];
  return { tool: 'poetry', program, dir, files, locals: locals.map((local) => path.resolve(dir, local)) };
}

/** Starting Poetry takes half a second, so that it can do it is remembered. */
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

async function findPipenv({ dir, context }: LockSearch): Promise<LockExport | string> {
  const [program] = await context.tools.find('pipenv');
  if (program === undefined) return `pipenv is not ${context.tools.place}; install it, ${PIPENV_HOW}`;
  const file = path.join(dir, 'Pipfile.lock');
  const text = await readTextIfExists(file);
  if (text === undefined) return `there is no Pipfile.lock; run pipenv lock, ${PIPENV_HOW}`;
  const locals = Object.values(table(table(parseJson(text))['default']))
    .map((locked) => table(locked)['path'] ?? table(locked)['file'])
    .filter((place): place is string => typeof place === 'string' && !/^\w\w+:/.test(place));
  const files = [path.join(dir, 'Pipfile'), file];
  return { tool: 'pipenv', program, dir, files, locals: locals.map((local) => path.resolve(dir, local)) };
}

/** Has the tool write its lock as requirements, and returns the file. */
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
    // it needs no environment of its own to print a file
    env: { PIPENV_IGNORE_VIRTUALENVS: '1', PIPENV_NOSPIN: '1', PIPENV_VERBOSITY: '-1', NO_COLOR: '1' },
    stepId,
    task: `${lock.tool} ${args[0]}`,
  });
  const file = path.join(scratch, 'requirements.txt');
  await writeFile(file, result.stdout);
  return file;
}
