import * as path from 'node:path';
import { ToolError } from '../../tools/tools.ts';
import type { PythonInterpreter } from './interpreter.ts';
import { cleanInstalled } from './clean-installed.ts';
import { obtainWheel } from './local-wheels.ts';
import { localPathsOf } from './requirements.ts';
import type { Requirements } from './requirements.ts';
import { explainUvFailure } from './uv-errors.ts';
import type { UvProject } from './uv-project.ts';
import { prepareLock } from './pylock.ts';
import { machineOf } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';
import type { BuildContext } from '../workflow.ts';

/** An installation by uv. */
export interface UvJob {
  uv: string;
  /** The Python that builds packages from source; undefined: uv chooses. */
  python: PythonInterpreter | undefined;
  target: PythonTarget;
  from: { kind: 'requirements'; requirements: Requirements } | { kind: 'project'; project: UvProject };
  /** The folder from which uv resolves relative paths and looks for settings (`[tool.uv]`). */
  cwd: string;
  /** An empty folder. */
  scratch: string;
  /** For messages. */
  ids: readonly string[];
  context: BuildContext;
}

/**
 * Installs the packages of a lock with uv: index, hash and source of each. Without a lock, uv creates one outside the source, by
 * the settings of the project. We build local packages, never uv: its cache misses some of their changes, and it installs
 * editable ones as links.
 */
export async function installWithUv(job: UvJob, target: string): Promise<void> {
  const { from } = job;
  const source =
    from.kind === 'requirements' && localPathsOf(from.requirements).length === 0
      ? from.requirements.file
      : await makeLock(job);
  await run(job, 'uv pip install', [
    'pip',
    'install',
    '--quiet',
    '--no-compile-bytecode',
    '-r',
    source,
    '--target',
    target,
    ...pythonOptions(job),
    ...targetOptions(job.target),
  ]);
  await cleanInstalled(target);
}

/** Writes a `pylock.toml` (PEP 751) of all packages to install. */
async function makeLock(job: UvJob): Promise<string> {
  const { from, scratch, target, ids } = job;
  const file = path.join(scratch, 'pylock.toml');
  const project = from.kind === 'project' ? from.project : undefined;
  const requirements = from.kind === 'requirements' ? from.requirements : undefined;
  if (project?.lock !== undefined) await exportLock(job, project, file);
  else await compileLock(job, project?.file ?? requirements?.file ?? '', file);
  await prepareLock(file, {
    target,
    ids,
    project,
    requirements,
    build: (dir) => buildLocal(job, dir),
  });
  return file;
}

async function exportLock(job: UvJob, project: UvProject, file: string): Promise<void> {
  await run(job, 'uv export', [
    'export',
    '--quiet',
    '--frozen',
    '--no-emit-project',
    '--no-default-groups',
    '--no-editable',
    '--no-header',
    ...(project.isScript ? ['--script', project.file] : []),
    '--format',
    'pylock.toml',
    '--output-file',
    file,
  ]);
}

/** Resolves for the function's platform, so that no markers remain. */
async function compileLock(job: UvJob, source: string, file: string): Promise<void> {
  await run(job, 'uv pip compile', [
    'pip',
    'compile',
    '--quiet',
    '--no-header',
    '--format',
    'pylock.toml',
    source,
    '--output-file',
    file,
    ...pythonOptions(job),
    ...targetOptions(job.target),
  ]);
}

/** Builds a wheel of a local folder. */
function buildLocal(job: UvJob, dir: string): Promise<string> {
  const { context, python, target, scratch } = job;
  return obtainWheel(dir, {
    context,
    python,
    target,
    scratch,
    tool: 'uv',
    hint: undefined,
    build: async (source, outDir, env) => {
      const args = ['build', '--wheel', '--no-progress', '--out-dir', outDir, ...pythonOptions(job), source];
      await run(job, `Building ${path.basename(source)}`, args, env);
    },
  });
}

async function run(job: UvJob, task: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const { uv, cwd, target } = job;
  const { tools, stepId } = job.context;
  try {
    await tools.run(uv, args, { cwd, env: { ...uvEnv(job), ...env }, stepId, task });
  } catch (error) {
    throw error instanceof ToolError ? explainUvFailure(error, task, target) : error;
  }
}

/**
 * Returns variables for uv. It copies files instead of linking to its cache, and downloads a Python only if there is none: wheels
 * do not need the function's version. Variables that choose another project or a lock mode are for the user's own calls.
 */
function uvEnv({ context: { tools }, python }: UvJob): Readonly<Record<string, string | undefined>> {
  return {
    UV_LINK_MODE: tools.env['UV_LINK_MODE'] ?? 'copy',
    UV_PYTHON_DOWNLOADS: tools.env['UV_PYTHON_DOWNLOADS'] ?? (python ? 'never' : 'automatic'),
    UV_FROZEN: undefined,
    UV_LOCKED: undefined,
    UV_PROJECT: undefined,
    UV_WORKING_DIR: undefined,
  };
}

function pythonOptions({ context: { tools }, python }: UvJob): string[] {
  return python === undefined || tools.env['UV_PYTHON'] !== undefined ? [] : ['--python', python.program];
}

/** Returns uv's options for Lambda's platform: glibc 2.26 (Amazon Linux 2) supports manylinux2014 wheels, 2.34 (Amazon Linux 2023) newer ones too. */
export function targetOptions(target: PythonTarget): string[] {
  const newer = Number(target.version.split('.')[1]) >= 12;
  const platform = `${machineOf(target.architecture)}-${newer ? 'manylinux_2_34' : 'manylinux2014'}`;
  return ['--python-version', target.version, '--python-platform', platform];
}
