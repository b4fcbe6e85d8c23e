import * as path from 'node:path';
import { readTextIfExists } from '../../support/files.ts';
import type { Tools } from '../tools.ts';
import { machineOf } from './python-wheel.ts';
import type { PythonTarget } from './python-wheel.ts';

/** What uv is to install, and for what. */
export interface UvJob {
  tools: Tools;
  uv: string;
  target: PythonTarget;
  manifest: UvManifest;
  scratch: string;
  stepId: string;
}

/** What uv reads: a project (with its lock), or a requirements file. */
export interface UvManifest {
  kind: 'project' | 'requirements';
  /** `pyproject.toml` or the requirements file. Absolute. */
  file: string;
  /** `uv.lock` of the project or of the workspace that it is in. */
  lock: string | undefined;
}

/** uv's own variables that point at what it installs from. */
export const UV_REGISTRY_VARIABLES = [
  'UV_INDEX',
  'UV_DEFAULT_INDEX',
  'UV_INDEX_URL',
  'UV_EXTRA_INDEX_URL',
  'UV_FIND_LINKS',
  'UV_CONSTRAINT',
  'UV_OVERRIDE',
  'UV_PRERELEASE',
  'UV_RESOLUTION',
];

/** Installs with uv. */
export async function installWithUv(job: UvJob, target: string): Promise<void> {
  const cwd = path.dirname(job.manifest.file);
  const env = await uvEnv(job.tools);
  const requirements = job.manifest.kind === 'project' ? await exportProject(job, env) : job.manifest.file;
  await job.tools.run(
    job.uv,
    [
      'pip',
      'install',
      '--quiet',
      '--no-progress',
      '-r',
      requirements,
      '--target',
      target,
      '--python-version',
      job.target.version,
      '--python-platform',
      uvPlatform(job.target),
    ],
    { cwd, env, stepId: job.stepId, task: 'uv pip install' },
  );
}

/** The locked versions as a requirements file. Without a lock file uv resolves, in a copy, so that none appears in the source. */
async function exportProject(job: UvJob, env: Readonly<Record<string, string>>): Promise<string> {
  const output = path.join(job.scratch, 'requirements.txt');
  const cwd = path.dirname(job.manifest.file);
  const python = ['--python-version', job.target.version, '--python-platform', uvPlatform(job.target)];
  const args =
    job.manifest.lock === undefined
      ? [
          'pip',
          'compile',
          '--quiet',
          '--no-progress',
          '--no-header',
          job.manifest.file,
          ...python,
          '--output-file',
          output,
        ]
      : [
          'export',
          '--quiet',
          '--frozen',
          '--no-emit-project',
          '--no-default-groups',
          '--no-editable',
          '--no-hashes',
          '--format',
          'requirements.txt',
          '--output-file',
          output,
        ];
  await job.tools.run(job.uv, args, {
    cwd,
    env,
    stepId: job.stepId,
    task: args[0] === 'export' ? 'uv export' : 'uv pip compile',
  });
  return output;
}

/**
 * Files are copied, not linked to uv's cache. uv would fetch a Python of the function's version, which wheels do not
 * need; only where there is none at all it may.
 */
async function uvEnv(tools: Tools): Promise<Readonly<Record<string, string>>> {
  const hasPython = (await tools.find('python3')).length > 0 || (await tools.find('python')).length > 0;
  return {
    UV_LINK_MODE: tools.env['UV_LINK_MODE'] ?? 'copy',
    UV_PYTHON_DOWNLOADS: tools.env['UV_PYTHON_DOWNLOADS'] ?? (hasPython ? 'never' : 'automatic'),
  };
}

/** glibc 2.26 (Amazon Linux 2) takes manylinux2014 wheels, 2.34 (Amazon Linux 2023) newer ones too. */
function uvPlatform(target: PythonTarget): string {
  const newer = Number(target.version.split('.')[1]) >= 12;
  return `${machineOf(target.architecture)}-${newer ? 'manylinux_2_34' : 'manylinux2014'}`;
}

/** `uv.lock` beside the project, or above it in the workspace that it belongs to. */
export async function findUvLock(dir: string): Promise<string | undefined> {
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const lock = path.join(folder, 'uv.lock');
    if ((await readTextIfExists(lock)) !== undefined) {
      const project = await readTextIfExists(path.join(folder, 'pyproject.toml'));
      return folder === dir || project?.includes('[tool.uv.workspace]') ? lock : undefined;
    }
    if (path.dirname(folder) === folder) return undefined;
  }
}
