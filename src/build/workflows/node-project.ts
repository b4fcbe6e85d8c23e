import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { exists, readTextIfExists } from '../../support/files.ts';
import { ownValue } from '../../support/own-value.ts';

/** What we read of a package.json. */
export interface NodeManifest {
  name?: string;
  version?: string;
  type?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  bundleDependencies?: string[] | boolean;
  bundledDependencies?: string[] | boolean;
  overrides?: unknown;
  resolutions?: unknown;
  pnpm?: Record<string, unknown>;
  packageManager?: string;
  workspaces?: string[] | { packages?: string[] };
}

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

/** Reads the package.json of a folder; undefined if there is none. */
export async function readManifest(dir: string): Promise<NodeManifest | undefined> {
  const file = path.join(dir, 'package.json');
  const text = await readTextIfExists(file);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new UserError(`${file} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  throw new UserError(`${file} must hold a JSON object`);
}

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
    const value = parseYaml(pnpm, path.join(folder, 'pnpm-workspace.yaml')) as { packages?: unknown } | null;
    return strings(value?.packages);
  }
  const workspaces = (await readManifest(folder))?.workspaces;
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
      const name = (await readManifest(folder))?.name;
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
    ([name]) => ownValue(manifest.peerDependenciesMeta ?? {}, name)?.optional !== true,
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
