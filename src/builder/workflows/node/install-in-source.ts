import * as path from 'node:path';
import { exists, readTextIfExists, writeFileAtomic } from '../../../support/files.ts';
import { buildStoreDir } from '../../build-options.ts';
import { keyOf } from '../../build-key.ts';
import { copyTree } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { localsKey } from './install-dependencies.ts';
import { settingsKey } from './package-managers.ts';
import { assertNothingMissing } from './local-packages.ts';
import { runtimeDependencies } from './manifest.ts';
import type { NodeProject } from './project.ts';
import type { DependencySet, BuildContext } from '../workflow.ts';

/** npm's own files, which change with every run. */
const EXCLUDES = ['.package-lock.json', '.cache'];

/**
 * Returns the dependencies for `--build-in-source`: the source's own `node_modules`, which npm updates when the manifest
 * changed.
 */
export async function inSourceDependencies(
  definition: BuildDefinition,
  project: NodeProject,
  context: BuildContext,
): Promise<Omit<DependencySet, 'use'> | undefined> {
  if (Object.keys(runtimeDependencies(project.manifest)).length === 0) return undefined;
  await updateNodeModules(definition, project, context);
  const nodeModules = path.join(project.dir, 'node_modules');
  if (!(await exists(nodeModules))) return undefined;
  return {
    key: keyOf('in source', await context.hasher.hashTree(nodeModules, EXCLUDES)),
    folder: 'nodejs',
    install: (target) => copyTree(nodeModules, path.join(target, 'node_modules'), EXCLUDES),
  };
}

/** Runs npm in the source if manifest, lock or settings changed since the last run, or nothing is installed. */
export async function updateNodeModules(
  definition: BuildDefinition,
  project: NodeProject,
  context: BuildContext,
): Promise<void> {
  const lock = project.lock === undefined ? undefined : await readTextIfExists(project.lock);
  assertNothingMissing(project.locals);
  const locals = await localsKey(project.locals, context);
  const key = keyOf(JSON.stringify(project.manifest), await settingsKey(project, context), lock, locals);
  const record = path.join(buildStoreDir(context.options.projectDir), 'in-source', keyOf(project.dir));
  const installed = await exists(path.join(project.dir, 'node_modules'));
  if (installed && (await readTextIfExists(record)) === key) return;
  const { tools, stepId } = context;
  const [npm] = await tools.find('npm');
  const ci = definition.buildProperties['UseNpmCi'] === true && project.lock !== undefined;
  const args = ci
    ? ['ci', '--install-links']
    : ['update', '--no-audit', '--no-fund', '--no-save', '--omit=dev', '--no-package-lock', '--install-links'];
  await tools.run(npm ?? 'npm', args, { cwd: project.dir, stepId, task: `npm ${args[0]}` });
  await writeFileAtomic(record, key);
}
