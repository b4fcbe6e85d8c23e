import { UserError } from '../../../errors.ts';
import { exists } from '../../../support/files.ts';
import type { BuildInput } from '../../build-result.ts';
import { hashOf, keyOf } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import { copyFiles } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { listSource } from '../copy-source.ts';
import { installPackages } from './install-packages.ts';
import { hashLocal, PACKAGE_EXCLUDES } from './local-wheels.ts';
import { findManifest } from './manifest.ts';
import type { PythonManifest } from './manifest.ts';
import { parentPackages } from './parent-packages.ts';
import { installerSettings } from './installer-settings.ts';
import { whyPackagesUnlocked, whyUnlocked } from './unlocked.ts';
import type { PythonTarget } from './wheel.ts';
import { sharing, SourceChangedError } from '../workflow.ts';
import type { DependencySet, PreparedBuild, Workflow, BuildContext } from '../workflow.ts';
import * as path from 'node:path';

/**
 * Names that never belong to a Python function: compiled files, caches, environments, editors' folders
 * (docs/sam-cli-behaviour.md#python-excludes).
 */
const EXCLUDES = (
  '.aws-sam .chalice .git .gitignore *.pyc __pycache__ *.so .Python *.egg-info *.egg pip-log.txt pip-delete-this-directory.txt htmlcov .tox ' +
  '.nox .coverage .cache .pytest_cache .python-version .mypy_cache .dmypy.json .pyre .env .venv venv venv.bak env.bak ENV env .vscode .idea'
).split(' ');
const UV_EXCLUDES = [...EXCLUDES, '.uv-cache', 'uv.lock.bak'];
/** Builds Python functions and layers: with pip for `requirements.txt`; with uv for `BuildMethod: python-uv` or uv's own files. */
export const pythonWorkflow: Workflow = {
  name: 'python',
  version: 2,
  settings: installerSettings,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const manifest = await findManifest(definition, context);
    const excludes = manifest?.source.tool === 'uv' ? UV_EXCLUDES : EXCLUDES;
    const packages = parentPackages(definition);
    const inputs = [{ path: definition.codeDir, excludes }, ...inputsOf(manifest)];
    return {
      label: manifest?.source.tool ?? 'copied',
      inputs: async () => inputs,
      isDecidedByInputs: manifest === undefined || isSelfContained(manifest),
      dependencies: manifest && (await dependencySet(definition, context, manifest)),
      sourceKey: async () => keyOf(await context.hasher.hashTree(definition.codeDir, excludes), packages),
      make: async (target) => {
        const files = listSource(context, definition.codeDir, excludes);
        const inside = path.join(target, ...packages);
        // a folder of that name exists: the packages are part of the source
        const hasPackages = (await exists(inside)) || (await exists(path.join(definition.codeDir, ...packages)));
        await copyFiles(files, packages.length > 0 && hasPackages ? target : inside);
        return {};
      },
      share: async (installed) => sharing(await whyUnlocked(definition, manifest, installed), inputs),
    };
  },
};

/** Whether the files of the manifest decide what it says: no variables of the environment, no local packages that may appear elsewhere. */
function isSelfContained({ source, locals, problem }: PythonManifest): boolean {
  return source.kind === 'requirements' && source.requirements.isSelfContained && locals.length === 0 && !problem;
}

function inputsOf(manifest: PythonManifest | undefined): BuildInput[] {
  const { files = [], locals = [] } = manifest ?? {};
  return [
    ...files.map((file) => ({ path: file, excludes: [] })),
    ...locals.map((place) => ({ path: place, excludes: PACKAGE_EXCLUDES })),
  ];
}

async function dependencySet(
  definition: BuildDefinition,
  context: BuildContext,
  manifest: PythonManifest,
): Promise<DependencySet | undefined> {
  if (manifest.isEmpty) return undefined;
  const target = targetOf(definition);
  const key = await keyOfPackages(manifest, context, target);
  return {
    key,
    share: {
      key: hashOf(await projectParts(manifest, context, target)),
      whyNot: (installed) => whyPackagesUnlocked(definition.codeDir, manifest, installed),
    },
    folder: 'python',
    use: 'runtime',
    install: async (folder) => {
      await context.cache.withScratch((scratch) =>
        installPackages({ definition, context, manifest, target, scratch }, folder),
      );
      const current = await findManifest(definition, context);
      if (current === undefined || (await keyOfPackages(current, context, target)) !== key)
        throw new SourceChangedError();
    },
  };
}

async function keyOfPackages(manifest: PythonManifest, context: BuildContext, target: PythonTarget): Promise<string> {
  return keyOf(...(await projectParts(manifest, context, target)), await installerSettings(context.tools));
}

/** Returns what decides the packages, except for settings of the machine. */
async function projectParts(
  { source, key, locals }: PythonManifest,
  context: BuildContext,
  target: PythonTarget,
): Promise<KeyPart[]> {
  const hashes = await Promise.all(locals.map((place) => hashLocal(context, place)));
  return [source.kind, source.tool, { ...target }, key, hashes];
}

function targetOf(definition: BuildDefinition): PythonTarget {
  const version = /^python(3\.\d+)$/.exec(definition.runtime ?? '')?.[1];
  if (version === undefined) {
    throw new UserError(`${definition.ids.join(', ')}: the Python version is unknown`, {
      hint: 'Give the function a Runtime, or the layer CompatibleRuntimes, such as python3.13.',
    });
  }
  return { version, architecture: definition.architecture };
}
