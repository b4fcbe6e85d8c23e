import type { Deployment, Stage } from '@aws-sdk/client-apigatewayv2';
import { once } from '../../support/once.ts';
import type { ApiDefinition } from './api-definition.ts';
import { applicationStages } from './api-stages.ts';
import type { DefinitionPlan, DefinitionService, DefinitionWork } from '../definition-plan.ts';
import { definitionHash, readDeploymentHash, toJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import { changesOf, comparedSettings, readWantedDefinition } from './wanted-definition.ts';
import { readDeployments, readStages, stageHasLatest } from './http-api-deployments.ts';
import { httpApiUpdate, httpApiRequests, updateHttpApi } from './http-api-update.ts';
import type { HttpApiUpdate } from './http-api-update.ts';
import { withKeptTags } from './kept-tags.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';

/** The API as API Gateway has it. */
interface DeployedApi {
  stages: readonly Stage[];
  /** Read when first needed. */
  deployments(): Promise<readonly Deployment[]>;
}

/** How code syncs update HTTP APIs. */
export const HTTP_API: DefinitionService<HttpApiUpdate> = {
  plan: planHttpApi,
  apply: updateHttpApi,
  requests: httpApiRequests,
};

/**
 * Compares the definition with the ones that the stages' deployments were made of; a deployment's description has their hash.
 * A stage with automatic deployments gets a new deployment with each change, also another tool's, so an unknown deployment
 * means another definition.
 */
async function planHttpApi(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan<HttpApiUpdate>> {
  const { resource, deployed } = work;
  const definition = await readWantedDefinition(tools, work);
  if ('action' in definition) return definition;
  const { isDeployed = work.isDeployed } = definition;
  const hash = definitionHash(definition.body, toJson(definition.properties));
  const apiId = deployed.physicalId;
  const [names, allStages] = await Promise.all([applicationStages(tools, work), readStages(tools, apiId)]);
  const api: DeployedApi = { stages: allStages, deployments: once(() => readDeployments(tools, apiId)) };
  const stages = api.stages.filter(({ StageName, AutoDeploy }) => AutoDeploy === true || names.has(StageName ?? ''));
  const made = await Promise.all(
    stages.map((stage) => hashOfStage(tools, { ...work, isDeployed }, { stage, api, hash })),
  );
  // with its id: another deployment of the same definition comes from CloudFormation and is not a stale read; the same
  // deployment may get another definition's hash, if an import makes no new deployment
  const value = stages.map(({ DeploymentId = '' }, index) => `${DeploymentId} ${made[index]}`).join();
  const shown = { resource: apiId, value };
  const isDone = made.length > 0 && made.every((known) => known === hash);
  const compared = comparedSettings(work);
  if (isDone && !mayBeStale(tools.facts, shown)) return { action: 'none', ...compared };
  const superseded = await supersededBy(api, stages);
  const kept = await keepTags(tools, work, definition);
  const update = httpApiUpdate(apiId, { id: resource.id, shown, hash, definition: kept, stages, superseded });
  return { action: 'update', changes: changesOf(work), update, ...compared };
}

async function keepTags(
  { aws }: ServiceContext,
  { deployed, settings }: DefinitionWork,
  definition: ApiDefinition,
): Promise<ApiDefinition> {
  const { document } = definition;
  // a file is imported as it is
  if (document === undefined) return definition;
  const { send, GetApiCommand } = await aws.apiGatewayV2();
  const { Tags = {} } = await send(new GetApiCommand({ ApiId: deployed.physicalId }));
  return { ...definition, body: toJson(withKeptTags(document, Tags, settings)) };
}

async function hashOfStage(
  tools: ServiceContext,
  { deployed, isDeployed }: DefinitionWork,
  { stage, api, hash }: { stage: Stage; api: DeployedApi; hash: string },
): Promise<string | undefined> {
  const { facts } = tools;
  const { DeploymentId = '', AutoDeploy, StageName = '' } = stage;
  const fact = `${deployed.physicalId}/${DeploymentId}`;
  // the definition of a deployment never changes
  const remembered = facts.deployments[fact];
  if (remembered !== undefined) return remembered;
  const deployment = (await api.deployments()).find((candidate) => candidate.DeploymentId === DeploymentId);
  let known = readDeploymentHash(deployment?.Description);
  if (known === undefined && isDeployed && AutoDeploy === true) {
    // the stage has deployed CloudFormation's last import by itself, unless it has yet to do so
    const isBehind = (await stageHasLatest(tools, deployed.physicalId, StageName)) === false;
    known = isBehind ? undefined : hash;
  }
  if (known !== undefined) facts.deployments[fact] = known;
  return known;
}

/** Lists the ids of deployments of ours that no stage uses once these stages have moved. */
async function supersededBy(api: DeployedApi, stages: readonly Stage[]): Promise<(string | undefined)[]> {
  const elsewhere = api.stages.filter((stage) => !stages.includes(stage)).map(({ DeploymentId }) => DeploymentId);
  const ours = (await api.deployments()).filter(
    ({ AutoDeployed, Description }) => AutoDeployed !== true && readDeploymentHash(Description) !== undefined,
  );
  return ours.map(({ DeploymentId }) => DeploymentId).filter((id) => !elsewhere.includes(id));
}
