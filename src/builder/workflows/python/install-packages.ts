import { UserError } from '../../../errors.ts';
import { statIfExists } from '../../../support/files.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { exportLock } from './lock-export.ts';
import { findPython, missingPython } from './interpreter.ts';
import type { PythonManifest } from './manifest.ts';
import { installByUvCache } from './install-by-uv-cache.ts';
import { installWithPip } from './install-with-pip.ts';
import { localPathsOf, readRequirements } from './requirements.ts';
import type { Requirements } from './requirements.ts';
import { installWithUv } from './install-with-uv.ts';
import type { UvJob } from './install-with-uv.ts';
import { machineOf } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';
import type { BuildContext } from '../workflow.ts';
import * as path from 'node:path';

/** An installation of a function's packages. */
export interface PythonInstallation {
  definition: BuildDefinition;
  context: BuildContext;
  manifest: PythonManifest;
  target: PythonTarget;
  /** An empty folder for temporary files. */
  scratch: string;
}

/** Installs the packages of a manifest into an empty folder. */
export async function installPackages(job: PythonInstallation, folder: string): Promise<void> {
  const { manifest, context, scratch } = job;
  const { source } = manifest;
  if (manifest.problem) throw manifest.problem;
  if (source.kind === 'invalid') return;
  if (source.kind === 'export') {
    const file = await exportLock(source.lock, { tools: context.tools, stepId: context.stepId, scratch });
    const requirements = await readRequirements(file);
    if (requirements) await installByPip(job, folder, { requirements, isComplete: true });
  } else if (source.kind === 'requirements' && source.tool === 'pip') {
    const { requirements } = source;
    if (!(await installQuickly(job, folder, requirements))) {
      await installByPip(job, folder, { requirements, isComplete: false });
    }
  } else {
    await installByUv(job, folder, source);
  }
}

async function installQuickly(
  { context, target, scratch }: PythonInstallation,
  folder: string,
  requirements: Requirements,
): Promise<boolean> {
  if ((await context.tools.find('uv')).length === 0) return false;
  const python = await findPython(context.tools, { ...wantedPython(target), pip: true });
  return python !== undefined && installByUvCache({ context, requirements, python, target, scratch }, folder);
}

/** Installs with pip, or with uv if there is no pip. */
async function installByPip(
  job: PythonInstallation,
  folder: string,
  from: { requirements: Requirements; isComplete: boolean },
): Promise<void> {
  const { definition, context, manifest, target, scratch } = job;
  const { tools } = context;
  const python = await findPython(tools, { ...wantedPython(target), pip: true });
  if (python === undefined) {
    if ((await tools.find('uv')).length === 0) throw missingPython(target.version, definition.ids);
    return installByUv(job, folder, { kind: 'requirements', requirements: from.requirements });
  }
  const localDirs: string[] = [];
  for (const local of localPathsOf(from.requirements)) {
    const place = path.resolve(manifest.base, local);
    if ((await statIfExists(place))?.isDirectory()) localDirs.push(place);
  }
  await installWithPip({ ...from, context, python, target, cwd: manifest.base, scratch, localDirs }, folder);
}

async function installByUv(job: PythonInstallation, folder: string, from: UvJob['from']): Promise<void> {
  const { definition, context, manifest, target, scratch } = job;
  const { tools } = context;
  const [uv] = await tools.find('uv');
  if (uv === undefined) throw missingUv(definition);
  const python = await findPython(tools, { ...wantedPython(target), pip: false });
  const { ids } = definition;
  await installWithUv({ context, uv, python, target, from, cwd: manifest.base, scratch, ids }, folder);
}

function wantedPython(target: PythonTarget): { version: string; machine: string } {
  return { version: target.version, machine: machineOf(target.architecture) };
}

function missingUv(definition: BuildDefinition): UserError {
  return new UserError(
    `uv is needed to build ${definition.ids.join(', ')} (BuildMethod: python-uv), and it is not on PATH`,
    { hint: 'Install it: https://docs.astral.sh/uv, or pip install uv.' },
  );
}
