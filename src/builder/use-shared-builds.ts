import * as path from 'node:path';
import { ownPrivateFiles } from './checks/private-files.ts';
import type { CacheEntry } from './cache/build-cache.ts';
import type { DefinitionResult } from './build-definition.ts';
import type { BuildDefinition } from './plan-build.ts';
import type { OwnBuild, SharedBuild, SharedBuildContext, SharedBuilds } from './shared-builds.ts';
import type { Tools } from './tools/tools.ts';
import { loadWorkflow } from './workflows/load-workflow.ts';
import { createProjectMemos } from './workflows/project-memos.ts';
import type { BuildContext, PreparedBuild, Sharing, Workflow } from './workflows/workflow.ts';

/** Where a build looks for what other machines made. */
export type SharedLookup = Pick<SharedBuildContext, 'options' | 'cache' | 'hasher' | 'tools' | 'note'>;

/** Looks for a build of the same source by another machine, before a tool is needed. */
export async function findShared(
  definition: BuildDefinition,
  sharedBuilds: SharedBuilds | undefined,
  lookup: SharedLookup,
): Promise<SharedBuild | undefined> {
  if (sharedBuilds === undefined || definition.workflow === undefined) return undefined;
  const found = await sharedBuilds.find({ definition, workflow: await loadWorkflow(definition), ...lookup });
  if (found !== undefined) await lookup.cache.keepNewest(definition.key, found.artifact.key);
  return found;
}

/** A build that has ended, with the means to test whether it is still current. */
export interface EndedBuild {
  definition: BuildDefinition;
  workflow: Workflow;
  context: BuildContext;
  prepared: PreparedBuild;
  result: DefinitionResult;
  programs: ReadonlySet<string>;
}

/** Offers a build of this machine to others. */
export async function offerBuild(
  sharedBuilds: SharedBuilds | undefined,
  { definition, workflow, context, prepared, result, programs }: EndedBuild,
): Promise<void> {
  if (sharedBuilds === undefined || result.sourceKey === undefined) return;
  const { options, cache, hasher, hostTools, note } = context;
  const { artifact, dependencyLayer, installed } = result;
  const folder = prepared.dependencies?.folder;
  const packages = installed && folder !== undefined ? path.join(installed.path, folder) : undefined;
  const platform = installed?.facts['platform'];
  const foreign = platform === undefined ? undefined : { reason: `its packages were installed on ${String(platform)}` };
  const [secret] = await ownPrivateFiles(definition.codeDir, artifact.path);
  const sharing: Sharing =
    secret === undefined
      ? ((await prepared.share?.(packages)) ?? { reason: `${workflow.name} may use anything on this machine` })
      : { reason: `it packs ${secret}, which may hold secrets` };
  await sharedBuilds.add(
    { definition, workflow, options, cache, hasher, tools: hostTools, note },
    {
      artifact,
      dependencyLayer,
      packages: foreign ?? (await packagesOf(prepared, installed, packages)),
      sharing: foreign ?? sharing,
      inputs: await prepared.inputs(),
      programs: [...programs],
      label: prepared.label,
      // also of an earlier run
      ms: Number(artifact.facts['ms'] ?? 0) + Number(installed?.facts['ms'] ?? 0),
      isCurrent: async () => {
        const fresh = { ...context, ...createProjectMemos(), note: () => {} };
        const again = await workflow.prepare(definition, fresh);
        const isSame = again.dependencies?.key === prepared.dependencies?.key;
        return isSame && (await again.sourceKey()) === result.sourceKey;
      },
    },
  );
}

async function packagesOf(
  { dependencies }: PreparedBuild,
  entry: CacheEntry | undefined,
  folder: string | undefined,
): Promise<OwnBuild['packages']> {
  if (!dependencies?.share || entry === undefined || folder === undefined || entry.facts['bytes'] === '0')
    return undefined;
  const reason = await dependencies.share.whyNot(folder);
  return reason === undefined ? { entry, key: dependencies.share.key } : { reason };
}

/** Wraps tools so that the programs that run are known. */
export function recordPrograms<T extends Tools>(tools: T, programs: Set<string>): T {
  return {
    ...tools,
    run: (program, args, options) => {
      programs.add(program);
      return tools.run(program, args, options);
    },
  };
}
