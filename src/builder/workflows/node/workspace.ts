import * as fs from 'node:fs';
import * as path from 'node:path';
import { exists, readTextIfExists } from '../../../support/files.ts';
import { compileFolders } from '../../../support/globs.ts';
import type { FolderPatterns } from '../../../support/globs.ts';
import { once, oncePerName } from '../../../support/once.ts';
import { fields, textsOf } from '../../../support/shapes.ts';
import { withSlashes } from '../../../support/places.ts';
import { readForeignManifest } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';

/** A folder whose package.json or pnpm-workspace.yaml declares a workspace. */
export interface Workspace {
  root: string;
  manifest: NodeManifest;
  /** Whether a folder is that of a member. */
  contains(dir: string): boolean;
  /** Members by package name, with their folders. The tree is walked the first time only. */
  members(): Promise<ReadonlyMap<string, string>>;
}

/** Folders that were looked at in this run, so that many functions of one workspace share the work. */
export type WorkspaceCache = Map<string, Promise<Workspace | undefined>>;

/** The workspace that a folder is a member of: above it, in the same repository. */
export async function findWorkspace(dir: string, seen: WorkspaceCache): Promise<Workspace | undefined> {
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const workspace = folder === dir ? undefined : await oncePerName(seen, folder, () => readWorkspace(folder));
    if (workspace?.contains(dir)) return workspace;
    if (path.dirname(folder) === folder || (await exists(path.join(folder, '.git')))) return undefined;
  }
}

async function readWorkspace(root: string): Promise<Workspace | undefined> {
  const manifest = (await readForeignManifest(root)) ?? {};
  const patterns = await workspacePatterns(root, manifest);
  if (patterns.length === 0) return undefined;
  const matcher = compileFolders(patterns);
  return {
    root,
    manifest,
    contains: (dir) => matcher.matches(relativePath(root, dir)),
    members: once(() => listMembers(root, matcher)),
  };
}

async function workspacePatterns(folder: string, manifest: NodeManifest): Promise<string[]> {
  const file = path.join(folder, 'pnpm-workspace.yaml');
  const pnpm = await readTextIfExists(file);
  if (pnpm !== undefined) {
    const { parseYaml } = await import('../../../template/yaml/yaml.ts');
    return textsOf(fields(parseYaml(pnpm, file))?.['packages']);
  }
  const { workspaces } = manifest;
  return textsOf(Array.isArray(workspaces) ? workspaces : workspaces?.packages);
}

/** In one go: thousands of folders take a tenth of the time that they take one await each. */
async function listMembers(root: string, patterns: FolderPatterns): Promise<Map<string, string>> {
  const members = new Map<string, string>();
  const folders: string[] = [];
  const visit = (folder: string): void => {
    for (const item of fs.readdirSync(folder, { withFileTypes: true })) {
      if (!item.isDirectory() || item.name === 'node_modules' || item.name.startsWith('.')) continue;
      const inside = path.join(folder, item.name);
      const relative = relativePath(root, inside);
      if (patterns.matches(relative)) folders.push(inside);
      if (patterns.mayMatchBelow(relative)) visit(inside);
    }
  };
  visit(root);
  for (const folder of folders) {
    const name = (await readForeignManifest(folder))?.name;
    if (name !== undefined) members.set(name, folder);
  }
  return members;
}

function relativePath(from: string, to: string): string {
  return withSlashes(path.relative(from, to));
}
