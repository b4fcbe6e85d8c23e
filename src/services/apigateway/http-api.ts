import type { Deployment, Stage } from '@aws-sdk/client-apigatewayv2';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { note } from '../../console/reporter.ts';
import { once } from '../../support/once.ts';
import { scalarText } from '../../template/template.ts';
import { readApiDefinition } from './api-definition.ts';
import type { ApiDefinition } from './api-definition.ts';
import { applicationStages } from './api-stages.ts';
import type { DefinitionPlan, DefinitionWork } from '../definition-plan.ts';
import { definitionHash, deploymentDescription, readDeploymentHash, toJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import { followDeployments, readDeployments, readStages, stageHasLatest } from './http-api-deployments.ts';
import type { BeforeImport } from './http-api-deployments.ts';
import { isDoubtful, sendNoted } from '../../cloud/recent-sends.ts';

const SERVICE = 'API Gateway';

/** The API as API Gateway has it. */
interface DeployedApi {
  stages: readonly Stage[];
  /** Asked for when first needed. */
  deployments(): Promise<readonly Deployment[]>;
}

/**
 * Compares what the stages' deployments were made of with the definition that is here; the hash is kept in a deployment's
 * description. A stage that deploys by itself gets a new deployment with each change, ours or somebody else's, so another
 * one than we know means another definition.
 */
export async function planHttpApi(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan> {
  const { resource, stack, deployed } = work;
  const definition = await readApiDefinition(tools, resource, stack);
  if ('action' in definition) return definition;
  const hash = definitionHash(definition.body, toJson(definition.properties));
  const apiId = deployed.physicalId;
  const [names, allStages] = await Promise.all([applicationStages(tools, work), readStages(tools, apiId)]);
  const api: DeployedApi = { stages: allStages, deployments: once(() => readDeployments(tools, apiId)) };
  const stages = api.stages.filter(({ StageName, AutoDeploy }) => AutoDeploy === true || names.has(StageName ?? ''));
  const made = await Promise.all(stages.map((stage) => hashOfStage(tools, work, { stage, api, hash })));
  // with its id: another deployment of the same definition is one that CloudFormation made since, not an outdated answer;
  // the same one may get the mark of another definition, if an import leads to no new deployment
  const value = stages.map(({ DeploymentId = '' }, index) => `${DeploymentId} ${made[index]}`).join();
  const shown = { resource: apiId, value };
  const isDone = made.length > 0 && made.every((known) => known === hash);
  if (isDone && !isDoubtful(tools.facts, shown)) return { action: 'none' };
  return {
    action: 'update',
    changes: ['definition'],
    apply: () =>
      sendNoted(tools.facts, { shown, value: hash }, () =>
        importDefinition(tools, work, { definition, hash, api, stages }),
      ),
  };
}

async function hashOfStage(
  tools: ServiceContext,
  { deployed, isDeployed }: DefinitionWork,
  { stage, api, hash }: { stage: Stage; api: DeployedApi; hash: string },
): Promise<string | undefined> {
  const { facts } = tools;
  const { DeploymentId = '', AutoDeploy, StageName = '' } = stage;
  const fact = `${deployed.physicalId}/${DeploymentId}`;
  // what a deployment was made of never changes
  const remembered = facts.deployments[fact];
  if (remembered !== undefined) return remembered;
  const deployment = (await api.deployments()).find((candidate) => candidate.DeploymentId === DeploymentId);
  let known = readDeploymentHash(deployment?.Description);
  if (known === undefined && isDeployed && AutoDeploy === true) {
    // what CloudFormation imported last is deployed by the stage itself, unless it has yet to do so
    const isBehind = (await stageHasLatest(tools, deployed.physicalId, StageName)) === false;
    known = isBehind ? undefined : hash;
  }
  if (known !== undefined) facts.deployments[fact] = known;
  return known;
}

interface Importing {
  definition: ApiDefinition;
  hash: string;
  api: DeployedApi;
  stages: readonly Stage[];
}

async function importDefinition(tools: ServiceContext, work: DefinitionWork, what: Importing): Promise<void> {
  const ApiId = work.deployed.physicalId;
  const { send, ReimportApiCommand, CreateDeploymentCommand } = await tools.aws.apiGatewayV2();
  const { body, properties } = what.definition;
  // as they are now, before there is a new one
  const before = await readBeforeImport(tools, ApiId, what.stages);
  const imported = await send(
    new ReimportApiCommand({
      ApiId,
      Body: body,
      FailOnWarnings: scalarText(properties['FailOnWarnings']) === 'true',
      Basepath: scalarText(properties['Basepath']),
    }),
  );
  checkAnswer(SERVICE, 'ReimportApi', ['ApiId', imported.ApiId, ApiId]);
  const Description = deploymentDescription(what.hash);
  for (const { StageName } of what.stages.filter(({ AutoDeploy }) => AutoDeploy !== true)) {
    const { DeploymentId } = await send(new CreateDeploymentCommand({ ApiId, StageName, Description }));
    requireAnswer(SERVICE, 'CreateDeployment', 'DeploymentId', DeploymentId);
  }
  // only then is it known which deployment has what was imported
  for (const id of await followDeployments(tools, { id: work.resource.id, apiId: ApiId }, before)) {
    tools.facts.deployments[`${ApiId}/${id}`] = what.hash;
    await describeDeployment(tools, { apiId: ApiId, id, description: Description });
  }
  await removeDeployments(tools, work, { ...what, superseded: before.deployments });
}

async function readBeforeImport(tools: ServiceContext, apiId: string, stages: readonly Stage[]): Promise<BeforeImport> {
  const names = new Set(stages.map(({ StageName }) => StageName));
  const [now, deployments] = await Promise.all([readStages(tools, apiId), readDeployments(tools, apiId)]);
  const automatic = now.filter(({ AutoDeploy, StageName }) => AutoDeploy === true && names.has(StageName));
  return { automatic, deployments };
}

/** Where API Gateway does not let us describe what it deployed by itself, this machine alone remembers it. */
async function describeDeployment(
  { aws }: Pick<ServiceContext, 'aws'>,
  { apiId, id, description }: { apiId: string; id: string; description: string },
): Promise<void> {
  const { send, UpdateDeploymentCommand } = await aws.apiGatewayV2();
  try {
    await send(new UpdateDeploymentCommand({ ApiId: apiId, DeploymentId: id, Description: description }));
  } catch (error) {
    if (!isAwsError(error)) throw error;
  }
}

/** Removes deployments of ours that a stage used until now. */
async function removeDeployments(
  { aws, reporter }: ServiceContext,
  { resource, deployed }: DefinitionWork,
  { api, stages, superseded }: Importing & { superseded: readonly Deployment[] },
): Promise<void> {
  const { send, DeleteDeploymentCommand } = await aws.apiGatewayV2();
  const elsewhere = api.stages.filter((stage) => !stages.includes(stage)).map(({ DeploymentId }) => DeploymentId);
  const old = superseded.filter(
    ({ AutoDeployed, Description, DeploymentId }) =>
      AutoDeployed !== true && readDeploymentHash(Description) !== undefined && !elsewhere.includes(DeploymentId),
  );
  for (const { DeploymentId } of old) {
    try {
      await send(new DeleteDeploymentCommand({ ApiId: deployed.physicalId, DeploymentId }));
    } catch (error) {
      if (!isAwsError(error)) throw error;
      const name = `the superseded deployment ${DeploymentId}`;
      note(reporter, 'warning', `${resource.id}: ${name} was not removed: ${error.message}`);
    }
  }
}
