import { openBuilder } from '../builder/build.ts';
import type { Builder, BuildEnvironment, BuildOutcome } from '../builder/build.ts';
import type { ObserveBuild } from '../builder/build-observer.ts';
import { openBuildLayout } from '../builder/layout/build-layout.ts';
import type { BuildLayout } from '../builder/layout/build-layout.ts';
import type { BuildPlan } from '../builder/plan-build.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { buildOptionsOf } from '../sync/build-options-of.ts';
import { openCodeSync } from '../sync/code/open-code-sync.ts';
import type { CodeSync } from '../sync/code/open-code-sync.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { SupersededError } from './loop/watch-tasks.ts';

/** Tools that keep what they learned from sync to sync, for one set of options. They open on first use. */
export interface WatchTools {
  build(
    plan: BuildPlan,
    how: { signal: AbortSignal; onBuilt?: BuildEnvironment['onBuilt'] | undefined },
  ): Promise<BuildOutcome>;
  /** The folders where other commands find what was built. */
  layout(): BuildLayout;
  /** `described`: the stack as it was read last. */
  codeSync(described: DeployedStack | undefined): Promise<CodeSync>;
  /** Closes what waits for further builds. */
  close(): Promise<void>;
}

/** Gives the tools for these options. `observe` is called with each build. */
export function openWatchTools(run: SyncRun, observe: ObserveBuild): WatchTools {
  const { reporter, signal } = run.environment;
  let builder: Builder | undefined;
  let layout: BuildLayout | undefined;
  return {
    build: (plan, how) => {
      builder ??= openBuilder({
        reporter,
        signal,
        options: buildOptionsOf(run),
        observe,
        sharedBuilds: run.sharedBuilds,
        keepsContainers: true,
      });
      return buildUntilOwnAbort(builder, plan, how);
    },
    layout: () => (layout ??= openBuildLayout(buildOptionsOf(run))),
    codeSync: rememberCodeSync(run),
    close: async () => builder?.close(),
  };
}

/** Gives the tools with new connections to the services: calls that wait for the old ones are given up. */
export function reconnect(tools: WatchTools, run: SyncRun): WatchTools {
  return { ...tools, codeSync: rememberCodeSync(run) };
}

function rememberCodeSync(run: SyncRun): WatchTools['codeSync'] {
  let codeSync: Promise<CodeSync> | undefined;
  return (described) => (codeSync ??= openCodeSync({ ...run, described }));
}

/** Two builds may share a piece of work, which ends when the build that began it is aborted: the other one begins again. */
async function buildUntilOwnAbort(
  builder: Builder,
  plan: BuildPlan,
  how: Parameters<WatchTools['build']>[1],
): Promise<BuildOutcome> {
  for (;;) {
    try {
      return await builder.build(plan, how);
    } catch (error) {
      if (how.signal.aborted || !(error instanceof SupersededError)) throw error;
    }
  }
}
