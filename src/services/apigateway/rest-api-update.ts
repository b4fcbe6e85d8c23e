import type {
  CreateDeploymentCommandInput,
  DeleteDeploymentCommandInput,
  FlushStageAuthorizersCacheCommandInput,
  FlushStageCacheCommandInput,
  PatchOperation,
  PutRestApiCommandInput,
  RestApi,
  Stage,
  UpdateStageCommandInput,
} from '@aws-sdk/client-api-gateway';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { createOnce } from '../../aws/create-once.ts';
import { sendAndRecord } from '../../cloud/recent-sends.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';
import { mapOf, scalarText } from '../../template/template.ts';
import { deploymentDescription } from '../definition-text.ts';
import { fromAnswer, summarize } from '../planned-request.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';
import type { ApiDefinition } from './api-definition.ts';
import { neededPatches, settingPatches } from './rest-api-settings.ts';
import { readDeployments } from './rest-api-deployments.ts';
import { removeSuperseded } from './superseded-deployments.ts';

/** The requests that update a REST API and deploy it. */
export interface RestApiUpdate {
  kind: 'rest-api';
  /** The identifier of the API in the templates. */
  id: string;
  restApiId: string;
  /** What API Gateway returned before the update. */
  shown: ShownValue;
  /** The hash of the definition. */
  hash: string;
  put: PutRestApiCommandInput & { body: Uint8Array };
  /** Settings of the template that win over the definition; those that the import changed are restored. */
  settings: readonly PatchOperation[];
  deployment: CreateDeploymentCommandInput;
  stages: readonly StageUpdate[];
  /** Deployments of ours that no stage uses after the update. */
  superseded: readonly DeleteDeploymentCommandInput[];
}

/** Moves a stage to the new deployment, and empties its caches. */
interface StageUpdate {
  move: UpdateStageCommandInput;
  flushCache: FlushStageCacheCommandInput | undefined;
  flushAuthorizers: FlushStageAuthorizersCacheCommandInput | undefined;
}

const SERVICE = 'API Gateway';
const NEW_DEPLOYMENT = fromAnswer('CreateDeployment', 'id');

/** The parts of an update. */
export interface RestApiChange {
  id: string;
  shown: ShownValue;
  hash: string;
  definition: ApiDefinition;
  /** The stages that the application gives the API. */
  stages: readonly Stage[];
  /** Ids of deployments of ours that no stage uses after the update. */
  superseded: readonly (string | undefined)[];
}

/** Plans the update. Pure. */
export function restApiUpdate(restApiId: string, change: RestApiChange): RestApiUpdate {
  const { id, shown, hash, definition, stages, superseded } = change;
  const { body, properties } = definition;
  const parameters = Object.entries(mapOf(properties['Parameters'])).map(([name, value]) => [name, scalarText(value)]);
  // authorizer caches keep decisions of the old definition
  const hasAuthorizers = body.includes('x-amazon-apigateway-authorizer');
  return {
    kind: 'rest-api',
    id,
    restApiId,
    shown,
    hash,
    put: {
      restApiId,
      mode: properties['Mode'] === 'merge' ? 'merge' : 'overwrite',
      failOnWarnings: scalarText(properties['FailOnWarnings']) === 'true',
      ...(parameters.length === 0 ? {} : { parameters: Object.fromEntries(parameters) as Record<string, string> }),
      body: Buffer.from(body),
    },
    settings: settingPatches(properties),
    deployment: { restApiId, description: deploymentDescription(hash) },
    stages: stages.map(({ stageName, cacheClusterEnabled }) => ({
      move: moveStage({ restApiId, stageName }, NEW_DEPLOYMENT),
      flushCache: cacheClusterEnabled === true ? { restApiId, stageName } : undefined,
      flushAuthorizers: hasAuthorizers ? { restApiId, stageName } : undefined,
    })),
    superseded: superseded.map((deploymentId) => ({ restApiId, deploymentId })),
  };
}

function moveStage(
  { restApiId, stageName }: Pick<UpdateStageCommandInput, 'restApiId' | 'stageName'>,
  deploymentId: string,
): UpdateStageCommandInput {
  return { restApiId, stageName, patchOperations: [{ op: 'replace', path: '/deploymentId', value: deploymentId }] };
}

/** Lists the requests of the update. Pure. */
export function restApiRequests(update: RestApiUpdate): PlannedRequest[] {
  const { restApiId, put, settings, deployment, stages, superseded } = update;
  const service = 'apigateway';
  const request = (operation: string, parameters: object | undefined): PlannedRequest[] =>
    parameters === undefined ? [] : [{ service, operation, parameters }];
  const restore: PlannedRequest = {
    service,
    operation: 'UpdateRestApi',
    parameters: { restApiId, patchOperations: settings },
    condition: 'only those patches that the imported definition does not set',
  };
  return [
    ...request('PutRestApi', { ...put, body: summarize(put.body) }),
    ...(settings.length === 0 ? [] : [restore]),
    ...request('CreateDeployment', deployment),
    ...stages.flatMap(({ move, flushCache, flushAuthorizers }) => [
      ...request('UpdateStage', move),
      ...request('FlushStageCache', flushCache),
      ...request('FlushStageAuthorizersCache', flushAuthorizers),
    ]),
    ...superseded.flatMap((old) => request('DeleteDeployment', old)),
  ];
}

/** Sends the requests of the update. */
export async function updateRestApi(tools: ServiceContext, update: RestApiUpdate): Promise<void> {
  await sendAndRecord(tools.facts, { shown: update.shown, value: update.hash }, () => deployDefinition(tools, update));
}

async function deployDefinition(tools: ServiceContext, update: RestApiUpdate): Promise<void> {
  const { send, DeleteDeploymentCommand } = await tools.aws.apiGateway();
  await putDefinition(tools, update);
  const deploymentId = await createDeployment(tools, update);
  await Promise.all(update.stages.map((stage) => updateStage(tools, stage, deploymentId)));
  await removeSuperseded(tools, update, (old) => send(new DeleteDeploymentCommand(old)));
}

/** Returns the id of the deployment. */
async function createDeployment(tools: ServiceContext, { deployment, superseded }: RestApiUpdate): Promise<string> {
  const { sendOnce, CreateDeploymentCommand } = await tools.aws.apiGateway();
  const { restApiId = '', description } = deployment;
  const isOld = (id: string | undefined): boolean => superseded.some(({ deploymentId }) => deploymentId === id);
  return createOnce(
    {
      send: async () => {
        const { id } = await sendOnce(new CreateDeploymentCommand(deployment));
        return requireAnswer(SERVICE, 'CreateDeployment', 'id', id);
      },
      // one that a stage of others uses was made of the same definition
      find: async () =>
        (await readDeployments(tools, restApiId)).find((made) => made.description === description && !isOld(made.id))
          ?.id,
    },
    tools.signal,
  );
}

/** Replaces the definition, then restores the settings that the template has for the API itself. */
async function putDefinition({ aws }: ServiceContext, { restApiId, put, settings }: RestApiUpdate): Promise<void> {
  const { send, PutRestApiCommand, UpdateRestApiCommand } = await aws.apiGateway();
  const api: RestApi = await send(new PutRestApiCommand(put));
  checkAnswer(SERVICE, 'PutRestApi', ['id', api.id, restApiId]);
  const patchOperations = neededPatches(settings, api);
  if (patchOperations.length === 0) return;
  const patched = await send(new UpdateRestApiCommand({ restApiId, patchOperations }));
  checkAnswer(SERVICE, 'UpdateRestApi', ['id', patched.id, restApiId]);
}

async function updateStage(
  { aws }: ServiceContext,
  { move, flushCache, flushAuthorizers }: StageUpdate,
  deploymentId: string,
): Promise<void> {
  const { send, ...commands } = await aws.apiGateway();
  const moved = await send(new commands.UpdateStageCommand(moveStage(move, deploymentId)));
  checkAnswer(SERVICE, 'UpdateStage', ['deploymentId', moved.deploymentId, deploymentId]);
  if (flushCache !== undefined) await send(new commands.FlushStageCacheCommand(flushCache));
  if (flushAuthorizers !== undefined) await send(new commands.FlushStageAuthorizersCacheCommand(flushAuthorizers));
}
