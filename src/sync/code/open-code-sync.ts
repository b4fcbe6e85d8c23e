import { openCloudStacks } from '../../cloud/cloud-stacks.ts';
import { createCloudValues } from '../../cloud/cloud-values.ts';
import type { CloudValue } from '../../cloud/cloud-values.ts';
import type { DeployResult } from '../../deploy/deploy-stack.ts';
import { readDeployedTemplate } from '../../deploy/describe-stack.ts';
import type { DeployedStack } from '../../deploy/describe-stack.ts';
import { hasChangedSince, requireLatest } from '../../deploy/require-latest.ts';
import { splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { findGoneLayers } from '../../services/lambda/gone-layers.ts';
import { openLambda } from '../../services/lambda/lambda-client.ts';
import { ownValue } from '../../support/own-value.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import { openStackMemory } from '../open-stores.ts';
import type { SyncRun } from '../sync-run.ts';
import { createCodeBuilder } from './code-builder.ts';
import { locateResources } from './locate-resources.ts';
import { openPlan } from './open-plan.ts';
import type { CodeSyncRequest, OpenPlan } from './open-plan.ts';
import { readFunctionsAhead } from './read-functions-ahead.ts';
import { listSyncResources } from './sync-resource.ts';

/** What code syncs are opened with. */
export interface CodeSyncRun extends SyncRun {
  /** The root stack, if it was described already. */
  described?: DeployedStack | undefined;
}

/**
 * Code syncs of one stack, again and again: physical ids, hashes, clients and what builds learned stay in memory. One at a
 * time.
 */
export interface CodeSync {
  /** What would be done and why. undefined: `onLocated` said no. */
  plan(request: CodeSyncRequest): Promise<OpenPlan | undefined>;
  /**
   * Begins to ask for the functions that the next plan of everything will ask for, if it is remembered what they are called:
   * the answers come while things are built.
   */
  readAhead(root: Stack): Promise<void>;
  /** The template that a nested stack (`Child/Grand`) was deployed with; undefined if it is not there. */
  readNestedTemplate(path: string): Promise<Template | undefined>;
  /** Physical ids of those resources that are in the stack. */
  locate(root: Stack, ids: ReadonlySet<ResourceIdentifier>): Promise<ReadonlyMap<ResourceIdentifier, string>>;
  /** A value of a template with everything filled in that the cloud can tell. */
  resolve(root: Stack, value: TemplateValue, stack: Stack): Promise<CloudValue>;
  /** Layer versions that CloudFormation has and Lambda has no more, see `findGoneLayers`. */
  goneLayers(root: Stack): Promise<ReadonlyMap<ResourceIdentifier, number>>;
  /** The stack was deployed, and is now as `described`: its resources are looked for again. */
  forget(described?: DeployedStack): void;
  /** Rejects with `StackOvertakenError` if the stack is not as our deployment left it any more. */
  requireLatest(deployment: Pick<DeployResult, 'stack' | 'isLatest'>): Promise<void>;
  /** Whether somebody changed the stack since it was described. */
  hasChangedSince(described: DeployedStack): Promise<boolean>;
}

/** Opens the code syncs of the stack; the first plan makes the first call. */
export async function openCodeSync(run: CodeSyncRun): Promise<CodeSync> {
  const { options, environment, aws } = run;
  const memory = await openStackMemory(run);
  const stacks = openCloudStacks({ aws, stackName: options.stackName, memory, described: run.described });
  const lambda = openLambda(aws, { signal: environment.signal });
  const parts = { run, stacks, lambda, builder: createCodeBuilder(run) };
  return {
    plan: (request) => openPlan(parts, request),
    readAhead: (root) => readFunctionsAhead({ stacks, lambda }, root),
    readNestedTemplate: async (path) => {
      const { stackPath, logicalId } = splitIdentifier(path);
      // what is remembered needs no call, and the list of all is needed anyway if there is something to sync
      await stacks.loadCache([stackPath]);
      const nested = ownValue((await stacks.listing(stackPath)) ?? {}, logicalId);
      return nested && (await readDeployedTemplate(aws, nested.physicalId));
    },
    locate: async (root, ids) => {
      const resources = listSyncResources(root).filter(({ id }) => ids.has(id));
      const there = await locateResources(stacks, resources);
      return new Map([...there].map(([id, { physicalId }]) => [id, physicalId]));
    },
    resolve: (root, value, stack) => createCloudValues(root, stacks, options.parameterOverrides).resolve(value, stack),
    goneLayers: (root) => findGoneLayers({ stacks, lambda }, root),
    forget: (described) => {
      stacks.forget(described);
      lambda.forget();
    },
    requireLatest: (deployment) => requireLatest(aws, deployment),
    hasChangedSince: (described) => hasChangedSince(aws, described),
  };
}
