import * as path from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { UserError } from '../../errors.ts';
import { exists, readTextIfExists, statIfExists } from '../../support/files.ts';
import { fields } from '../../support/shapes.ts';
import type { BuildInput } from '../artifact.ts';
import { keyOf, withoutLogins } from '../build-key.ts';
import { copyFiles } from '../file-tree.ts';
import type { BuildDefinition } from '../plan-build.ts';
import { listSource } from './copy-source.ts';
import { findPython, missingPython } from './python-interpreter.ts';
import { parentPackages } from './python-parent-packages.ts';
import { installWithPip } from './python-pip.ts';
import { localPathsBase, readRequirements } from './python-requirements.ts';
import type { Requirements } from './python-requirements.ts';
import { findUvLock, installWithUv, UV_REGISTRY_VARIABLES } from './python-uv.ts';
import type { UvManifest } from './python-uv.ts';
import { machineOf } from './python-wheel.ts';
import type { PythonTarget } from './python-wheel.ts';
import type { DependencySet, PreparedBuild, Workflow, Workshop } from './workflow.ts';

/** What never belongs to a Python function: compiled files, caches, environments, editors' folders (fact sheet 5.2). */
const EXCLUDES = (
  '.aws-sam .chalice .git .gitignore *.pyc __pycache__ *.so .Python *.egg-info *.egg pip-log.txt pip-delete-this-directory.txt htmlcov .tox ' +
  '.nox .coverage .cache .pytest_cache .python-version .mypy_cache .dmypy.json .pyre .env .venv venv venv.bak env.bak ENV env .vscode .idea'
).split(' ');
const UV_EXCLUDES = [...EXCLUDES, '.uv-cache', 'uv.lock.bak'];
/** Building a local package leaves these in it. */
const PACKAGE_EXCLUDES = [...EXCLUDES, 'build', 'dist', 'node_modules'];
/** pip's own variables that point at what it installs from. */
const PIP_REGISTRY_VARIABLES = [
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_FIND_LINKS',
  'PIP_NO_INDEX',
  'PIP_CONSTRAINT',
  'PIP_PRE',
];

/** Python functions and layers: pip by `requirements.txt`; uv by `BuildMethod: python-uv`, or by its own files. */
export const pythonWorkflow: Workflow = {
  name: 'python',
  version: 1,
  prepare: async (definition, workshop): Promise<PreparedBuild> => {
    const manifest = await findManifest(definition, workshop);
    const excludes = manifest?.tool === 'uv' ? UV_EXCLUDES : EXCLUDES;
    const packages = parentPackages(definition);
    return {
      label: manifest?.tool ?? 'copied',
      inputs: async () => [{ path: definition.codeDir, excludes }, ...(manifest?.inputs ?? [])],
      dependencies: manifest && (await dependencySet(definition, workshop, manifest)),
      sourceKey: async () => keyOf(await workshop.hasher.hashTree(definition.codeDir, excludes), packages),
      make: async (target) => {
        const files = listSource(workshop, definition.codeDir, excludes);
        const inside = path.join(target, ...packages);
        // a folder of that name is there already: the packages are part of the source
        const taken = (await exists(inside)) || (await exists(path.join(definition.codeDir, ...packages)));
        await copyFiles(files, packages.length > 0 && taken ? target : inside);
        return {};
      },
    };
  },
};

type Manifest = { inputs: BuildInput[] } & (
  | { tool: 'pip'; file: string; requirements: Requirements }
  | { tool: 'uv'; uv: UvManifest; requirements: Requirements | undefined }
);

async function findManifest(definition: BuildDefinition, workshop: Workshop): Promise<Manifest | undefined> {
  const dir = definition.codeDir;
  if (definition.buildMethod === 'python-uv') return uvManifest(dir, ['project', 'requirements']);
  const file = path.join(dir, 'requirements.txt');
  const requirements = await readRequirements(file);
  if (requirements) return { tool: 'pip', file, requirements, inputs: filesOf(requirements.files) };
  const manifest = await uvManifest(dir, ['project']);
  if (manifest === undefined || (await workshop.tools.find('uv')).length > 0) return manifest;
  workshop.note('warning', 'pyproject.toml names packages that are not installed, because uv is not on PATH');
  return undefined;
}

/** A project counts if it declares dependencies; a pyproject.toml that only configures tools does not. */
async function uvManifest(dir: string, kinds: readonly UvManifest['kind'][]): Promise<Manifest | undefined> {
  const project = path.join(dir, 'pyproject.toml');
  if (kinds.includes('project') && (await declaresDependencies(project))) {
    const lock = await findUvLock(dir);
    const inputs = filesOf(lock === undefined ? [project] : [project, lock]);
    return { tool: 'uv', uv: { kind: 'project', file: project, lock }, requirements: undefined, inputs };
  }
  const file = path.join(dir, 'requirements.txt');
  const requirements = kinds.includes('requirements') ? await readRequirements(file) : undefined;
  if (!requirements) return undefined;
  return {
    tool: 'uv',
    uv: { kind: 'requirements', file, lock: undefined },
    requirements,
    inputs: filesOf(requirements.files),
  };
}

async function declaresDependencies(file: string): Promise<boolean> {
  const text = await readTextIfExists(file);
  if (text === undefined) return false;
  try {
    const dependencies = fields(parseToml(text)['project'])?.['dependencies'];
    return Array.isArray(dependencies) && dependencies.length > 0;
  } catch (error) {
    throw new UserError(`${file} is not valid TOML: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}

function filesOf(files: readonly string[]): BuildInput[] {
  return files.map((file) => ({ path: file, excludes: [] }));
}

async function dependencySet(
  definition: BuildDefinition,
  workshop: Workshop,
  manifest: Manifest,
): Promise<DependencySet | undefined> {
  const { requirements } = manifest;
  if (requirements && !requirements.hasPackages) return undefined;
  const target = targetOf(definition);
  const base = await localPathsBase(requirements?.localPaths ?? [], [definition.codeDir, workshop.options.projectDir]);
  const locals = (requirements?.localPaths ?? []).map((local) => path.resolve(base, local));
  for (const local of locals) manifest.inputs.push({ path: local, excludes: PACKAGE_EXCLUDES });
  const text = requirements ? requirements.lines.join('\n') : await projectText(manifest);
  const variables = [...PIP_REGISTRY_VARIABLES, ...(manifest.tool === 'uv' ? UV_REGISTRY_VARIABLES : [])];
  return {
    key: keyOf(
      manifest.tool,
      { ...target },
      withoutLogins(text),
      await Promise.all(locals.map((local) => localHash(workshop, local))),
      variables.map((name) => withoutLogins(workshop.tools.env[name] ?? '')),
    ),
    folder: 'python',
    use: 'runtime',
    install: (folder) =>
      workshop.cache.withScratch((scratch) =>
        install({ definition, workshop, manifest, base, locals, scratch }, folder),
      ),
  };
}

async function projectText(manifest: Manifest): Promise<string> {
  const files = manifest.tool === 'uv' ? [manifest.uv.file, manifest.uv.lock] : [];
  const texts = await Promise.all(files.map(async (file) => (file === undefined ? '' : await readTextIfExists(file))));
  return texts.join('\n');
}

async function localHash(workshop: Workshop, local: string): Promise<string | undefined> {
  const stat = await statIfExists(local);
  if (stat?.isDirectory()) return workshop.hasher.hashTree(local, PACKAGE_EXCLUDES);
  return workshop.hasher.hashFile(local);
}

function targetOf(definition: BuildDefinition): PythonTarget {
  const version = /^python(3\.\d+)$/.exec(definition.runtime ?? '')?.[1];
  if (version === undefined) {
    throw new UserError(`${definition.ids.join(', ')}: the Python version is not known`, {
      hint: 'Give the function a Runtime, or the layer CompatibleRuntimes, such as python3.13.',
    });
  }
  return { version, architecture: definition.architecture };
}

interface InstallJob {
  definition: BuildDefinition;
  workshop: Workshop;
  manifest: Manifest;
  base: string;
  locals: readonly string[];
  scratch: string;
}

async function install(job: InstallJob, folder: string): Promise<void> {
  const { definition, workshop, manifest, scratch } = job;
  const { tools, stepId } = workshop;
  const target = targetOf(definition);
  const python =
    manifest.tool === 'pip'
      ? await findPython(tools, { version: target.version, machine: machineOf(target.architecture) })
      : undefined;
  if (manifest.tool === 'pip' && python) {
    const localDirs: string[] = [];
    for (const local of job.locals) if ((await statIfExists(local))?.isDirectory()) localDirs.push(local);
    const note = (text: string): void => workshop.note('warning', text);
    await installWithPip(
      { tools, python, target, requirementsFile: manifest.file, localDirs, cwd: job.base, scratch, stepId, note },
      folder,
    );
    return;
  }
  const [uv] = await tools.find('uv');
  if (uv === undefined)
    throw manifest.tool === 'pip' ? missingPython(target.version, definition.ids) : missingUv(definition);
  const files: UvManifest =
    manifest.tool === 'uv' ? manifest.uv : { kind: 'requirements', file: manifest.file, lock: undefined };
  await installWithUv({ tools, uv, target, manifest: files, scratch, stepId }, folder);
}

function missingUv(definition: BuildDefinition): UserError {
  return new UserError(
    `uv is needed to build ${definition.ids.join(', ')} (BuildMethod: python-uv), and it is not on PATH`,
    {
      hint: 'Install it: https://docs.astral.sh/uv, or pip install uv.',
    },
  );
}
