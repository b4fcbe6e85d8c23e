import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { engineError, unknownFailure } from '../../support/container-engine.ts';
import type { Engine } from '../../support/container-engine.ts';
import type { SpawnResult } from '../../support/spawn.ts';
import { startProcess } from '../../support/start-process.ts';
import { passToContainer } from './pass-variables.ts';
import { mountOf, mountOption, outermostFolders, translatePaths } from './mounts.ts';

/** The settings of a build container. */
export interface ContainerRequest {
  engine: Engine;
  image: string;
  architecture: 'x86_64' | 'arm64';
  /** Folders to mount, writable. Absolute. */
  folders: readonly string[];
  /** An empty folder among them. */
  temporaryDir: string;
  /** Folders whose files are chowned to us after each program (`often`), or when the container is closed (`seldom`). */
  written: { often: readonly string[]; seldom: readonly string[] };
  env: Readonly<Record<string, string>>;
}

/** A running container for builds. */
export interface BuildContainer {
  /** Runs a program to its end, whatever the exit code. */
  exec(program: string, args: readonly string[], how?: ExecOptions): Promise<SpawnResult>;
  /** Stops and removes the container. */
  close(): Promise<void>;
}

/** Options of a program's run in a container. */
interface ExecOptions {
  cwd?: string | undefined;
  env?: Readonly<Record<string, string | undefined>> | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/** A container that does not stop by itself within this time (ms) is removed by force. */
const STOP_WITHIN = 3_000;
/** Cleanup commands of the engine get this time (ms). */
const CLEANUP_WITHIN = 30_000;

/**
 * Starts a container that only waits for the end of its input: it ends when we close it, and also when this process is killed
 * in any way, so that no container is left behind. Programs run in it by `exec`.
 */
export async function startContainer(request: ContainerRequest): Promise<BuildContainer> {
  const { engine, image, env } = request;
  const name = `sam-sync-build-${process.pid}-${randomBytes(4).toString('hex')}`;
  const mounts = outermostFolders(request.folders).map((folder) => mountOf(folder, process.platform));
  const variables = await passToContainer(env, request.temporaryDir);
  const options = [...runOptions(request, name), ...variables.options];
  const running = startProcess(
    engine.name,
    ['run', ...options, '--entrypoint', 'sh', '--', image, '-c', 'echo ready; exec cat'],
    {
      env: { ...engine.env, ...variables.env },
    },
  );
  if ((await running.firstLine) === undefined) {
    const { stderr } = await running.ended;
    throw engineError(engine.name, stderr, image) ?? unknownFailure(engine.name, stderr);
  }
  const stop = async (): Promise<void> => {
    running.endInput();
    const hasStopped = await Promise.race([running.ended.then(() => true), wait(STOP_WITHIN)]);
    if (!hasStopped) await engine.run(['rm', '--force', name], { signal: cleanupSignal() });
  };
  const translate = (text: string): string => translatePaths(text, mounts);
  const call = async (program: string, args: readonly string[], how: ExecOptions): Promise<SpawnResult> => {
    const given = Object.entries(how.env ?? {});
    const set = given.filter((entry): entry is [string, string] => entry[1] !== undefined);
    const own = Object.fromEntries(set.map(([key, value]) => [key, translate(value)]));
    const variables = await passToContainer(own, request.temporaryDir);
    const unset = given.filter(([, value]) => value === undefined).map(([key]) => key);
    const command = [program, ...args].map(translate);
    const options = [...(how.cwd === undefined ? [] : ['--workdir', translate(how.cwd)]), ...variables.options];
    const without = unset.length === 0 ? [] : ['env', ...unset.flatMap((key) => ['-u', key])];
    return engine.run(['exec', ...options, name, ...without, ...command], {
      onLine: how.onLine,
      env: variables.env,
    });
  };
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

/** For cleanup commands, which run even after an abort. */
function cleanupSignal(): AbortSignal {
  return AbortSignal.timeout(CLEANUP_WITHIN);
}

function wait(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms).unref());
}

function runOptions({ engine, architecture, folders }: ContainerRequest, name: string): string[] {
  const mounts = outermostFolders(folders).map((folder) => mountOf(folder, process.platform));
  return [
    '--rm',
    '--interactive',
    '--name',
    name,
    '--label',
    'sam-sync.build',
    '--platform',
    architecture === 'arm64' ? 'linux/arm64' : 'linux/amd64',
    // with SELinux the project's files would have to be relabelled otherwise
    '--security-opt',
    'label=disable',
    ...engine.network,
    ...mounts.flatMap(({ source, target }) => ['--mount', mountOption({ source, target })]),
  ];
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
  if (code === 0 && stat === undefined) {
    throw new UserError(`Containers of ${engine.name} do not see the files of this machine`, {
      hint: 'Builds need an engine on this machine: check DOCKER_HOST, docker context and the folders that Docker Desktop shares.',
    });
  }
  if (stat === undefined) throw unknownFailure(engine.name, output);
  await fs.rm(probe, { force: true });
  const us = process.getuid?.();
  return us === undefined || stat.uid === us ? undefined : `${us}:${process.getgid?.() ?? us}`;
}
