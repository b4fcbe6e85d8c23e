import * as os from 'node:os';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { engineError, unknownFailure } from '../../support/engine/container-engine.ts';
import type { Engine } from '../../support/engine/container-engine.ts';
import { engineFailure } from '../../support/engine/engine-failure.ts';
import { engineProcessors, remoteEndpoint } from '../../support/engine/engine-place.ts';
import { findEngine } from '../../support/engine/find-engine.ts';
import { once, oncePerName } from '../../support/once.ts';
import { removeLeftovers } from '../../support/temporary.ts';
import type { BuildInput } from '../build-result.ts';
import type { BuildDefinition } from '../plan-build.ts';
import { toolFailure } from '../tools/tools.ts';
import type { Tools } from '../tools/tools.ts';
import type { ContainerSettings } from './container-options.ts';
import { CONTAINER_FILES, openSlot } from './container-slot.ts';
import type { ContainerSlot, EnginePlace, SlotRequest } from './container-slot.ts';
import type { IdleContainers } from './idle-containers.ts';

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

interface PoolSettings {
  /** Holds `.aws-sam`. */
  projectDir: string;
  /** Keeps containers for the builds of later pools; undefined: each ends with its build. */
  idle: IdleContainers | undefined;
}

/** Opens the pool. */
export function openContainerPool(host: Tools, { projectDir, idle }: PoolSettings): ContainerPool {
  const images = new Map<string, Promise<string>>();
  const findOwnEngine = once(async () => {
    await removeLeftovers(os.tmpdir(), { prefix: CONTAINER_FILES });
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
      const wanted = { definition, settings, engine, place: await findPlace(), imageId, projectDir };
      return createContainerTools(host, wanted, idle);
    },
  };
}

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
  if (pulled.code !== 0) throw await engineFailure(engine, pulled.output, { image, during: `the pull of ${image}` });
  const id = await inspect();
  if (id !== undefined) return id;
  throw new UserError(`${image} does not support ${architecture}`, {
    hint: 'Choose another image with --build-image, or another architecture for the function.',
  });
}

async function createContainerTools(
  host: Tools,
  request: SlotRequest,
  idle: IdleContainers | undefined,
): Promise<ContainerTools> {
  const { settings, engine, imageId } = request;
  const slot = (await idle?.take(request, host.signal)) ?? (await openSlot(request, host.signal));
  const exec: ContainerSlot['exec'] = async (...how) => {
    const result = await slot.exec(...how);
    // programs of another processor
    if (result.code !== 0 && /exec format error/i.test(result.output))
      throw (
        engineError(engine.name, result.output, { image: settings.image }) ?? unknownFailure(engine.name, result.output)
      );
    return result;
  };
  return {
    ...host,
    env: settings.env,
    place: `in the build image ${settings.image}`,
    temporaryDir: slot.temporaryDir,
    identity: `${imageId} ${JSON.stringify(settings.env)}`,
    run: async (program, args, options) => {
      host.report(
        options.stepId,
        `$ ${(options.displayed ?? `${path.basename(program)} ${args.join(' ')}`).slice(0, 500)}`,
      );
      const { cwd, env, results } = options;
      const onLine = (line: string): void => host.report(options.stepId, line);
      const result = await exec(program, args, { cwd, env, results, onLine });
      if (result.code === 0) return result;
      throw toolFailure(result, options);
    },
    probe: (program, args, cwd) => exec(program, args, { cwd }),
    find: (name) =>
      oncePerName(slot.programs, name, async () => {
        const { stdout } = await exec('sh', ['-c', FIND, 'sh', name]);
        return stdout.split('\n').filter(Boolean);
      }),
    addInput: (place) => void slot.storedFiles.add(place),
    setInputs: (known) => {
      slot.inputs = known;
    },
    close: () => (idle === undefined ? slot.close() : idle.keep(slot)),
  };
}

const FIND = 'IFS=:; for dir in $PATH; do if [ -f "$dir/$1" ] && [ -x "$dir/$1" ]; then echo "$dir/$1"; fi; done';
