import type { Deployment, PatchOperation, RestApi, Stage } from '@aws-sdk/client-api-gateway';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { note } from '../../console/reporter.ts';
import { once } from '../../support/once.ts';
import { mapOf, scalarText } from '../../template/template.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import type { TemplateMap } from '../../template/template.ts';
import { readApiDefinition } from './api-definition.ts';
import type { ApiDefinition } from './api-definition.ts';
import { applicationStages } from './api-stages.ts';
import type { DefinitionPlan, DefinitionWork } from '../definition-plan.ts';
import { definitionHash, deploymentDescription, readDeploymentHash, toJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import { isDoubtful, sendNoted } from '../../cloud/recent-sends.ts';

const SERVICE = 'API Gateway';

/** The API as API Gateway has it. */
interface DeployedApi {
  stages: readonly Stage[];
  /** Asked for when first needed. */
  deployments(): Promise<readonly Deployment[]>;
}

/**
 * Compares what the stages' deployments were made of with the definition that is here. API Gateway keeps no hash of a
 * definition, so each deployment that we make has it in its description.
 */
export async function planRestApi(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan> {
  const definition = await readApiDefinition(tools, work.resource, work.stack);
  if ('action' in definition) return definition;
  const hash = definitionHash(definition.body, toJson(definition.properties));
  const [names, api] = await Promise.all([applicationStages(tools, work), readApi(tools, work.deployed.physicalId)]);
  const stages = api.stages.filter(({ stageName }) => names.has(stageName ?? ''));
  const made = await Promise.all(stages.map((stage) => hashOfStage(tools, work, { stage, api, hash })));
  // without a stage the newest deployment tells
  if (stages.length === 0) made.push(newestHash(await api.deployments()));
  // an id is never given twice: what a stage had before our last change is told from what CloudFormation gave it since
  const shownIds = stages.map(({ deploymentId }) => deploymentId ?? '');
  const shown = { resource: work.deployed.physicalId, value: (stages.length === 0 ? made : shownIds).join() };
  const isDone = made.every((known) => known === hash) && !isDoubtful(tools.facts, shown);
  if (isDone) return { action: 'none' };
  return {
    action: 'update',
    changes: ['definition'],
    apply: () =>
      sendNoted(tools.facts, { shown, value: hash }, () =>
        deployDefinition(tools, work, { definition, hash, api, stages }),
      ),
  };
}

async function readApi({ aws }: ServiceContext, restApiId: string): Promise<DeployedApi> {
  const { send, GetStagesCommand, GetDeploymentsCommand } = await aws.apiGateway();
  const readDeployments = async (): Promise<Deployment[]> => {
    const deployments: Deployment[] = [];
    let position: string | undefined;
    do {
      const page = await send(new GetDeploymentsCommand({ restApiId, limit: 500, position }));
      deployments.push(...(page.items ?? []));
      ({ position } = page);
    } while (position);
    return deployments;
  };
  const { item = [] } = await send(new GetStagesCommand({ restApiId }));
  return { stages: item, deployments: once(readDeployments) };
}

/** What the stage's deployment was made of, if anybody knows. */
async function hashOfStage(
  { facts, stacks }: ServiceContext,
  { resource, stack, deployed, isDeployed }: DefinitionWork,
  { stage, api, hash }: { stage: Stage; api: DeployedApi; hash: string },
): Promise<string | undefined> {
  const { deploymentId = '' } = stage;
  const fact = `${deployed.physicalId}/${deploymentId}`;
  // what a deployment was made of never changes
  const remembered = facts.deployments[fact];
  if (remembered !== undefined) return remembered;
  const known = readDeploymentHash((await api.deployments()).find(({ id }) => id === deploymentId)?.description);
  if (known !== undefined) {
    facts.deployments[fact] = known;
    return known;
  }
  const generated = kindOf(resource.type)?.companions?.['Deployment'];
  if (!isDeployed || generated === undefined) return undefined;
  // SAM makes a new deployment for each new definition, so CloudFormation's own one is of what it deployed last
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

interface Deploying {
  definition: ApiDefinition;
  hash: string;
  api: DeployedApi;
  stages: readonly Stage[];
}

async function deployDefinition(tools: ServiceContext, work: DefinitionWork, what: Deploying): Promise<void> {
  const restApiId = work.deployed.physicalId;
  const { send, CreateDeploymentCommand, UpdateStageCommand } = await tools.aws.apiGateway();
  await putDefinition(tools, restApiId, what.definition);
  const created = await send(new CreateDeploymentCommand({ restApiId, description: deploymentDescription(what.hash) }));
  const deploymentId = requireAnswer(SERVICE, 'CreateDeployment', 'id', created.id);
  await Promise.all(
    what.stages.map(async (stage) => {
      const { stageName } = stage;
      const patchOperations: PatchOperation[] = [{ op: 'replace', path: '/deploymentId', value: deploymentId }];
      const moved = await send(new UpdateStageCommand({ restApiId, stageName, patchOperations }));
      checkAnswer(SERVICE, 'UpdateStage', ['deploymentId', moved.deploymentId, deploymentId]);
      await flushCaches(tools, { restApiId, stage, body: what.definition.body });
    }),
  );
  await removeDeployments(tools, { id: work.resource.id, restApiId, newest: deploymentId, ...what });
}

/** Replaces the definition, then restores the settings that the template has for the API itself. */
async function putDefinition(
  { aws }: ServiceContext,
  restApiId: string,
  { body, properties }: ApiDefinition,
): Promise<void> {
  const { send, PutRestApiCommand, UpdateRestApiCommand } = await aws.apiGateway();
  const parameters = Object.entries(mapOf(properties['Parameters'])).map(([name, value]) => [name, scalarText(value)]);
  const api = await send(
    new PutRestApiCommand({
      restApiId,
      mode: properties['Mode'] === 'merge' ? 'merge' : 'overwrite',
      failOnWarnings: scalarText(properties['FailOnWarnings']) === 'true',
      ...(parameters.length === 0 ? {} : { parameters: Object.fromEntries(parameters) as Record<string, string> }),
      body: Buffer.from(body),
    }),
  );
  checkAnswer(SERVICE, 'PutRestApi', ['id', api.id, restApiId]);
  const patchOperations = settingPatches(properties, api);
  if (patchOperations.length === 0) return;
  const patched = await send(new UpdateRestApiCommand({ restApiId, patchOperations }));
  checkAnswer(SERVICE, 'UpdateRestApi', ['id', patched.id, restApiId]);
}

/** What CloudFormation sets after each import, because properties of the resource win over the definition. Pure. */
export function settingPatches(properties: TemplateMap, api: RestApi): PatchOperation[] {
  const texts: [path: string, wanted: string | undefined, now: string | undefined][] = [
    ['/name', scalarText(properties['Name']), api.name],
    ['/description', scalarText(properties['Description']), api.description],
    ['/apiKeySource', scalarText(properties['ApiKeySourceType']), api.apiKeySource],
    [
      '/minimumCompressionSize',
      scalarText(properties['MinimumCompressionSize']),
      api.minimumCompressionSize?.toString(),
    ],
    [
      '/disableExecuteApiEndpoint',
      scalarText(properties['DisableExecuteApiEndpoint']),
      String(api.disableExecuteApiEndpoint ?? false),
    ],
  ];
  const patches: PatchOperation[] = texts
    .filter(([, wanted, now]) => wanted !== undefined && wanted !== now)
    .map(([path, value]) => ({ op: 'replace', path, value }));
  const { BinaryMediaTypes, Policy } = properties;
  for (const type of Array.isArray(BinaryMediaTypes) ? BinaryMediaTypes : []) {
    const name = scalarText(type)?.replaceAll('~1', '/') ?? '';
    if (api.binaryMediaTypes?.includes(name) === true) continue;
    patches.push({ op: 'add', path: `/binaryMediaTypes/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` });
  }
  if (Policy !== undefined && Policy !== null && !api.policy) {
    patches.push({ op: 'replace', path: '/policy', value: scalarText(Policy) ?? toJson(Policy) });
  }
  return patches;
}

/** Answers that were made by the old definition, and who was let in by it. */
async function flushCaches(
  { aws }: ServiceContext,
  { restApiId, stage, body }: { restApiId: string; stage: Stage; body: string },
): Promise<void> {
  const { send, FlushStageCacheCommand, FlushStageAuthorizersCacheCommand } = await aws.apiGateway();
  const { stageName, cacheClusterEnabled } = stage;
  if (cacheClusterEnabled === true) await send(new FlushStageCacheCommand({ restApiId, stageName }));
  if (body.includes('x-amazon-apigateway-authorizer')) {
    await send(new FlushStageAuthorizersCacheCommand({ restApiId, stageName }));
  }
}

/** Removes deployments of ours that no stage uses any more. CloudFormation's own stay: its next update needs them. */
async function removeDeployments(
  { aws, reporter }: ServiceContext,
  { id, restApiId, newest, api, stages }: Deploying & { id: string; restApiId: string; newest: string },
): Promise<void> {
  const { send, DeleteDeploymentCommand } = await aws.apiGateway();
  const elsewhere = api.stages.filter((stage) => !stages.includes(stage)).map(({ deploymentId }) => deploymentId);
  const old = (await api.deployments()).filter(
    (deployment) =>
      readDeploymentHash(deployment.description) !== undefined &&
      deployment.id !== newest &&
      !elsewhere.includes(deployment.id),
  );
  for (const { id: deploymentId } of old) {
    try {
      await send(new DeleteDeploymentCommand({ restApiId, deploymentId }));
    } catch (error) {
      if (!isAwsError(error)) throw error;
      note(reporter, 'warning', `${id}: the superseded deployment ${deploymentId} was not removed: ${error.message}`);
    }
  }
}
