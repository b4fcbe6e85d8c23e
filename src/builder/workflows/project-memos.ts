import { createFolderMemo } from './esbuild/folder-listing.ts';
import { createInstallLockMemo } from './node/install-lock.ts';
import type { BuildContext } from './workflow.ts';

/** What one build has read of projects, shared by all its functions. */
export type ProjectMemos = Pick<BuildContext, 'workspaces' | 'locks' | 'installLocks' | 'folders'>;

/** Creates empty memos for one build: the next one reads everything again. */
export function createProjectMemos(): ProjectMemos {
  return {
    workspaces: new Map(),
    locks: new Map(),
    installLocks: createInstallLockMemo(),
    folders: createFolderMemo(),
  };
}
