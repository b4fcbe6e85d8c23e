import type { Deployment, Stage } from '@aws-sdk/client-api-gateway';
import { once } from '../../support/once.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { applicationStages } from './api-stages.ts';
import type { DefinitionPlan, DefinitionService, DefinitionWork } from '../definition-plan.ts';
import { definitionHash, readDeploymentHash, toJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import { readDeployments } from './rest-api-deployments.ts';
import { restApiUpdate, restApiRequests, updateRestApi } from './rest-api-update.ts';
import type { RestApiUpdate } from './rest-api-update.ts';
import { changesOf, comparedSettings, readWantedDefinition } from './wanted-definition.ts';

/** The API as API Gateway has it. */
interface DeployedApi {
  stages: readonly Stage[];
  /** Read when first needed. */
  deployments(): Promise<readonly Deployment[]>;
}

/** How code syncs update REST APIs. */
export const REST_API: DefinitionService<RestApiUpdate> = {
  plan: planRestApi,
  apply: updateRestApi,
  requests: restApiRequests,
};

/**
 * Compares the definition with the ones that the stages' deployments were made of. API Gateway has no hash of a definition, so
 * each deployment that we create has it in its description.
 */
async function planRestApi(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan<RestApiUpdate>> {
  const definition = await readWantedDefinition(tools, work);
  if ('action' in definition) return definition;
  const hash = definitionHash(definition.body, toJson(definition.properties));
  const { isDeployed = work.isDeployed } = definition;
  const [names, api] = await Promise.all([applicationStages(tools, work), readApi(tools, work.deployed.physicalId)]);
  const stages = api.stages.filter(({ stageName }) => names.has(stageName ?? ''));
  const made = await Promise.all(
    stages.map((stage) => hashOfStage(tools, { ...work, isDeployed }, { stage, api, hash })),
  );
  // without a stage the newest deployment counts
  if (stages.length === 0) made.push(newestHash(await api.deployments()));
  // ids are never reused: a deployment that CloudFormation gave the stage since is not a stale read
  const shownIds = stages.map(({ deploymentId }) => deploymentId ?? '');
  const shown = { resource: work.deployed.physicalId, value: (stages.length === 0 ? made : shownIds).join() };
  const isDone = made.every((known) => known === hash) && !mayBeStale(tools.facts, shown);
  const compared = comparedSettings(work);
  if (isDone) return { action: 'none', ...compared };
  const { id } = work.resource;
  const superseded = await supersededBy(api, stages);
  const update = restApiUpdate(shown.resource, { id, shown, hash, definition, stages, superseded });
  return { action: 'update', changes: changesOf(work), update, ...compared };
}

async function readApi(tools: ServiceContext, restApiId: string): Promise<DeployedApi> {
  const { send, GetStagesCommand } = await tools.aws.apiGateway();
  const { item = [] } = await send(new GetStagesCommand({ restApiId }));
  return { stages: item, deployments: once(() => readDeployments(tools, restApiId)) };
}

/** Finds the hash of the definition that the stage's deployment was made of; undefined: unknown. */
async function hashOfStage(
  { facts, stacks }: ServiceContext,
  { resource, stack, deployed, isDeployed }: DefinitionWork,
  { stage, api, hash }: { stage: Stage; api: DeployedApi; hash: string },
): Promise<string | undefined> {
  const { deploymentId = '' } = stage;
  const fact = `${deployed.physicalId}/${deploymentId}`;
  // the definition of a deployment never changes
  const remembered = facts.deployments[fact];
  if (remembered !== undefined) return remembered;
  const known = readDeploymentHash((await api.deployments()).find(({ id }) => id === deploymentId)?.description);
  if (known !== undefined) {
    facts.deployments[fact] = known;
    return known;
  }
  const generated = kindOf(resource.type)?.companions?.['Deployment'];
  if (!isDeployed || generated === undefined) return undefined;
  // SAM creates a deployment for each new definition, so CloudFormation's own one has what was deployed last
  const listing = await stacks.listing(stack.path);
  const isOwn = Object.values(listing ?? {}).some(
    ({ type, physicalId }) => type === generated.type && physicalId === deploymentId,
  );
  if (isOwn) facts.deployments[fact] = hash;
  return isOwn ? hash : undefined;
}

function newestHash(deployments: readonly Deployment[]): string | undefined {
  const [newest] = [...deployments].sort((a, b) => (b.createdDate?.getTime() ?? 0) - (a.createdDate?.getTime() ?? 0));
  return readDeploymentHash(newest?.description);
}

/**
 * Lists the ids of deployments of ours that no stage uses once these stages have moved. CloudFormation's own deployments stay:
 * its next update needs them.
 */
async function supersededBy(api: DeployedApi, stages: readonly Stage[]): Promise<(string | undefined)[]> {
  const elsewhere = api.stages.filter((stage) => !stages.includes(stage)).map(({ deploymentId }) => deploymentId);
  const ours = (await api.deployments()).filter(({ description }) => readDeploymentHash(description) !== undefined);
  return ours.map(({ id }) => id).filter((id) => !elsewhere.includes(id));
}
