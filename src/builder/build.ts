import * as os from 'node:os';
import * as path from 'node:path';
import type { BuildFailure } from '../errors.ts';
import { findEngine } from '../support/container-engine.ts';
import { createGate, mapLimit } from '../support/map-limit.ts';
import { once } from '../support/once.ts';
import { buildStoreDir } from './build-options.ts';
import type { BuildResult } from './build-result.ts';
import { buildCode, buildImage } from './build-step.ts';
import type { BuildEnvironment, SharedContext } from './build-step.ts';
import { openBuildCache } from './cache/build-cache.ts';
import { openSourceHasher } from './cache/source-hash.ts';
import { createFunctionChecker } from './checks/check-functions.ts';
import { openContainerPool } from './containers/container-tools.ts';
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
}

/** Opens a builder on the cache of the project. */
export function openBuilder(environment: BuildEnvironment): Builder {
  const { options, reporter } = environment;
  const { env, projectDir } = options;
  const store = buildStoreDir(projectDir);
  const wholeCache = openBuildCache(store);
  const hasher = openSourceHasher(path.join(store, 'source-index.json'));
  const checker = createFunctionChecker(projectDir);
  const inTurn = createGate(1);
  return {
    build: async (plan, { signal = environment.signal, onBuilt = environment.onBuilt } = {}) => {
      await checkOwnFolders(options);
      const { cache, release } = wholeCache.hold();
      // new for each build: a missing tool may be installed by now, workspaces and lock files may have changed
      const tools = createTools({ env, signal, reporter });
      const containers = openContainerPool(tools, projectDir);
      const isInContainers = plan.definitions.some(({ container }) => container !== undefined);
      const atOnce = (isInContainers ? await containers.buildsAtOnce() : undefined) ?? BUILDS_AT_ONCE;
      const shared: SharedContext = {
        environment: { ...environment, signal, onBuilt },
        cache,
        hasher,
        tools,
        projects: createProjectMemos(),
        containers,
        atOnce: createGate(atOnce),
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

/** Installing waits for the network more than it computes. */
const BUILDS_AT_ONCE = Math.max(4, os.availableParallelism());

/** Lookups in a shared cache wait for the network. Builds themselves have a limit of their own. */
const LOOKUPS_AT_ONCE = 32;

/** An engine that builds more images at the same time only shares its processors and disks among them. */
const IMAGES_AT_ONCE = 2;

async function buildAll(plan: BuildPlan, shared: SharedContext, atOnce: number): Promise<ResultCollector> {
  const collector = new ResultCollector(plan.notes);
  const limit = shared.environment.sharedBuilds === undefined ? atOnce : LOOKUPS_AT_ONCE;
  await Promise.all([
    mapLimit(plan.definitions, limit, (definition) => buildCode(definition, shared, collector)),
    mapLimit(plan.images, IMAGES_AT_ONCE, (image) => buildImage(image, shared, collector)),
  ]);
  await shared.hasher.save();
  shared.environment.signal.throwIfAborted();
  if (collector.bugs.length > 0) throw collector.bugs[0];
  await shared.cache.prune().catch(() => {}); // housekeeping: the next build tries again
  return collector;
}
