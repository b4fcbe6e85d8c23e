import type { Deployment, Stage } from '@aws-sdk/client-apigatewayv2';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { note } from '../../console/reporter.ts';
import { pause } from '../../deploy/pause.ts';
import { UserError } from '../../errors.ts';
import { once } from '../../support/once.ts';
import { scalarText } from '../../template/template.ts';
import { readApiDefinition } from './api-definition.ts';
import type { ApiDefinition } from './api-definition.ts';
import { applicationStages } from './api-stages.ts';
import type { DefinitionPlan, DefinitionWork } from './definition-plan.ts';
import { definitionHash, deploymentDescription, readDeploymentHash, toJson } from './definition-text.ts';
import type { FlowTools } from './flow-tools.ts';
import { isDoubtful, sendNoted } from './recent-sends.ts';

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
export async function planHttpApi(tools: FlowTools, work: DefinitionWork): Promise<DefinitionPlan> {
  const { resource, stack, deployed } = work;
  const definition = await readApiDefinition(tools, resource, stack);
  if ('action' in definition) return definition;
  const hash = definitionHash(definition.body, toJson(definition.properties));
  const [names, api] = await Promise.all([applicationStages(tools, work), readApi(tools, deployed.physicalId)]);
  const stages = api.stages.filter(({ StageName, AutoDeploy }) => AutoDeploy === true || names.has(StageName ?? ''));
  const made = await Promise.all(stages.map((stage) => hashOfStage(tools, work, { stage, api, hash })));
  const shown = { resource: deployed.physicalId, value: made.join() };
  const isDone = made.length > 0 && made.every((known) => known === hash);
  if (isDone && !isDoubtful(tools.facts, shown)) return { action: 'none' };
  return {
    action: 'update',
    changes: ['definition'],
    apply: () =>
      sendNoted(tools.facts, { shown, value: made.map(() => hash).join() }, () =>
        importDefinition(tools, work, { definition, hash, api, stages }),
      ),
  };
}

async function readApi({ aws }: FlowTools, apiId: string): Promise<DeployedApi> {
  const readDeployments = async (): Promise<Deployment[]> => {
    const { send, GetDeploymentsCommand } = await aws.apiGatewayV2();
    const deployments: Deployment[] = [];
    let token: string | undefined;
    do {
      const page = await send(new GetDeploymentsCommand({ ApiId: apiId, NextToken: token }));
      deployments.push(...(page.Items ?? []));
      token = page.NextToken || undefined;
    } while (token !== undefined);
    return deployments;
  };
  return { stages: await readStages({ aws }, apiId), deployments: once(readDeployments) };
}

async function readStages({ aws }: Pick<FlowTools, 'aws'>, apiId: string): Promise<Stage[]> {
  const { send, GetStagesCommand } = await aws.apiGatewayV2();
  const stages: Stage[] = [];
  let token: string | undefined;
  do {
    const page = await send(new GetStagesCommand({ ApiId: apiId, NextToken: token }));
    stages.push(...(page.Items ?? []));
    token = page.NextToken || undefined;
  } while (token !== undefined);
  return stages;
}

async function hashOfStage(
  { facts }: FlowTools,
  { deployed, isDeployed }: DefinitionWork,
  { stage, api, hash }: { stage: Stage; api: DeployedApi; hash: string },
): Promise<string | undefined> {
  const { DeploymentId = '', AutoDeploy } = stage;
  const fact = `${deployed.physicalId}/${DeploymentId}`;
  // what a deployment was made of never changes
  const remembered = facts.deployments[fact];
  if (remembered !== undefined) return remembered;
  const deployment = (await api.deployments()).find((candidate) => candidate.DeploymentId === DeploymentId);
  // what CloudFormation imported last was deployed by the stage itself
  const own = isDeployed && AutoDeploy === true ? hash : undefined;
  const known = readDeploymentHash(deployment?.Description) ?? own;
  if (known !== undefined) facts.deployments[fact] = known;
  return known;
}

interface Importing {
  definition: ApiDefinition;
  hash: string;
  api: DeployedApi;
  stages: readonly Stage[];
}

async function importDefinition(tools: FlowTools, work: DefinitionWork, what: Importing): Promise<void> {
  const ApiId = work.deployed.physicalId;
  const { send, ReimportApiCommand, CreateDeploymentCommand } = await tools.aws.apiGatewayV2();
  const { body, properties } = what.definition;
  // as they are before there is a new one
  const superseded = await what.api.deployments();
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
  const automatic = what.stages.filter(({ AutoDeploy }) => AutoDeploy === true);
  if (automatic.length > 0) await markAutomatic(tools, work, { automatic, hash: what.hash });
  await removeDeployments(tools, work, { ...what, superseded });
}

/** Between two looks at stages that deploy by themselves (ms). */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 1_000;

/** Waits until the stages have deployed what was imported, and writes down what their deployment was made of. */
async function markAutomatic(
  tools: FlowTools,
  { resource, deployed }: DefinitionWork,
  { automatic, hash }: { automatic: readonly Stage[]; hash: string },
): Promise<void> {
  const { aws, facts, signal } = tools;
  const apiId = deployed.physicalId;
  const before = new Map(automatic.map(({ StageName, DeploymentId }) => [StageName, DeploymentId]));
  const deadline = performance.now() + tools.patience;
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 1.5, LONGEST_DELAY)) {
    const stages = (await readStages(tools, apiId)).filter(({ StageName }) => before.has(StageName));
    const failed = stages.find(({ LastDeploymentStatusMessage }) => /fail/i.test(LastDeploymentStatusMessage ?? ''));
    if (failed !== undefined) {
      throw new UserError(
        `${resource.id}: stage ${failed.StageName} was not deployed: ${failed.LastDeploymentStatusMessage}`,
      );
    }
    const isDone = stages.every(({ StageName, DeploymentId }) => DeploymentId !== before.get(StageName));
    // what was imported may be what was there: then nothing is deployed
    if (!isDone && performance.now() < deadline) {
      await pause(delay, signal);
      continue;
    }
    const ids = new Set(stages.map(({ DeploymentId }) => DeploymentId ?? ''));
    for (const id of ids) {
      if (id === '') continue;
      facts.deployments[`${apiId}/${id}`] = hash;
      await describeDeployment({ aws }, { apiId, id, description: deploymentDescription(hash) });
    }
    return;
  }
}

/** Where API Gateway does not let us describe what it deployed by itself, this machine alone remembers it. */
async function describeDeployment(
  { aws }: Pick<FlowTools, 'aws'>,
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
  { aws, reporter }: FlowTools,
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
