import * as path from 'node:path';
import { exists } from '../../../support/files.ts';
import { findLocalPackages, NO_LOCAL_PACKAGES } from './local-packages.ts';
import type { LocalPackages } from './local-packages.ts';
import type { InstallLockMemo } from './install-lock.ts';
import type { NodeManifest } from './manifest.ts';
import { findWorkspace } from './workspace.ts';
import type { WorkspaceCache, Workspace } from './workspace.ts';

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** A package with everything that decides how its dependencies are installed. */
export interface NodeProject {
  dir: string;
  manifest: NodeManifest;
  manager: PackageManager;
  /** The lock file in use. Absolute. */
  lock: string | undefined;
  /** The folder in which the manager runs: the package's, or its workspace's. */
  root: string;
  /** Folders of the workspace's packages by name. */
  members: ReadonlyMap<string, string>;
  /** Local packages that this one needs. */
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

/** Returns a package without dependencies: its surroundings do not matter. */
export function projectAlone(dir: string, manifest: NodeManifest): NodeProject {
  return { dir, manifest, manager: 'npm', lock: undefined, root: dir, members: new Map(), locals: NO_LOCAL_PACKAGES };
}

/** Reads the package in `dir` and the workspace around it. */
export async function readNodeProject(
  dir: string,
  manifest: NodeManifest,
  { workspaces, installLocks }: { workspaces: WorkspaceCache; installLocks: InstallLockMemo },
): Promise<NodeProject> {
  const { root, lock, manager, workspace } = await findProjectLock(dir, manifest, workspaces);
  const members = (await workspace?.members()) ?? new Map<string, string>();
  const rootManifest = workspace?.manifest ?? manifest;
  const lockedArchives = lock === undefined ? [] : installLocks.get(lock).archives;
  const locals = await findLocalPackages({ dir, manifest, root, rootManifest, lockedArchives, members });
  return { dir, manifest, manager, lock, root, members, locals };
}

/** Finds the lock file of a package: its own, else that of its workspace. */
export async function findProjectLock(
  dir: string,
  manifest: NodeManifest,
  cache: WorkspaceCache,
): Promise<Pick<NodeProject, 'root' | 'lock' | 'manager'> & { workspace: Workspace | undefined }> {
  const own = await findLock(dir, manifest);
  const workspace = own ? undefined : await findWorkspace(dir, cache);
  const lock = own ?? (workspace && (await findLock(workspace.root, workspace.manifest)));
  return { root: workspace?.root ?? dir, lock: lock?.file, manager: lock?.manager ?? 'npm', workspace };
}

async function findLock(
  dir: string,
  manifest: NodeManifest,
): Promise<{ file: string; manager: PackageManager } | undefined> {
  const locks: { file: string; manager: PackageManager }[] = [];
  for (const { file, manager } of LOCKS)
    if (await exists(path.join(dir, file))) locks.push({ file: path.join(dir, file), manager });
  const preferred = manifest.packageManager?.split('@')[0];
  return locks.find(({ manager }) => manager === preferred) ?? locks[0];
}
