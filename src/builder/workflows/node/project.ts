import * as path from 'node:path';
import { exists } from '../../../support/files.ts';
import { findLocalPackages, NO_LOCAL_PACKAGES } from './local-packages.ts';
import type { LocalPackages } from './local-packages.ts';
import type { NodeManifest } from './manifest.ts';
import { findWorkspace } from './workspace.ts';
import type { WorkspaceCache, Workspace } from './workspace.ts';

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

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
  /** Packages on this machine that this one needs. */
  locals: LocalPackages;
}

const LOCKS: readonly { file: string; manager: PackageManager }[] = [
  { file: 'npm-shrinkwrap.json', manager: 'npm' },
  { file: 'package-lock.json', manager: 'npm' },
  { file: 'pnpm-lock.yaml', manager: 'pnpm' },
  { file: 'yarn.lock', manager: 'yarn' },
  { file: 'bun.lock', manager: 'bun' },
  { file: 'bun.lockb', manager: 'bun' },
];

/** A package that needs nothing: whatever is around it does not matter. */
export function projectAlone(dir: string, manifest: NodeManifest): NodeProject {
  return { dir, manifest, manager: 'npm', lock: undefined, root: dir, members: new Map(), locals: NO_LOCAL_PACKAGES };
}

/** Reads the package in `dir` and the workspace around it. */
export async function readNodeProject(dir: string, manifest: NodeManifest, seen: WorkspaceCache): Promise<NodeProject> {
  const { root, lock, manager, workspace } = await findProjectLock(dir, manifest, seen);
  const members = (await workspace?.members()) ?? new Map<string, string>();
  const rootManifest = workspace?.manifest ?? manifest;
  const locals = await findLocalPackages({ dir, manifest, root, rootManifest, lock, members });
  return { dir, manifest, manager, lock, root, members, locals };
}

/** The lock file that counts for a package: its own, else that of the workspace that it is a member of. */
export async function findProjectLock(
  dir: string,
  manifest: NodeManifest,
  seen: WorkspaceCache,
): Promise<Pick<NodeProject, 'root' | 'lock' | 'manager'> & { workspace: Workspace | undefined }> {
  const own = await findLock(dir, manifest);
  const workspace = own ? undefined : await findWorkspace(dir, seen);
  const found = own ?? (workspace && (await findLock(workspace.root, workspace.manifest)));
  return { root: workspace?.root ?? dir, lock: found?.file, manager: found?.manager ?? 'npm', workspace };
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
