import { openCloudStacks } from '../../cloud/cloud-stacks.ts';
import { createCloudValues } from '../../cloud/cloud-values.ts';
import type { CloudValue } from '../../cloud/cloud-values.ts';
import type { StackOutput } from '../../console/reporter.ts';
import type { DeployResult } from '../../deploy/deploy-stack.ts';
import type { SyncFacts } from '../../cloud/sync-state.ts';
import { readDeployedTemplate } from '../../deploy/describe-stack.ts';
import type { DeployedStack } from '../../deploy/describe-stack.ts';
import { hasChangedSince, requireLatest } from '../../deploy/require-latest.ts';
import { splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { allowNewVersions } from '../../services/lambda/versions/allow-versions.ts';
import type { StackUpdate } from '../../services/lambda/versions/allow-versions.ts';
import { findGoneLayers } from '../../services/lambda/layers/gone-layers.ts';
import { openLambda } from '../../services/lambda/lambda-client.ts';
import { ownValue } from '../../support/own-value.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import { readOffer } from '../endpoints.ts';
import type { StackOffer } from '../endpoints.ts';
import { openStackMemory } from '../open-stores.ts';
import type { SyncRun } from '../sync-run.ts';
import { createCodeBuilder } from './code-builder.ts';
import type { LocatedAhead } from './ahead/locate-ahead.ts';
import { locateResources } from './locate-resources.ts';
import { openPlan } from './open-plan.ts';
import type { CodeSyncRequest, OpenPlan } from './open-plan.ts';
import { readFunctionsAhead, readSavedAhead } from './ahead/read-functions-ahead.ts';
import { listSyncResources } from './sync-resource.ts';
import { openWebFunctionRevisions } from './web-function-revisions.ts';
import type { WebFunctionRevisions } from './web-function-revisions.ts';

/** The inputs of code syncs. */
export interface CodeSyncRun extends SyncRun {
  /** The root stack, if it was described already. */
  described?: DeployedStack | undefined;
  /** Calls that are under way. */
  ahead?: LocatedAhead | undefined;
}

/**
 * Code syncs of one stack, one at a time: physical ids, hashes, clients and build state stay in memory between them.
 */
export interface CodeSync {
  /** Plans a code sync. undefined: `onLocated` refused it. */
  plan(request: CodeSyncRequest): Promise<OpenPlan | undefined>;
  /**
   * Starts to read the functions that the next plan of everything needs, if the facts have their names: the answers arrive
   * during the build.
   */
  readAhead(root: Stack): Promise<void>;
  /** Starts to read these functions for a plan that follows within a second. Makes no call but to Lambda. */
  readSavedAhead(root: Stack, ids: ReadonlySet<ResourceIdentifier>): void;
  /** The template that a nested stack (`Child/Grand`) was deployed with; undefined if it does not exist. */
  readNestedTemplate(path: string): Promise<Template | undefined>;
  /** The physical ids of those resources that are in the stack. */
  locate(root: Stack, ids: ReadonlySet<ResourceIdentifier>): Promise<ReadonlyMap<ResourceIdentifier, string>>;
  /** Resolves a value of a template with what the stack has. */
  resolve(root: Stack, value: TemplateValue, stack: Stack): Promise<CloudValue>;
  /** Outputs of the stack and addresses of the application, as they work from this machine. */
  offer(root: Stack, outputs: readonly StackOutput[]): Promise<StackOffer>;
  /**
   * Prepares an update of the stack: makes Lambda publish versions for it (`allowNewVersions`). Gives the layer versions that
   * CloudFormation has and Lambda does not (`findGoneLayers`).
   */
  beforeUpdate(root: Stack, update: StackUpdate): Promise<ReadonlyMap<ResourceIdentifier, number>>;
  /** Resource → properties that were set directly and are not deployed. */
  ahead(): Promise<SyncFacts['ahead']>;
  /** Code of Web Functions that is live before it is deployed. */
  readonly revisions: WebFunctionRevisions;
  /** Forgets the stack's resources after a deployment. `described`: the stack as it is now. */
  forget(described?: DeployedStack): void;
  /** Rejects with `StackOvertakenError` if the stack changed after our deployment. */
  requireLatest(deployment: Pick<DeployResult, 'stack' | 'isLatest'>): Promise<void>;
  /** Whether the stack changed after it was described. */
  hasChangedSince(described: DeployedStack): Promise<boolean>;
}

/** Opens the code syncs of the stack; the first plan makes the first call. */
export async function openCodeSync(run: CodeSyncRun): Promise<CodeSync> {
  const { options, environment, aws, described, ahead } = run;
  const lambda = ahead?.lambda ?? openLambda(aws, { signal: environment.signal });
  const stacks =
    ahead !== undefined && (described === undefined || ahead.isDescribing)
      ? ahead.stacks
      : openCloudStacks({ aws, stackName: options.stackName, memory: await openStackMemory(run), described });
  const parts = { run, stacks, lambda, builder: createCodeBuilder(run) };
  const readNestedTemplate: CodeSync['readNestedTemplate'] = async (path) => {
    const { stackPath, logicalId } = splitIdentifier(path);
    // a cached listing needs no call, and a code sync needs the listing anyway
    await stacks.loadCache([stackPath]);
    const nested = ownValue((await stacks.listing(stackPath)) ?? {}, logicalId);
    return nested && (await readDeployedTemplate(aws, nested.physicalId));
  };
  return {
    plan: (request) => openPlan(parts, request),
    readAhead: (root) => readFunctionsAhead({ stacks, lambda }, root),
    readSavedAhead: (root, ids) => readSavedAhead({ stacks, lambda }, root, ids),
    readNestedTemplate,
    locate: async (root, ids) => {
      const resources = listSyncResources(root).filter(({ id }) => ids.has(id));
      const there = await locateResources(stacks, resources);
      return new Map([...there].map(([id, { physicalId }]) => [id, physicalId]));
    },
    resolve: (root, value, stack) => createCloudValues(root, stacks, options.parameterOverrides).resolve(value, stack),
    offer: (root, outputs) => readOffer({ run, stacks, lambda }, root, outputs),
    beforeUpdate: async (root, update) => {
      const { reporter } = run.environment;
      const [gone] = await Promise.all([
        findGoneLayers({ stacks, lambda }, root),
        allowNewVersions({ stacks, lambda, reporter }, root, { ...update, readNested: readNestedTemplate }),
      ]);
      return gone;
    },
    ahead: async () => {
      // an earlier session may have remembered some
      await stacks.loadCache([]);
      return stacks.facts.ahead;
    },
    revisions: openWebFunctionRevisions({ run, stacks }),
    forget: (described) => {
      stacks.forget(described);
      lambda.forget();
    },
    requireLatest: (deployment) => requireLatest(aws, deployment),
    hasChangedSince: (described) => hasChangedSince(aws, described),
  };
}
