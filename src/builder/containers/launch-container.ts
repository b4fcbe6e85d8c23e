import { randomBytes } from 'node:crypto';
import type { Engine } from '../../support/engine/container-engine.ts';
import { engineFailure } from '../../support/engine/engine-failure.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import { startProcess } from '../../support/process/start-process.ts';
import { mountOf, outermostFolders, translatePaths } from './mounts.ts';
import type { Mount } from './mounts.ts';
import { passToContainer } from './pass-variables.ts';

/** The settings of a build container. */
export interface ContainerRequest {
  engine: Engine;
  image: string;
  architecture: 'x86_64' | 'arm64';
  /** Folders that the programs see under their own paths, writable. Absolute. */
  folders: readonly string[];
  /** The folder of the tools' caches, or the volume of the engine, and its place in the container. */
  caches: Mount;
  /** An empty folder among the folders. */
  temporaryDir: string;
  /** Folders whose files are chowned to us after each program (`often`), or when the container is closed (`seldom`). */
  written: { often: readonly string[]; seldom: readonly string[] };
  env: Readonly<Record<string, string>>;
}

/** A running container for builds. */
export interface BuildContainer {
  /** Runs a program to its end, whatever the exit code. */
  exec(program: string, args: readonly string[], how?: ExecOptions): Promise<SpawnResult>;
  /** Removes what a build left that another one must not find. false: the container is gone. Undefined: it serves one build. */
  reset?(): Promise<boolean>;
  /** Stops and removes the container. */
  close(): Promise<void>;
}

/** Options of a program's run in a container. */
export interface ExecOptions {
  cwd?: string | undefined;
  env?: Readonly<Record<string, string | undefined>> | undefined;
  onLine?: ((line: string) => void) | undefined;
  /** Text for its standard input. */
  input?: string | undefined;
  /** As root, not as the image's user. */
  isRoot?: boolean;
  /** The only folders with results that the build reads; undefined: any that it names or starts in. Absolute. */
  results?: readonly string[] | undefined;
}

/** A container in which programs can run. */
export interface LaunchedContainer {
  name: string;
  /** Runs a program to its end, whatever the exit code. Translates paths of this machine. */
  call(program: string, args: readonly string[], how: ExecOptions): Promise<SpawnResult>;
  /** Whether the container has ended, or the connection to it. */
  hasEnded(): boolean;
  /** Whether the engine says that the container was killed. Waits a moment for its word. */
  wasKilled(): Promise<boolean>;
  /** Stops and removes the container. */
  stop(): Promise<void>;
}

/** The engine's machine does not have the folders that a container should mount. */
export class UnseenFilesError extends Error {}

/** A container that does not stop by itself within this time (ms) is removed by force. */
const STOP_WITHIN = 3_000;
/** The exit code of a killed program, and the time (ms) that an engine has to report it. */
const KILLED = 137;
const WORD_WITHIN = 5_000;
/** Cleanup commands of the engine get this time (ms). */
const CLEANUP_WITHIN = 30_000;

/**
 * Starts a container that only waits for the end of its input: it ends when we close it, and also when this process is killed
 * in any way, so that no container is left behind. Programs run in it by `exec`. `mounts`: values of `--mount`.
 */
export async function launchContainer(
  request: ContainerRequest,
  mounts: readonly string[],
): Promise<LaunchedContainer> {
  const { engine, image, env } = request;
  const name = `sam-sync-build-${process.pid}-${randomBytes(4).toString('hex')}`;
  const variables = await passToContainer(env, request.temporaryDir);
  const options = [...runOptions(request, name), ...mounts.flatMap((mount) => ['--mount', mount])];
  const running = startProcess(
    engine.name,
    ['run', ...options, ...variables.options, '--entrypoint', 'sh', '--', image, '-c', 'echo ready; exec cat'],
    { env: { ...engine.env, ...variables.env } },
  );
  if ((await running.firstLine) === undefined) {
    const { stderr } = await running.ended;
    // it may have been created and not started
    await remove(engine, name);
    if (/bind source path does not exist/i.test(stderr)) throw new UnseenFilesError(stderr);
    throw await engineFailure(engine, stderr, { image, during: `the start of ${image}` });
  }
  let ended = false;
  const noteEnd = (): void => void (ended = true);
  running.ended.then(noteEnd, noteEnd);
  return {
    name,
    call: (program, args, how) => execIn(request, name, { program, args, how }),
    hasEnded: () => ended,
    wasKilled: async () => {
      const end = await Promise.race([running.ended.catch(() => undefined), wait(WORD_WITHIN)]);
      return end !== undefined && end !== false && end.code === KILLED;
    },
    stop: async () => {
      // without its connection, nothing says that the container has ended
      const wasCut = ended;
      running.endInput();
      const hasStopped = await Promise.race([running.ended.then(() => true), wait(STOP_WITHIN)]);
      if (!hasStopped || wasCut) await remove(engine, name);
    },
  };
}

async function remove(engine: Engine, name: string): Promise<void> {
  await engine.run(['rm', '--force', name], { signal: cleanupSignal() }).catch(() => undefined);
}

async function execIn(
  { engine, folders, temporaryDir }: ContainerRequest,
  name: string,
  { program, args, how }: { program: string; args: readonly string[]; how: ExecOptions },
): Promise<SpawnResult> {
  const mounts = outermostFolders(folders).map((folder) => mountOf(folder, process.platform));
  const translate = (text: string): string => translatePaths(text, mounts);
  const given = Object.entries(how.env ?? {});
  const set = given.filter((entry): entry is [string, string] => entry[1] !== undefined);
  const own = Object.fromEntries(set.map(([key, value]) => [key, translate(value)]));
  const variables = await passToContainer(own, temporaryDir);
  const unset = given.filter(([, value]) => value === undefined).map(([key]) => key);
  const command = [program, ...args].map(translate);
  const options = [
    ...(how.input === undefined ? [] : ['--interactive']),
    ...(how.isRoot === true ? ['--user', '0'] : []),
    ...(how.cwd === undefined ? [] : ['--workdir', translate(how.cwd)]),
    ...variables.options,
  ];
  const without = unset.length === 0 ? [] : ['env', ...unset.flatMap((key) => ['-u', key])];
  const { input, onLine } = how;
  return engine.run(['exec', ...options, name, ...without, ...command], { input, onLine, env: variables.env });
}

/** For cleanup commands, which run even after an abort. */
export function cleanupSignal(): AbortSignal {
  return AbortSignal.timeout(CLEANUP_WITHIN);
}

function wait(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms).unref());
}

function runOptions({ engine, architecture }: ContainerRequest, name: string): string[] {
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
  ];
}
