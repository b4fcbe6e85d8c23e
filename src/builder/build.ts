import * as os from 'node:os';
import * as path from 'node:path';
import type { BuildFailure } from '../errors.ts';
import { findEngine } from '../support/engine/find-engine.ts';
import { createGate, mapLimit } from '../support/map-limit.ts';
import { once } from '../support/once.ts';
import { buildStoreDir } from './build-options.ts';
import type { BuildResult } from './build-result.ts';
import { buildCode, buildImage } from './build-step.ts';
import type { BuildEnvironment, SharedContext } from './build-step.ts';
import { openBuildCache } from './cache/build-cache.ts';
import { openBuildMemory } from './cache/build-memory.ts';
import type { BuildMemory } from './cache/build-memory.ts';
import { openSourceHasher } from './cache/source-hash.ts';
import { createFunctionChecker } from './checks/check-functions.ts';
import { openContainerPool } from './containers/container-tools.ts';
import { openIdleContainers } from './containers/idle-containers.ts';
import { checkOwnFolders } from './layout/own-folders.ts';
import type { BuildPlan } from './plan-build.ts';
import { ResultCollector } from './result-collector.ts';
import { createTools } from './tools/tools.ts';
import { createProjectMemos } from './workflows/project-memos.ts';

export type { BuildEnvironment };

/** The results of a build, and its failures. */
export interface BuildOutcome {
  result: BuildResult;
  failures: readonly BuildFailure[];
  /** Releases what was built: until then the cache keeps it, however many newer versions there are. */
  release(): void;
}

/** Builds repeatedly and keeps what it learned in memory: for `--watch`. */
export interface Builder {
  /** Failures are part of the outcome, not errors. `signal` and `onBuilt` replace those of the environment for this build. */
  build(plan: BuildPlan, how?: Partial<Pick<BuildEnvironment, 'signal' | 'onBuilt'>>): Promise<BuildOutcome>;
  /** Closes the containers that wait for further builds (`keepsContainers`). */
  close(): Promise<void>;
}

/** Opens a builder on the cache of the project. */
export function openBuilder(environment: BuildEnvironment): Builder {
  const { options, reporter } = environment;
  const { env, projectDir } = options;
  const store = buildStoreDir(projectDir);
  const wholeCache = openBuildCache(store);
  const hasher = openSourceHasher(path.join(store, 'source-index.json'));
  let opened: BuildMemory | undefined;
  const memory = (): BuildMemory => (opened ??= openBuildMemory(path.join(store, 'build-memory.json')));
  const checker = createFunctionChecker(projectDir);
  const inTurn = createGate(1);
  const idle = environment.keepsContainers === true ? openIdleContainers() : undefined;
  return {
    close: async () => idle?.close(),
    build: async (plan, { signal = environment.signal, onBuilt = environment.onBuilt } = {}) => {
      await checkOwnFolders(options);
      const { cache, release } = wholeCache.hold();
      // new for each build: a missing tool may be installed by now, workspaces and lock files may have changed
      const tools = createTools({ env, signal, reporter });
      const containers = openContainerPool(tools, { projectDir, idle });
      const onEngine = needsEngine(plan) ? await containers.buildsAtOnce() : undefined;
      const atOnce = onEngine ?? BUILDS_AT_ONCE;
      const gate = createGate(atOnce);
      const shared: SharedContext = {
        environment: { ...environment, signal, onBuilt },
        cache,
        hasher,
        memory: plan.definitions.length < WORTH_REMEMBERING ? undefined : memory(),
        tools,
        projects: createProjectMemos(),
        containers,
        atOnce: gate,
        // a remote engine has its processors for both
        imagesAtOnce: onEngine === undefined ? createGate(IMAGES_AT_ONCE) : gate,
        engine: once(() => findEngine('A function of package type Image', { env, signal })),
        inTurn,
      };
      try {
        const { result, failures } = await buildAll(plan, shared, atOnce);
        // no deployment depends on the checks, so nothing waits for them
        const runProblems = checker.check(plan.checks, result, tools);
        return { result: { ...result, runProblems }, failures, release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** To read what is remembered of all builds takes as long as preparing so many. */
const WORTH_REMEMBERING = 8;

/** Installing waits for the network more than it computes. */
const BUILDS_AT_ONCE = Math.max(4, os.availableParallelism());

/** Lookups in a shared cache wait for the network. Builds themselves have a limit of their own. */
const LOOKUPS_AT_ONCE = 32;

/** This machine's engine would only share its processors and disks among more images at the same time. */
const IMAGES_AT_ONCE = 2;

/** Whether it matters how many builds the engine has processors for. */
function needsEngine({ definitions, images }: BuildPlan): boolean {
  return images.length > IMAGES_AT_ONCE || definitions.some(({ container }) => container !== undefined);
}

async function buildAll(plan: BuildPlan, shared: SharedContext, atOnce: number): Promise<ResultCollector> {
  const collector = new ResultCollector(plan.notes);
  const limit = shared.environment.sharedBuilds === undefined ? atOnce : LOOKUPS_AT_ONCE;
  await Promise.all([
    mapLimit(plan.definitions, limit, (definition) => buildCode(definition, shared, collector)),
    mapLimit(plan.images, plan.images.length, (image) =>
      shared.imagesAtOnce(() => buildImage(image, shared, collector)),
    ),
  ]);
  await shared.hasher.save();
  await shared.memory?.save();
  shared.environment.signal.throwIfAborted();
  if (collector.bugs.length > 0) throw collector.bugs[0];
  await shared.cache.prune().catch(() => {}); // housekeeping: the next build tries again
  return collector;
}
