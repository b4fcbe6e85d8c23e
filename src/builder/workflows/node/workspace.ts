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
  /** Whether the folder is a member's. */
  contains(dir: string): boolean;
  /** Returns the members' folders by package name. Walks the tree on the first call only. */
  members(): Promise<ReadonlyMap<string, string>>;
}

/** Workspaces by folder, for one run: many functions share one workspace. */
export type WorkspaceCache = Map<string, Promise<Workspace | undefined>>;

/** Finds the workspace of a folder: above it, in the same repository. */
export async function findWorkspace(dir: string, cache: WorkspaceCache): Promise<Workspace | undefined> {
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const workspace = folder === dir ? undefined : await oncePerName(cache, folder, () => readWorkspace(folder));
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

/** Lists the members. Synchronous: with thousands of folders that takes a tenth of the time of awaiting each. */
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
