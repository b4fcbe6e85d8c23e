import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { exists, readTextIfExists } from '../../../support/files.ts';
import { withSlashes } from '../../../support/places.ts';
import type { BuildInput } from '../../build-result.ts';
import { hashOf, keyOf, withoutLogins } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { copyPackages } from './copy-packages.ts';
import { removeBookkeeping, runPackageManager, settingsKey } from './package-managers.ts';
import type { NodeInstall } from './package-managers.ts';
import { assertNothingMissing } from './local-packages.ts';
import type { LocalPackages } from './local-packages.ts';
import { bundledPackages, mapDependencies, readManifest, runtimeDependencies } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';
import type { NodeProject } from './project.ts';
import { whyPackagesUnlocked } from './unlocked.ts';
import { adaptLock, writeInstallationFolder } from './installation-folder.ts';
import type { DependencySet, BuildContext } from '../workflow.ts';

/** Names in a local package that never decide what it publishes. */
const LOCAL_EXCLUDES = ['.aws-sam', '.git', '/node_modules'];

/** Fields of a package.json that decide what is installed. */
const FIELDS = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'overrides',
  'resolutions',
  'pnpm',
] as const satisfies readonly (keyof NodeManifest)[];

/** Returns the package's dependencies, to be installed without its source; undefined if it has none. */
export async function nodeDependencies(
  definition: BuildDefinition,
  projectWithBundled: NodeProject,
  context: BuildContext,
): Promise<Omit<DependencySet, 'use'> | undefined> {
  const project = await withoutBundled(projectWithBundled);
  if (Object.keys(runtimeDependencies(project.manifest)).length === 0) return undefined;
  const useNpmCi = definition.buildProperties['UseNpmCi'] === true || definition.buildProperties['UseNpmCi'] === 'true';
  const parts = await projectParts(definition, project, { context, useNpmCi });
  return {
    key: keyOf(...parts, withoutLogins(context.tools.env['npm_config_registry'] ?? '')),
    share: { key: hashOf(parts), whyNot: async () => whyPackagesUnlocked(project) },
    folder: 'nodejs',
    install: (target) =>
      context.cache.withScratch(async (scratch) => {
        assertNothingMissing(project.locals);
        const shared: Omit<NodeInstall, 'cwd' | 'member'> = {
          project,
          tools: context.tools,
          architecture: definition.architecture,
          useNpmCi,
          stepId: context.stepId,
          ids: definition.ids,
        };
        if (project.locals.folders.size === 0 && project.root === project.dir)
          await installAlone(shared, scratch, target);
        else await installWithLocals(shared, scratch, target);
      }),
  };
}

/**
 * Removes bundled dependencies that exist in the package's own `node_modules`, from where `npm pack` takes them: no registry need
 * have them. Those in the lock file are installed as usual.
 */
async function withoutBundled(project: NodeProject): Promise<NodeProject> {
  const names = bundledPackages(project.manifest);
  if (names.length === 0) return project;
  const lock = project.lock === undefined ? '' : ((await readTextIfExists(project.lock)) ?? '');
  const isInstalled = (name: string): Promise<boolean> =>
    exists(path.join(project.dir, 'node_modules', name, 'package.json'));
  const bundled = new Set<string>();
  for (const name of names) if (!lock.includes(name) && (await isInstalled(name))) bundled.add(name);
  const { bundleDependencies: _bundle, bundledDependencies: _bundled, ...manifest } = project.manifest;
  const keep = (name: string, spec: string): string | undefined => (bundled.has(name) ? undefined : spec);
  return bundled.size === 0 ? project : { ...project, manifest: mapDependencies(manifest, keep) };
}

/** Returns what decides the packages, except for settings of the machine. */
async function projectParts(
  definition: BuildDefinition,
  project: NodeProject,
  { context, useNpmCi }: { context: BuildContext; useNpmCi: boolean },
): Promise<KeyPart[]> {
  return [
    project.manager,
    definition.architecture,
    useNpmCi,
    JSON.stringify(FIELDS.map((field) => project.manifest[field] ?? null)),
    await settingsKey(project, context),
    project.lock === undefined ? '' : context.installLocks.get(project.lock).key,
    await localsKey(project.locals, context),
  ];
}

/** Hashes the content of local packages. Missing ones count too, so that they are installed when they appear. */
export async function localsKey(
  { folders, archives, missing }: LocalPackages,
  { hasher }: BuildContext,
): Promise<string> {
  const hashes = await Promise.all([
    ...[...folders].map(async ([name, dir]) => [name, await hasher.hashTree(dir, await localExcludes(dir))]),
    ...archives.map(async (archive) => [path.basename(archive), await hasher.hashFile(archive)]),
  ]);
  return keyOf(
    hashes,
    missing.map(({ name }) => name),
  );
}

/** Returns local packages as inputs of a build, including missing ones. */
export function localInputs({ folders, archives, missing }: LocalPackages): BuildInput[] {
  return [
    ...[...folders.values(), ...missing.map(({ place }) => place)].map((dir) => ({
      path: dir,
      excludes: LOCAL_EXCLUDES,
    })),
    ...archives.map((archive) => ({ path: archive, excludes: [] })),
  ];
}

async function localExcludes(dir: string): Promise<readonly string[]> {
  const isBundling = bundledPackages((await readManifest(dir)) ?? {}).length > 0;
  return isBundling ? LOCAL_EXCLUDES.filter((name) => name !== '/node_modules') : LOCAL_EXCLUDES;
}

/** Installs a package without local packages: the manager's `node_modules` is the result. */
async function installAlone(
  shared: Omit<NodeInstall, 'cwd' | 'member'>,
  scratch: string,
  target: string,
): Promise<void> {
  const { project } = shared;
  const folder = await writeInstallationFolder(shared, scratch, [project.dir]);
  const cwd = folder.placeOf(project.dir);
  if (project.locals.archives.length > 0) await adaptLock(cwd, shared);
  await runPackageManager({ ...shared, cwd, member: '' });
  const nodeModules = path.join(cwd, 'node_modules');
  if (!(await exists(nodeModules))) return;
  await removeBookkeeping(nodeModules);
  await fs.rename(nodeModules, path.join(target, 'node_modules'));
}

/**
 * Installs a package with local packages (`file:`, workspaces): the manager links them in the installation folder; then the needed
 * packages are copied, local ones as npm would publish them.
 */
async function installWithLocals(
  shared: Omit<NodeInstall, 'cwd' | 'member'>,
  scratch: string,
  target: string,
): Promise<void> {
  const { project } = shared;
  const packages = [...project.members.values(), ...project.locals.folders.values()];
  const member = withSlashes(path.relative(project.root, project.dir));
  const copyLocals = project.manager === 'npm' && member === '';
  const folders = [...new Set([project.root, project.dir, ...packages])];
  const { placeOf } = await writeInstallationFolder({ ...shared, copyLocals }, scratch, folders);
  const cwd = placeOf(project.root);
  if (copyLocals || project.locals.archives.length > 0) await adaptLock(cwd, { ...shared, copyLocals });
  await runPackageManager({ ...shared, cwd, member, copyLocals });
  const origins = new Map(packages.map((folder) => [placeOf(folder), folder]));
  const locals = project.locals.folders;
  await copyPackages({ from: placeOf(project.dir), base: scratch, origins, locals, target });
}
