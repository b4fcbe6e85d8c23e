import type { BuildResult } from '../../builder/build-result.ts';
import type { BuildEnvironment, BuildOutcome } from '../../builder/build.ts';
import type { BuildPlan } from '../../builder/plan-build.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { withInputs } from '../application-snapshot.ts';
import type { SyncedResource } from '../loop/results.ts';
import type { WatchedApplication } from '../watched-application.ts';

/** Builds, and watches from now on what the builds were made of. */
export async function buildResources(
  application: WatchedApplication,
  plan: BuildPlan,
  how: { signal: AbortSignal; onBuilt?: BuildEnvironment['onBuilt'] },
): Promise<BuildOutcome> {
  const readSince = Date.now();
  const outcome = await application.snapshot.tools.build(plan, how);
  application.replace((now) => withInputs(now, outcome.result.inputs), readSince);
  return outcome;
}

/** Adds to the results why functions of this build cannot run, once that is checked. */
export async function addRunProblems(
  { runProblems }: BuildResult,
  results: readonly SyncedResource[],
): Promise<SyncedResource[]> {
  const byId = await runProblems;
  return results.map((result) => {
    const problems = result.outcome === 'failed' ? [] : (byId.get(result.id) ?? []);
    return problems.length === 0 ? result : { ...result, problems };
  });
}

/**
 * Names what a resource was built to: folders, whose content never changes, or an image. undefined: the resource is not
 * built.
 */
export function artifactOf(built: BuildResult, id: ResourceIdentifier): string | undefined {
  const folder = built.folders.get(id);
  if (folder === undefined) return built.images.get(id)?.imageId;
  return `${folder.path}\n${built.dependencyLayers.get(id)?.path ?? ''}`;
}
