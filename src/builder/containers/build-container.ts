import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { unknownFailure } from '../../support/engine/container-engine.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import { cleanupSignal, launchContainer, UnseenFilesError } from './launch-container.ts';
import type { BuildContainer, ContainerRequest, ExecOptions } from './launch-container.ts';
import { mountOf, mountOption, outermostFolders } from './mounts.ts';

/**
 * Starts a container on an engine that sees this machine's files: it mounts the folders. Throws `UnseenFilesError` if the
 * engine does not see them.
 */
export async function startContainer(request: ContainerRequest): Promise<BuildContainer> {
  const { engine } = request;
  const folders = outermostFolders(request.folders).map((folder) => mountOf(folder, process.platform));
  const { name, call, stop } = await launchContainer(request, [...folders, request.caches].map(mountOption));
  // from here on the container exists, and only this call can close it
  const owner = await ownerToRestore(request, call).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const restoreOwner = async (): Promise<void> => {
    if (owner !== undefined) await call('chown', ['-R', '-h', owner, ...targets(request.written.often)], {});
  };
  return {
    exec: async (program, args, how = {}) => {
      try {
        return await call(program, args, how);
      } finally {
        await restoreOwner().catch(() => {});
      }
    },
    close: async () => {
      if (owner !== undefined) {
        // an interrupted build leaves files that only root can remove
        const folders = targets([...request.written.often, ...request.written.seldom]);
        const args = ['exec', name, 'chown', '-R', '-h', owner, ...folders];
        await engine.run(args, { signal: cleanupSignal() }).catch(() => {});
      }
      await stop();
    },
  };
}

function targets(folders: readonly string[]): string[] {
  return folders.map((folder) => mountOf(folder, process.platform).target);
}

/**
 * Programs run as the image's user, mostly root, as its tools expect. Returns the owner to set (`uid:gid`) if their files belong
 * to another user on this machine; undefined with rootless engines and virtual machines.
 */
async function ownerToRestore(
  request: ContainerRequest,
  call: (program: string, args: readonly string[], how: ExecOptions) => Promise<SpawnResult>,
): Promise<string | undefined> {
  const { engine, temporaryDir } = request;
  const probe = path.join(temporaryDir, 'owner');
  const { code, output } = await call('touch', [probe], {});
  const stat = await fs.stat(probe).catch(() => undefined);
  // e.g. another user's rootless engine may not write them
  if (stat === undefined && (code === 0 || /permission denied|read-only file system/i.test(output)))
    throw new UnseenFilesError(
      `containers of ${engine.name} do not see the files of this machine, or may not write them`,
    );
  if (stat === undefined) throw unknownFailure(engine.name, output);
  await fs.rm(probe, { force: true });
  const us = process.getuid?.();
  return us === undefined || stat.uid === us ? undefined : `${us}:${process.getgid?.() ?? us}`;
}
