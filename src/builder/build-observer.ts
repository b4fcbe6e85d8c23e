import type { BuildDefinition } from './plan-build.ts';
import type { Tools } from './tools/tools.ts';
import type { PreparedBuild } from './workflows/workflow.ts';

/** How a build ended. `verified`: at its end its source was what was built. */
export type BuildEnd = 'verified' | 'unverified' | 'aborted';

/** Sees one build go on. */
export interface BuildObserver {
  /** The code's folder is about to be read. A build that ends as `verified` found the same there the first and the last time. */
  beforeSource(): void;
  /** A tool is about to run, which may write anywhere. */
  beforeTool(): void;
  /** All its tools have ended. */
  ended(end: BuildEnd): void;
}

/** Called when a build begins. */
export type ObserveBuild = (build: Pick<BuildDefinition, 'key' | 'ids' | 'codeDir'>) => BuildObserver;

/** The same tools, but the observer sees them run. */
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

/** The same build, but the observer sees its source read. */
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
