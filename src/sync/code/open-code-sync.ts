import type { BuildResult, RunProblems } from '../../builder/artifact.ts';
import type { DeployResult } from '../../deploy/deploy-stack.ts';
import { readDeployedTemplate } from '../../deploy/describe-stack.ts';
import type { DeployedStack } from '../../deploy/describe-stack.ts';
import { hasChangedSince, requireLatest } from '../../deploy/require-latest.ts';
import { splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { readParameters } from '../../template/parameters.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import { findBucket, requireBucket } from '../deployment-bucket.ts';
import { openArtifactStore, openStackMemory } from '../open-stores.ts';
import type { SyncRun } from '../sync-run.ts';
import { applyCodeSync } from './apply-code-sync.ts';
import { openCloudStacks } from '../../cloud/cloud-stacks.ts';
import { createCloudValues } from '../../cloud/cloud-values.ts';
import type { CloudValue } from '../../cloud/cloud-values.ts';
import { openCodeArtifacts } from '../../services/lambda/code-artifacts.ts';
import { openCodeImages } from '../../services/lambda/code-images.ts';
import { createCodeBuilder } from './code-builder.ts';
import type { CodeBuild } from './code-builder.ts';
import type { CodeSyncOutcome, CodeSyncPlan } from './code-sync-plan.ts';
import { describeRequests } from './code-sync-requests.ts';
import type { DescribedResource } from './code-sync-requests.ts';
import { packCode } from '../../services/lambda/pack-code.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { isImage } from '../../services/lambda/function-code.ts';
import { findDeployed } from '../../cloud/generated-ids.ts';
import { openLambda } from '../../services/lambda/lambda-client.ts';
import { locateResources, syncSkipReason } from './locate-resources.ts';
import { locateCodeSync, planCodeSync } from './plan-code-sync.ts';
import type { Planning } from './planning.ts';
import type { Selection } from './select-resources.ts';
import { findGoneLayers } from '../../services/lambda/gone-layers.ts';
import { listSyncResources } from './sync-resource.ts';
import { emptyFacts } from '../../cloud/sync-state.ts';

/** What code syncs are opened with. */
export interface CodeSyncRun extends SyncRun {
  /** The root stack, if it was described already. */
  described?: DeployedStack | undefined;
}

/** What a code sync is about. */
export interface CodeSyncRequest {
  /** As it is read now. */
  root: Stack;
  selection: Selection;
  /** What was built already; without it the selected functions and layers are built. */
  built?: BuildResult | undefined;
  /** Builds them, while the services are asked what they have; instead of `built`. */
  build?: ((ids: ReadonlySet<ResourceIdentifier>) => Promise<CodeBuild>) | undefined;
  /**
   * Whether CloudFormation's last deployment had the definition of this API that is here now: known after a deployment, or
   * when its template was compared. Without it API Gateway alone is asked.
   */
  isDeployed?: ((id: ResourceIdentifier) => boolean) | undefined;
  /** Called when it is known where the stack is, before anything is built; false: nothing is done. */
  onLocated?: ((stackId: string) => Promise<boolean>) | undefined;
}

/** A plan that can be applied once. */
export interface OpenPlan {
  plan: CodeSyncPlan;
  /** The resources with the requests that `apply` sends; before `discard`. */
  describe(): Promise<readonly DescribedResource[]>;
  apply(): Promise<CodeSyncOutcome>;
  /** What was built for it and cannot run. */
  runProblems(): Promise<RunProblems>;
  /** Nothing of the plan is applied: removes what was made for it. */
  discard(): Promise<void>;
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
  /** Plans and applies. */
  sync(request: CodeSyncRequest): Promise<CodeSyncOutcome | undefined>;
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

interface PlanInMemory {
  plan: CodeSyncPlan;
  planning: Planning;
}

/** After so long (ms) it is asked whether a stage that deploys by itself has anything to deploy at all. */
const STAGE_CHECK_AFTER = 2_000;

export async function openCodeSync(run: CodeSyncRun): Promise<CodeSync> {
  const { options, environment, aws } = run;
  const { reporter, signal } = environment;
  const { stackName } = options;
  const memory = await openStackMemory(run);
  const stacks = openCloudStacks({ aws, stackName, memory, described: run.described });
  const lambda = openLambda(aws, { signal });
  const builder = createCodeBuilder(run);
  const openTools = (root: Stack): ServiceContext => ({
    root,
    aws,
    lambda,
    stacks,
    values: createCloudValues(root, stacks, givenSecrets(root, options.parameterOverrides)),
    artifacts: openCodeArtifacts({
      local: openArtifactStore(run, { bucket: '' }).store,
      findBucket: () => findBucket(run),
      openUploads: async () => openArtifactStore(run, { bucket: await requireBucket(run) }).store,
    }),
    images: openCodeImages(run, root),
    // both are known when the stack was found
    facts: emptyFacts(),
    stackId: '',
    reporter,
    signal,
    patience: STAGE_CHECK_AFTER,
  });
  const planOnce = async (request: CodeSyncRequest): Promise<PlanInMemory | undefined> => {
    const { root, selection, built, isDeployed = () => false, onLocated } = request;
    const build = request.build ?? ((ids) => builder.build(root, ids));
    const tools = openTools(root);
    try {
      const sync = await locateCodeSync(tools, { root, selection, stackName, isDeployed });
      const { planning, located, toBuild } = sync;
      if (located.length > 0 && (await onLocated?.(planning.tools.stackId)) === false) {
        await tools.artifacts.dispose();
        return undefined;
      }
      const building = built
        ? Promise.resolve({ result: built, failures: [] })
        : build(new Set(toBuild.map(({ id }) => id)));
      const packing = building.then((outcome) => packCode(tools.artifacts, toBuild, outcome));
      // the plan awaits it once the services have answered
      packing.catch(() => {});
      return { plan: await planCodeSync(sync, packing), planning };
    } catch (error) {
      await tools.artifacts.dispose();
      throw error;
    }
  };
  /** If something is gone that an earlier run remembered, everything is looked for once more. */
  const planFresh = async (request: CodeSyncRequest): Promise<PlanInMemory | undefined> => {
    const first = await planOnce(request);
    if (!first?.planning.somethingIsGone || !stacks.remembered) return first;
    stacks.forget();
    await first.planning.tools.artifacts.dispose();
    return planOnce({ ...request, onLocated: undefined });
  };
  const plan: CodeSync['plan'] = async (request) => {
    const planned = await planFresh(request);
    if (planned === undefined) return undefined;
    const { tools } = planned.planning;
    const end = async (): Promise<void> => {
      await tools.artifacts.dispose();
      builder.release();
      await stacks.save();
      stacks.age();
    };
    return {
      plan: planned.plan,
      describe: () => describeRequests(tools, planned.plan),
      runProblems: () => builder.runProblems(),
      apply: () => applyCodeSync(tools, planned.plan).finally(end),
      discard: end,
    };
  };
  const readAhead: CodeSync['readAhead'] = async (root) => {
    const functions = listSyncResources(root).flatMap((candidate) =>
      candidate.kind === 'function' && syncSkipReason(candidate) === undefined ? [candidate] : [],
    );
    const paths = [...new Set(functions.map(({ stack }) => stack.path))];
    await stacks.recall(paths);
    if (paths.some((path) => stacks.known(path) === undefined)) return;
    const nameOf = ({ stack, resource }: (typeof functions)[number]): string[] => {
      const deployed = findDeployed(stacks.known(stack.path) ?? {}, { stack, logicalId: resource.logicalId });
      return deployed === undefined ? [] : [deployed.physicalId];
    };
    const images = functions.filter(({ resource }) => isImage(resource));
    lambda.readAhead(functions.flatMap(nameOf), new Set(images.flatMap(nameOf)));
  };
  return {
    plan,
    readAhead,
    sync: async (request) => (await plan(request))?.apply(),
    readNestedTemplate: async (path) => {
      const { stackPath, logicalId } = splitIdentifier(path);
      // what is remembered needs no call, and the list of all is needed anyway if there is something to sync
      await stacks.recall([stackPath]);
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

/** Values of secret parameters that are given: the resolved view of a template does not hold them. */
function givenSecrets(root: Stack, given: Readonly<Record<string, string>>): Record<string, string> {
  const { secret } = readParameters(root.source, { values: given });
  return Object.fromEntries(Object.entries(given).filter(([name]) => secret.has(name)));
}
