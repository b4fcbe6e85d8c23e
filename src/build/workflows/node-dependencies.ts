import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { exists, makeFolder, readTextIfExists } from '../../support/files.ts';
import { fields, parseJson } from '../../support/shapes.ts';
import { keyOf, withoutLoginLines, withoutLogins } from '../build-key.ts';
import type { BuildDefinition } from '../plan-build.ts';
import { copyClosure } from './node-closure.ts';
import { copySettings, nodeArch, removeBookkeeping, runPackageManager, settingsText } from './node-install.ts';
import type { NodeInstall } from './node-install.ts';
import { readManifest } from './node-manifest.ts';
import type { NodeManifest } from './node-manifest.ts';
import { runtimeDependencies } from './node-project.ts';
import type { NodeProject } from './node-project.ts';
import type { DependencySet, Workshop } from './workflow.ts';

/** What of a local package never decides what it publishes. */
export const LOCAL_EXCLUDES = ['.aws-sam', '.git', '/node_modules'];

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

/** The package's dependencies, installed without its source; undefined if it has none. */
export async function nodeDependencies(
  definition: BuildDefinition,
  project: NodeProject,
  workshop: Workshop,
): Promise<Omit<DependencySet, 'use'> | undefined> {
  if (Object.keys(runtimeDependencies(project.manifest)).length === 0) return undefined;
  const useNpmCi = definition.buildProperties['UseNpmCi'] === true || definition.buildProperties['UseNpmCi'] === 'true';
  return {
    key: await dependenciesKey(definition, project, { workshop, useNpmCi }),
    folder: 'nodejs',
    install: (target) =>
      workshop.cache.withScratch(async (scratch) => {
        const shared: Omit<NodeInstall, 'cwd' | 'member'> = {
          project,
          tools: workshop.tools,
          architecture: definition.architecture,
          useNpmCi,
          stepId: workshop.stepId,
          ids: definition.ids,
        };
        if (project.locals.size === 0 && project.root === project.dir) await installAlone(shared, scratch, target);
        else await installWithLocals(shared, scratch, target);
      }),
  };
}

async function dependenciesKey(
  definition: BuildDefinition,
  project: NodeProject,
  { workshop, useNpmCi }: { workshop: Workshop; useNpmCi: boolean },
): Promise<string> {
  const locals = await Promise.all(
    [...project.locals].map(async ([name, dir]) => [name, await workshop.hasher.hashTree(dir, LOCAL_EXCLUDES)]),
  );
  return keyOf(
    project.manager,
    definition.architecture,
    useNpmCi,
    JSON.stringify(FIELDS.map((field) => project.manifest[field] ?? null)),
    withoutLoginLines(await settingsText(project)),
    withoutLogins(project.lock === undefined ? '' : ((await readTextIfExists(project.lock)) ?? '')),
    withoutLogins(workshop.tools.env['npm_config_registry'] ?? ''),
    locals,
  );
}

/** The usual case: the manager's `node_modules` is what we want. */
async function installAlone(
  shared: Omit<NodeInstall, 'cwd' | 'member'>,
  scratch: string,
  target: string,
): Promise<void> {
  await copySettings(shared.project, scratch);
  await writeManifest(scratch, shared.project.manifest, { ...shared, isRoot: true });
  await runPackageManager({ ...shared, cwd: scratch, member: '' });
  const nodeModules = path.join(scratch, 'node_modules');
  if (!(await exists(nodeModules))) return;
  await removeBookkeeping(nodeModules);
  await fs.rename(nodeModules, path.join(target, 'node_modules'));
}

/**
 * Local packages (`file:`, workspaces): the manager runs in a skeleton of manifests at the same relative places, where
 * it links them; then what the package needs is copied together, local packages as they would be published.
 */
async function installWithLocals(
  shared: Omit<NodeInstall, 'cwd' | 'member'>,
  scratch: string,
  target: string,
): Promise<void> {
  const { project } = shared;
  const folders = [...new Set([project.root, project.dir, ...project.members.values(), ...project.locals.values()])];
  const base = commonFolder(folders);
  const placeOf = (folder: string): string => path.join(scratch, path.relative(base, folder));
  for (const folder of folders) {
    const manifest = await readManifest(folder);
    if (manifest) await writeManifest(placeOf(folder), manifest, { ...shared, isRoot: folder === project.root });
  }
  await copySettings(project, placeOf(project.root));
  const member = path.relative(project.root, project.dir).split(path.sep).join('/');
  const copyLocals = project.manager === 'npm' && member === '';
  if (copyLocals) await forgetLinks(placeOf(project.root), project.lock ?? project.root);
  await runPackageManager({ ...shared, cwd: placeOf(project.root), member, copyLocals });
  const origins = new Map(
    [...project.members.values(), ...project.locals.values()].map((folder) => [placeOf(folder), folder]),
  );
  await copyClosure({ from: placeOf(project.dir), base: scratch, origins, locals: project.locals, target });
}

/**
 * Scripts are left out: they need the source, which is not there. Without a lock file, development packages need not
 * even be looked up; with one they belong to what is locked.
 */
async function writeManifest(
  folder: string,
  manifest: NodeManifest,
  { project, architecture, isRoot }: Pick<NodeInstall, 'project' | 'architecture'> & { isRoot: boolean },
): Promise<void> {
  const { scripts: _scripts, devDependencies, ...rest } = withInnerWorkspaces(manifest);
  const kept = project.lock === undefined || devDependencies === undefined ? {} : { devDependencies };
  const supportedArchitectures = { os: ['linux'], cpu: [nodeArch(architecture)], libc: ['glibc'] };
  const forLambda = project.manager === 'pnpm' && isRoot ? { pnpm: { ...manifest.pnpm, supportedArchitectures } } : {};
  await makeFolder(folder);
  await fs.writeFile(path.join(folder, 'package.json'), JSON.stringify({ ...rest, ...kept, ...forLambda }, null, 2));
}

/** Without workspaces outside of the package: from the skeleton they lead to the user's files, where npm would install. */
function withInnerWorkspaces(manifest: NodeManifest): NodeManifest {
  const { workspaces } = manifest;
  if (Array.isArray(workspaces)) return { ...manifest, workspaces: workspaces.filter(isInner) };
  if (workspaces?.packages === undefined) return manifest;
  return { ...manifest, workspaces: { ...workspaces, packages: workspaces.packages.filter(isInner) } };
}

function isInner(pattern: string): boolean {
  const plain = pattern.replace(/^!/, '').replaceAll('\\', '/');
  return !path.posix.normalize(plain).startsWith('..') && !path.isAbsolute(plain);
}

/** Takes linked folders out of npm's lock file, so that they are resolved as copies; the other versions stay. */
async function forgetLinks(dir: string, origin: string): Promise<void> {
  for (const name of ['package-lock.json', 'npm-shrinkwrap.json']) {
    const file = path.join(dir, name);
    const text = await readTextIfExists(file);
    if (text === undefined) continue;
    const lock = fields(parseJson(text));
    if (lock === undefined) throw new UserError(`${origin} is not a lock file: it must hold a JSON object`);
    const kept = Object.entries(fields(lock['packages']) ?? {}).filter(
      ([place, item]) => fields(item)?.['link'] !== true && !place.startsWith('..'),
    );
    await fs.writeFile(file, JSON.stringify({ ...lock, packages: Object.fromEntries(kept), dependencies: undefined }));
  }
}

/** The nearest folder that holds all of them. */
export function commonFolder(folders: readonly string[]): string {
  let common = folders[0] ?? path.sep;
  for (const folder of folders) {
    while (path.relative(common, folder).startsWith('..') || path.isAbsolute(path.relative(common, folder)))
      common = path.dirname(common);
  }
  return common;
}
