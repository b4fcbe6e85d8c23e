import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { engineError, unknownFailure } from '../../support/container-engine.ts';
import type { Engine } from '../../support/container-engine.ts';
import type { SpawnResult } from '../../support/spawn.ts';
import { startProcess } from '../../support/start-process.ts';
import { passVariables } from './pass-variables.ts';
import { mountOf, outermostFolders, translatePaths } from './mounts.ts';

/** What a container is made of. */
export interface ContainerRequest {
  engine: Engine;
  image: string;
  architecture: 'x86_64' | 'arm64';
  /** Folders that it sees and may write into. Absolute. */
  folders: readonly string[];
  /** A folder among them in which nothing else is. */
  temporaryDir: string;
  /** Folders whose files are given back to us after each program, and those for which the end is soon enough. */
  written: { often: readonly string[]; seldom: readonly string[] };
  env: Readonly<Record<string, string>>;
}

/** A running container for builds. */
export interface BuildContainer {
  /** Runs a program in it to its end, whatever the exit code. */
  exec(program: string, args: readonly string[], how?: ExecOptions): Promise<SpawnResult>;
  /** Ends and removes it. */
  close(): Promise<void>;
}

/** How a program is run in a container. */
interface ExecOptions {
  cwd?: string | undefined;
  env?: Readonly<Record<string, string | undefined>> | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/** After this (ms) a container that does not end by itself is removed by force. */
const END_WITHIN = 3_000;
/** An engine that does not answer is not waited for any longer (ms). */
const LATE_WITHIN = 30_000;

/**
 * Starts a container that does nothing but wait for the end of its input: that comes when we close it, and also when this
 * process is killed in whatever way, so that none is ever left. Programs are run in it one after the other.
 */
export async function startContainer(request: ContainerRequest): Promise<BuildContainer> {
  const { engine, image, env } = request;
  const name = `sam-sync-build-${process.pid}-${randomBytes(4).toString('hex')}`;
  const mounts = outermostFolders(request.folders).map((folder) => mountOf(folder, process.platform));
  const variables = passVariables(env);
  const options = [...runOptions(request, name), ...variables.options];
  const running = startProcess(
    engine.name,
    ['run', ...options, '--entrypoint', 'sh', image, '-c', 'echo ready; exec cat'],
    {
      env: { ...engine.env, ...variables.env },
    },
  );
  if ((await running.firstLine) === undefined) {
    const { stderr } = await running.ended;
    throw engineError(engine.name, stderr, image) ?? unknownFailure(engine.name, stderr);
  }
  const end = async (): Promise<void> => {
    running.endInput();
    const over = await Promise.race([running.ended.then(() => true), wait(END_WITHIN)]);
    if (!over) await engine.run(['rm', '--force', name], { signal: lateSignal() });
  };
  const translate = (text: string): string => translatePaths(text, mounts);
  const call = async (program: string, args: readonly string[], how: ExecOptions): Promise<SpawnResult> => {
    const own = Object.entries(how.env ?? {});
    const set = own.filter((entry): entry is [string, string] => entry[1] !== undefined);
    const variables = passVariables(Object.fromEntries(set.map(([key, value]) => [key, translate(value)])));
    const unset = own.filter(([, value]) => value === undefined).map(([key]) => key);
    const command = [program, ...args].map(translate);
    const options = [...(how.cwd === undefined ? [] : ['--workdir', translate(how.cwd)]), ...variables.options];
    const without = unset.length === 0 ? [] : ['env', ...unset.flatMap((key) => ['-u', key])];
    return engine.run(['exec', ...options, name, ...without, ...command], {
      onLine: how.onLine,
      env: variables.env,
    });
  };
  // from here on the container exists, and only this call can close it
  const owner = await foreignOwner(request, call).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  const giveBack = async (): Promise<void> => {
    if (owner !== undefined) await call('chown', ['-R', '-h', owner, ...targets(request.written.often)], {});
  };
  return {
    exec: async (program, args, how = {}) => {
      try {
        return await call(program, args, how);
      } finally {
        await giveBack().catch(() => {});
      }
    },
    close: async () => {
      if (owner !== undefined) {
        // an interrupted build leaves files that only root may remove
        const folders = targets([...request.written.often, ...request.written.seldom]);
        const args = ['exec', name, 'chown', '-R', '-h', owner, ...folders];
        await engine.run(args, { signal: lateSignal() }).catch(() => {});
      }
      await end();
    },
  };
}

/** For commands of the end, which run although the build was interrupted. */
function lateSignal(): AbortSignal {
  return AbortSignal.timeout(LATE_WITHIN);
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
    // the project's files would have to be relabelled otherwise, where SELinux is on
    '--security-opt',
    'label=disable',
    ...engine.network,
    ...mounts.flatMap(({ source, target }) => ['--mount', `type=bind,source=${source},target=${target}`]),
  ];
}

function targets(folders: readonly string[]): string[] {
  return folders.map((folder) => mountOf(folder, process.platform).target);
}

/**
 * Programs are run as the image's user, mostly root, as its tools expect. Whether files that it makes belong to somebody
 * else here, and then who is to have them: not so with rootless engines and virtual machines.
 */
async function foreignOwner(
  request: ContainerRequest,
  call: (program: string, args: readonly string[], how: ExecOptions) => Promise<SpawnResult>,
): Promise<string | undefined> {
  const { engine, temporaryDir } = request;
  const probe = path.join(temporaryDir, 'owner');
  const { code, output } = await call('touch', [probe], {});
  const stat = await fs.stat(probe).catch(() => undefined);
  if (code === 0 && stat === undefined) {
    throw new UserError(`The containers of ${engine.name} do not see the files of this machine`, {
      hint: 'Builds need an engine on this machine: see DOCKER_HOST, docker context, and which folders Docker Desktop shares.',
    });
  }
  if (stat === undefined) throw unknownFailure(engine.name, output);
  await fs.rm(probe, { force: true });
  const us = process.getuid?.();
  return us === undefined || stat.uid === us ? undefined : `${us}:${process.getgid?.() ?? us}`;
}
