import type { BuildDefinition } from './plan-build.ts';
import type { Tools } from './tools/tools.ts';
import type { PreparedBuild } from './workflows/workflow.ts';

/** How a build ended. `verified`: the source at the end is what was built. */
export type BuildEnd = 'verified' | 'unverified' | 'aborted';

/** Observes one build. */
export interface BuildObserver {
  /** The build is about to read the code's folder. A `verified` build found the same there the first and the last time. */
  beforeSource(): void;
  /** A tool is about to run; it may write anywhere. */
  beforeTool(): void;
  /** All its tools have ended. */
  ended(end: BuildEnd): void;
}

/** Creates the observer of a build when the build starts. */
export type ObserveBuild = (build: Pick<BuildDefinition, 'key' | 'ids' | 'codeDir'>) => BuildObserver;

/** Wraps tools so that the observer sees each run. */
export function observeTools<T extends Tools>(tools: T, observer: BuildObserver | undefined): T {
  if (observer === undefined) return tools;
  return {
    ...tools,
    run: (...how) => {
      observer.beforeTool();
      return tools.run(...how);
    },
  };
}

/** Wraps a build so that the observer sees each read of its source. */
export function observeSource(prepared: PreparedBuild, observer: BuildObserver | undefined): PreparedBuild {
  if (observer === undefined) return prepared;
  return {
    ...prepared,
    sourceKey: () => {
      observer.beforeSource();
      return prepared.sourceKey();
    },
  };
}
