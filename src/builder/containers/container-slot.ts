import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Engine } from '../../support/engine/container-engine.ts';
import { discard, exists, makeFolder, removeTree } from '../../support/files.ts';
import { findAbove } from '../../support/find-above.ts';
import { makeTemporaryFolder } from '../../support/temporary.ts';
import { buildStoreDir } from '../build-options.ts';
import type { BuildInput } from '../build-result.ts';
import type { BuildDefinition } from '../plan-build.ts';
import { startContainer } from './build-container.ts';
import { cacheVariables } from './cache-variables.ts';
import type { ContainerSettings } from './container-options.ts';
import { UnseenFilesError } from './launch-container.ts';
import type { BuildContainer, ContainerRequest } from './launch-container.ts';
import { startRemoteContainer } from './remote-container.ts';

/** Where the engine is: its address if it is remote. Changes if it turns out not to see our files. */
export interface EnginePlace {
  remote: string | undefined;
}

/** What decides a container. */
export interface SlotRequest {
  definition: BuildDefinition;
  settings: ContainerSettings;
  engine: Engine;
  place: EnginePlace;
  imageId: string;
  projectDir: string;
}

/** Where containers see the caches: `MAVEN_OPTS` holds no path with spaces. */
const CACHES = '/sam-sync-cache';

/** Prefix of temporary folders, whose leftovers the next run removes. */
export const CONTAINER_FILES = 'sam-sync-container';

/** The container of a build, which starts with its first program. One on another machine may serve later builds. */
export interface ContainerSlot {
  request: SlotRequest;
  temporaryDir: string;
  exec: BuildContainer['exec'];
  /** Where programs of the image are, by name. */
  programs: Map<string, Promise<string[]>>;
  /** What the build reads. */
  inputs: readonly BuildInput[];
  /** Files of the store that its programs find through other files. Absolute. */
  storedFiles: Set<string>;
  /** The signal of the build that has it. */
  signal: AbortSignal;
  /** Whether it may serve another build. */
  isReusable(): boolean;
  /** Prepares it for another build. false: its container is gone. */
  reset(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens a slot without a container. */
export async function openSlot(request: SlotRequest, signal: AbortSignal): Promise<ContainerSlot> {
  const temporaryDir = await makeTemporaryFolder(os.tmpdir(), CONTAINER_FILES);
  let container: Promise<BuildContainer> | undefined;
  let running: BuildContainer | undefined;
  let isBroken = false;
  const slot: ContainerSlot = {
    request,
    temporaryDir,
    programs: new Map(),
    inputs: [],
    storedFiles: new Set(),
    signal,
    exec: async (...how) => {
      try {
        running = await (container ??= startFor(slot));
        return await running.exec(...how);
      } catch (error) {
        isBroken = true;
        throw error;
      }
    },
    // programs of an aborted build may still run in it
    isReusable: () => running?.reset !== undefined && !isBroken && !slot.signal.aborted,
    reset: async () => {
      for (const name of await fs.readdir(temporaryDir)) await removeTree(path.join(temporaryDir, name));
      return (await running?.reset?.()) === true;
    },
    close: async () => {
      const started = await container?.catch(() => undefined);
      await started?.close();
      await discard(temporaryDir);
    },
  };
  return slot;
}

async function startFor(slot: ContainerSlot): Promise<BuildContainer> {
  const { temporaryDir } = slot;
  const { definition, settings, engine, place, projectDir } = slot.request;
  const store = buildStoreDir(projectDir);
  const caches = path.join(store, 'container-cache');
  await makeFolder(caches);
  const { codeDir, makefile } = definition;
  const others = [makefile?.contextDir, makefile?.workingDir, makefile?.projectRoot].filter((dir) => dir !== undefined);
  const wanted: ContainerRequest = {
    engine: { ...engine, run: (args, how) => engine.run(args, { signal: slot.signal, ...how }) },
    image: settings.image,
    architecture: definition.architecture,
    folders: [projectDir, codeDir, ...others, ...(await repositoryOf(codeDir)), temporaryDir],
    caches: { source: caches, target: CACHES },
    temporaryDir,
    written: {
      often: [path.join(store, 'tmp'), temporaryDir],
      seldom: [codeDir, caches, path.join(store, 'gradle'), path.join(store, 'dotnet-tools')],
    },
    env: { ...cacheVariables(CACHES), ...settings.env },
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
    code: [codeDir, ...others],
    // names in a folder decide what esbuild imports, which runs here
    inputs: () => [
      ...slot.inputs.filter(({ direct }) => direct !== true),
      ...[...slot.storedFiles].map((file) => ({ path: file, excludes: [] })),
    ],
  });
}

/** Returns the root of the repository, so that the container sees local packages beside the code; never the home folder. */
async function repositoryOf(codeDir: string): Promise<string[]> {
  const root = await findAbove(codeDir, '.git');
  return root === undefined || root === os.homedir() || !(await exists(root)) ? [] : [root];
}
