import type { CacheEntry } from './cache/build-cache.ts';
import type { BuildDefinition } from './plan-build.ts';
import type { SharedBuilds } from './shared-builds.ts';
import type { BuildContext, DependencySet, Workflow } from './workflows/workflow.ts';

/** Looks for the packages of a build that another machine installed, before a tool is needed. */
export async function takePackages(
  { share }: DependencySet,
  {
    sharedBuilds,
    definition,
    workflow,
    context,
  }: {
    sharedBuilds?: SharedBuilds | undefined;
    definition: BuildDefinition;
    workflow: Workflow;
    context: BuildContext;
  },
): Promise<CacheEntry | undefined> {
  if (sharedBuilds === undefined || share === undefined) return undefined;
  const { options, cache, hasher, hostTools: tools, note } = context;
  const found = await sharedBuilds.findPackages({ definition, workflow, options, cache, hasher, tools, note }, share);
  if (found === undefined) return undefined;
  const { entry, ms, platform } = found;
  return { ...entry, facts: { ...entry.facts, ms: String(ms), ...(platform === undefined ? {} : { platform }) } };
}
