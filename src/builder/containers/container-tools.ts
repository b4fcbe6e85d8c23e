import * as os from 'node:os';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { engineError, findEngine, unknownFailure } from '../../support/container-engine.ts';
import type { Engine } from '../../support/container-engine.ts';
import { discard, exists, makeFolder } from '../../support/files.ts';
import { once, oncePerName } from '../../support/once.ts';
import { engineProcessors, remoteEndpoint } from '../../support/engine-place.ts';
import { makeTemporaryFolder, removeLeftovers } from '../../support/temporary.ts';
import { findAbove } from '../../support/find-above.ts';
import { buildStoreDir } from '../build-options.ts';
import type { BuildInput } from '../build-result.ts';
import type { BuildDefinition } from '../plan-build.ts';
import { toolFailure } from '../tools/tools.ts';
import type { Tools } from '../tools/tools.ts';
import { startContainer } from './build-container.ts';
import type { ContainerSettings } from './container-options.ts';
import { UnseenFilesError } from './launch-container.ts';
import type { BuildContainer, ContainerRequest } from './launch-container.ts';
import { startRemoteContainer } from './remote-container.ts';

/** Tools in the container of one build. */
export interface ContainerTools extends Tools {
  /** Names what the build reads: a remote engine gets a copy of it. */
  setInputs(inputs: readonly BuildInput[]): void;
  close(): Promise<void>;
}

/** The containers of all builds of a run: looks up the engine and each image once. */
export interface ContainerPool {
  /** Returns the tools of a build. The container starts when the first tool runs. */
  open(definition: BuildDefinition, settings: ContainerSettings, stepId: string): Promise<ContainerTools>;
  /** The number of builds that a remote engine has processors for; undefined: the engine is on this machine, or there is none. */
  buildsAtOnce(): Promise<number | undefined>;
}

/** Opens the pool; `projectDir` holds `.aws-sam`. */
export function openContainerPool(host: Tools, projectDir: string): ContainerPool {
  const images = new Map<string, Promise<string>>();
  const findOwnEngine = once(async () => {
    await removeLeftovers(os.tmpdir(), { prefix: TEMPORARY });
    return findEngine('--use-container', { env: host.env, signal: host.signal });
  });
  const findPlace = once(async (): Promise<EnginePlace> => ({ remote: await remoteEndpoint(await findOwnEngine()) }));
  return {
    buildsAtOnce: async () => {
      try {
        const { remote } = await findPlace();
        return remote === undefined ? undefined : await engineProcessors(await findOwnEngine());
      } catch (error) {
        host.signal.throwIfAborted();
        // each build reports it
        if (error instanceof UserError) return undefined;
        throw error;
      }
    },
    open: async (definition, settings, stepId) => {
      const engine = await findOwnEngine();
      const { image } = settings;
      const { architecture } = definition;
      const imageId = await oncePerName(images, `${image} ${architecture}`, () =>
        pullImage(engine, { image, architecture }, (line) => host.report(stepId, line)),
      );
      return createContainerTools(host, {
        definition,
        settings,
        engine,
        place: await findPlace(),
        imageId,
        projectDir,
      });
    },
  };
}

/** Where the engine is: its address if it is remote. Changes if it turns out not to see our files. */
interface EnginePlace {
  remote: string | undefined;
}

const TEMPORARY = 'sam-sync-container';

/** Returns the id of the image; pulls it first if it does not exist for this architecture. */
async function pullImage(
  engine: Engine,
  wanted: { image: string; architecture: 'x86_64' | 'arm64' },
  onLine: (line: string) => void,
): Promise<string> {
  const { image, architecture } = wanted;
  const machine = architecture === 'arm64' ? 'arm64' : 'amd64';
  const inspect = async (): Promise<string | undefined> => {
    const { code, stdout } = await engine.run([
      'image',
      'inspect',
      '--format',
      '{{.Id}} {{.Architecture}}',
      '--',
      image,
    ]);
    const [id, actual] = stdout.trim().split(' ');
    return code === 0 && actual === machine ? id : undefined;
  };
  const existing = await inspect();
  if (existing !== undefined) return existing;
  onLine(`$ ${engine.name} pull ${image}`);
  const pulled = await engine.run(['pull', '--platform', `linux/${machine}`, '--', image], { onLine });
  if (pulled.code !== 0)
    throw engineError(engine.name, pulled.output, image) ?? unknownFailure(engine.name, pulled.output);
  const id = await inspect();
  if (id !== undefined) return id;
  throw new UserError(`${image} does not support ${architecture}`, {
    hint: 'Choose another image with --build-image, or another architecture for the function.',
  });
}

interface ToolsRequest {
  definition: BuildDefinition;
  settings: ContainerSettings;
  engine: Engine;
  place: EnginePlace;
  imageId: string;
  projectDir: string;
}

async function createContainerTools(host: Tools, request: ToolsRequest): Promise<ContainerTools> {
  const { settings, engine, imageId } = request;
  const temporaryDir = await makeTemporaryFolder(os.tmpdir(), TEMPORARY);
  let container: Promise<BuildContainer> | undefined;
  let inputs: readonly BuildInput[] = [];
  const start = (): Promise<BuildContainer> => (container ??= startFor(request, temporaryDir, () => inputs));
  const exec: BuildContainer['exec'] = async (...how) => {
    const result = await (await start()).exec(...how);
    // programs of another processor
    if (result.code !== 0 && /exec format error/i.test(result.output))
      throw engineError(engine.name, result.output, settings.image) ?? unknownFailure(engine.name, result.output);
    return result;
  };
  const programs = new Map<string, Promise<string[]>>();
  return {
    ...host,
    env: settings.env,
    place: `in the build image ${settings.image}`,
    temporaryDir,
    identity: `${imageId} ${JSON.stringify(settings.env)}`,
    run: async (program, args, options) => {
      host.report(
        options.stepId,
        `$ ${(options.displayed ?? `${path.basename(program)} ${args.join(' ')}`).slice(0, 500)}`,
      );
      const { cwd, env } = options;
      const result = await exec(program, args, { cwd, env, onLine: (line) => host.report(options.stepId, line) });
      if (result.code === 0) return result;
      throw toolFailure(result, options);
    },
    probe: (program, args, cwd) => exec(program, args, { cwd }),
    find: (name) =>
      oncePerName(programs, name, async () => {
        const { stdout } = await exec('sh', ['-c', FIND, 'sh', name]);
        return stdout.split('\n').filter(Boolean);
      }),
    setInputs: (known) => {
      inputs = known;
    },
    close: async () => {
      const running = await container?.catch(() => undefined);
      await running?.close();
      await discard(temporaryDir);
    },
  };
}

const FIND = 'IFS=:; for dir in $PATH; do if [ -f "$dir/$1" ] && [ -x "$dir/$1" ]; then echo "$dir/$1"; fi; done';

async function startFor(
  request: ToolsRequest,
  temporaryDir: string,
  inputs: () => readonly BuildInput[],
): Promise<BuildContainer> {
  const { definition, settings, engine, place, projectDir } = request;
  const store = buildStoreDir(projectDir);
  const caches = path.join(store, 'container-cache');
  await makeFolder(caches);
  const { codeDir, makefile } = definition;
  const others = [makefile?.contextDir, makefile?.workingDir, makefile?.projectRoot].filter((dir) => dir !== undefined);
  const wanted: ContainerRequest = {
    engine,
    image: settings.image,
    architecture: definition.architecture,
    folders: [projectDir, codeDir, ...others, ...(await repositoryOf(codeDir)), temporaryDir],
    temporaryDir,
    written: {
      often: [path.join(store, 'tmp'), temporaryDir],
      seldom: [codeDir, caches, path.join(store, 'gradle'), path.join(store, 'dotnet-tools')],
    },
    env: { ...cacheVariables(caches), ...settings.env },
  };
  try {
    if (place.remote === undefined) return await startContainer(wanted);
  } catch (error) {
    if (!(error instanceof UnseenFilesError)) throw error;
    place.remote = 'its machine';
  }
  return startRemoteContainer(wanted, {
    endpoint: place.remote,
    store,
    caches,
    code: [codeDir, ...others],
    // names in a folder decide what esbuild imports, which runs here
    inputs: () => inputs().filter(({ direct }) => direct !== true),
  });
}

/** Returns the root of the repository, so that the container sees local packages beside the code; never the home folder. */
async function repositoryOf(codeDir: string): Promise<string[]> {
  const root = await findAbove(codeDir, '.git');
  return root === undefined || root === os.homedir() || !(await exists(root)) ? [] : [root];
}

/** Returns variables that keep downloads between builds, and let git read a repository of another user. */
function cacheVariables(dir: string): Record<string, string> {
  const at = (name: string): string => path.join(dir, name);
  return {
    XDG_CACHE_HOME: at('xdg'),
    PIP_CACHE_DIR: at('pip'),
    UV_CACHE_DIR: at('uv'),
    npm_config_cache: at('npm'),
    XDG_DATA_HOME: at('data'),
    npm_config_update_notifier: 'false',
    YARN_CACHE_FOLDER: at('yarn'),
    BUNDLE_USER_CACHE: at('bundler'),
    GOCACHE: at('go-build'),
    GOMODCACHE: at('go-mod'),
    GRADLE_USER_HOME: at('gradle'),
    MAVEN_OPTS: `-Dmaven.repo.local=${at('maven')}`,
    CARGO_HOME: at('cargo'),
    CARGO_TARGET_DIR: at('cargo-target'),
    NUGET_PACKAGES: at('nuget'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
  };
}
