import { setMaxListeners } from 'node:events';
import type { BuildResult, RunProblems } from '../../builder/build-result.ts';
import { openBuilder } from '../../builder/build.ts';
import { openBuildLayout } from '../../builder/layout/build-layout.ts';
import { planBuild } from '../../builder/plan-build.ts';
import { note } from '../../console/reporter.ts';
import type { BuildFailure } from '../../errors.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { buildOptionsOf } from '../build-options-of.ts';
import type { SyncRun } from '../sync-run.ts';

/** The result of building some functions and layers. */
export interface CodeBuild {
  result: BuildResult;
  failures: readonly BuildFailure[];
}

/** Builds the code of code syncs. */
export interface CodeBuilder {
  /** `signal` ends this build alone. */
  build(root: Stack, ids: ReadonlySet<ResourceIdentifier>, signal: AbortSignal): Promise<CodeBuild>;
  /** Functions built since the last call that cannot run. */
  runProblems(): Promise<RunProblems>;
  /** Lets the cache remove what was built. */
  release(): void;
}

/** Opens a builder that keeps what it learned, and lays out what it builds for other commands, except in a dry run. */
export function createCodeBuilder(run: SyncRun): CodeBuilder {
  const { reporter, signal } = run.environment;
  const options = buildOptionsOf(run);
  const layout = openBuildLayout(options);
  let builder: ReturnType<typeof openBuilder> | undefined;
  const releases: (() => void)[] = [];
  const checks: Promise<RunProblems>[] = [];
  const build: CodeBuilder['build'] = async (root, ids, own) => {
    builder ??= openBuilder({ reporter, signal, options, sharedBuilds: run.sharedBuilds });
    const either = AbortSignal.any([signal, own]);
    // each tool listens; Node warns of a leak beyond ten listeners
    setMaxListeners(0, either);
    const { result, failures, release } = await builder.build(planBuild(root, options, ids), { signal: either });
    releases.push(release);
    checks.push(result.runProblems);
    if (!run.options.dryRun) await layout.update(root, result);
    for (const { level, ids: built, text } of result.notes) note(reporter, level, `${built.join(', ')}: ${text}`);
    for (const { output } of failures) if (output) note(reporter, 'info', `\n${output.trimEnd()}\n`);
    return { result, failures };
  };
  const runProblems = async (): Promise<RunProblems> =>
    new Map((await Promise.all(checks.splice(0))).flatMap((problems) => [...problems]));
  return { build, runProblems, release: () => releases.splice(0).forEach((release) => release()) };
}
