import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { exists, readTextIfExists } from '../../support/files.ts';
import { ownValue } from '../../support/own-value.ts';
import { fields } from '../../support/shapes.ts';
import { readForeignManifest, readManifest } from './node-manifest.ts';
import type { NodeManifest } from './node-manifest.ts';

export type PackageManager = 'npm' | 'pnpm' | 'yarn';

/** A package with what decides how its dependencies are installed. */
export interface NodeProject {
  dir: string;
  manifest: NodeManifest;
  manager: PackageManager;
  /** The lock file that counts. Absolute. */
  lock: string | undefined;
  /** Where the manager is run: the package itself, or the workspace that it belongs to. */
  root: string;
  /** Packages of the workspace by name, with their folders. */
  members: ReadonlyMap<string, string>;
  /** Local packages that this one needs, also through each other: name → folder. */
  locals: ReadonlyMap<string, string>;
}

const LOCKS: readonly { file: string; manager: PackageManager }[] = [
  { file: 'npm-shrinkwrap.json', manager: 'npm' },
  { file: 'package-lock.json', manager: 'npm' },
  { file: 'pnpm-lock.yaml', manager: 'pnpm' },
  { file: 'yarn.lock', manager: 'yarn' },
];

/** A package that needs nothing: whatever is around it does not matter. */
export function projectAlone(dir: string, manifest: NodeManifest): NodeProject {
  return { dir, manifest, manager: 'npm', lock: undefined, root: dir, members: new Map(), locals: new Map() };
}

/** Reads the package in `dir` and the workspace around it. */
export async function readNodeProject(dir: string, manifest: NodeManifest): Promise<NodeProject> {
  const own = await findLock(dir, manifest);
  const workspace = own ? undefined : await findWorkspace(dir);
  const root = workspace?.root ?? dir;
  const lock = own ?? (workspace && (await findLock(workspace.root, workspace.manifest)));
  const members = workspace?.members ?? new Map<string, string>();
  return {
    dir,
    manifest,
    manager: lock?.manager ?? 'npm',
    lock: lock?.file,
    root,
    members,
    locals: await findLocals(dir, manifest, members),
  };
}

async function findLock(
  dir: string,
  manifest: NodeManifest,
): Promise<{ file: string; manager: PackageManager } | undefined> {
  const there: { file: string; manager: PackageManager }[] = [];
  for (const { file, manager } of LOCKS)
    if (await exists(path.join(dir, file))) there.push({ file: path.join(dir, file), manager });
  const preferred = manifest.packageManager?.split('@')[0];
  return there.find(({ manager }) => manager === preferred) ?? there[0];
}

interface Workspace {
  root: string;
  manifest: NodeManifest;
  members: Map<string, string>;
}

/** The workspace that a folder is a member of: above it, in the same repository. */
async function findWorkspace(dir: string): Promise<Workspace | undefined> {
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const patterns = folder === dir ? [] : await workspacePatterns(folder);
    if (matchesPatterns(relativePath(folder, dir), patterns)) {
      return {
        root: folder,
        manifest: (await readManifest(folder)) ?? {},
        members: await listMembers(folder, patterns),
      };
    }
    if (path.dirname(folder) === folder || (await exists(path.join(folder, '.git')))) return undefined;
  }
}

async function workspacePatterns(folder: string): Promise<string[]> {
  const pnpm = await readTextIfExists(path.join(folder, 'pnpm-workspace.yaml'));
  if (pnpm !== undefined) {
    const { parseYaml } = await import('../../template/yaml.ts');
    return strings(fields(parseYaml(pnpm, path.join(folder, 'pnpm-workspace.yaml')))?.['packages']);
  }
  // above the project there may be anything
  const workspaces = (await readForeignManifest(folder))?.workspaces;
  return strings(Array.isArray(workspaces) ? workspaces : workspaces?.packages);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** Patterns with `*` and `**`; those with `!` in front take away again. */
export function matchesPatterns(relative: string, patterns: readonly string[]): boolean {
  let matches = false;
  for (const pattern of patterns) {
    const plain = pattern.replace(/^!/, '').replace(/^\.\//, '').replace(/\/+$/, '');
    const source = plain
      .split('/')
      .map((part) =>
        part === '**'
          ? '**'
          : part
              .replace(/[.+^${}()|[\]\\]/g, '\\$&')
              .replace(/\*/g, '[^/]*')
              .replace(/\?/g, '[^/]'),
      )
      .join('/')
      .replace(/\*\*\//g, '(?:.*/)?')
      .replace(/\*\*/g, '.*');
    if (new RegExp(`^${source}$`).test(relative)) matches = !pattern.startsWith('!');
  }
  return matches;
}

async function listMembers(root: string, patterns: readonly string[]): Promise<Map<string, string>> {
  const members = new Map<string, string>();
  const visit = async (folder: string): Promise<void> => {
    if (folder !== root && matchesPatterns(relativePath(root, folder), patterns)) {
      const name = (await readForeignManifest(folder))?.name;
      if (name !== undefined) members.set(name, folder);
    }
    for (const item of await fs.readdir(folder, { withFileTypes: true })) {
      if (item.isDirectory() && item.name !== 'node_modules' && !item.name.startsWith('.'))
        await visit(path.join(folder, item.name));
    }
  };
  await visit(root);
  return members;
}

function relativePath(from: string, to: string): string {
  return path.relative(from, to).split(path.sep).join('/');
}

/** Everything that is needed when the package runs. */
export function runtimeDependencies(manifest: NodeManifest): Record<string, string> {
  const peers = Object.entries(manifest.peerDependencies ?? {}).filter(
    ([name]) => ownValue(manifest.peerDependenciesMeta ?? {}, name)?.['optional'] !== true,
  );
  return { ...Object.fromEntries(peers), ...manifest.optionalDependencies, ...manifest.dependencies };
}

async function findLocals(
  dir: string,
  manifest: NodeManifest,
  members: ReadonlyMap<string, string>,
  found = new Map<string, string>(),
): Promise<Map<string, string>> {
  for (const [name, spec] of Object.entries(runtimeDependencies(manifest))) {
    const folder = localFolder(dir, spec) ?? (isRegistrySpec(spec) ? members.get(name) : undefined);
    if (folder === undefined || found.has(name)) continue;
    const local = await readManifest(folder);
    if (!local) continue; // a tarball, or a path that the manager will complain about
    found.set(name, folder);
    await findLocals(folder, local, members, found);
  }
  return found;
}

/** The folder that `file:`, `link:` or `portal:` names. */
function localFolder(dir: string, spec: string): string | undefined {
  const match = /^(?:file|link|portal):(.+)$/.exec(spec);
  return match?.[1] === undefined ? undefined : path.resolve(dir, match[1].replace(/^\/\/(?=\/)/, ''));
}

/** A version, a range, a tag or `workspace:…`: a member of the workspace may be meant. */
function isRegistrySpec(spec: string): boolean {
  return spec.startsWith('workspace:') || !/[:/]/.test(spec);
}
