import type {
  CreateDeploymentCommandInput,
  DeleteDeploymentCommandInput,
  ReimportApiCommandInput,
  Stage,
  UpdateDeploymentCommandInput,
} from '@aws-sdk/client-apigatewayv2';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { createOnce } from '../../aws/create-once.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { sendAndRecord } from '../../cloud/recent-sends.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';
import { scalarText } from '../../template/template.ts';
import { deploymentDescription } from '../definition-text.ts';
import { fromAnswer, summarize } from '../planned-request.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';
import type { ApiDefinition } from './api-definition.ts';
import { followDeployments, readDeployments, readStages } from './http-api-deployments.ts';
import type { BeforeImport } from './http-api-deployments.ts';
import { removeSuperseded } from './superseded-deployments.ts';

/** The requests that update an HTTP API and deploy it. */
export interface HttpApiUpdate {
  kind: 'http-api';
  /** The identifier of the API in the templates. */
  id: string;
  /** What API Gateway returned before the update. */
  shown: ShownValue;
  /** The hash of the definition. */
  hash: string;
  reimport: ReimportApiCommandInput & { ApiId: string; Body: string };
  /** For stages without automatic deployments. */
  deployments: readonly CreateDeploymentCommandInput[];
  /** Names of stages with automatic deployments. */
  automatic: readonly string[];
  /** Describes the deployment that each of them makes. */
  marks: readonly UpdateDeploymentCommandInput[];
  /** Deployments of ours that no stage uses after the update. */
  superseded: readonly DeleteDeploymentCommandInput[];
}

const SERVICE = 'API Gateway';
const NEW_DEPLOYMENT = fromAnswer('GetStages', 'DeploymentId');

/** The parts of an update. */
export interface HttpApiChange {
  id: string;
  shown: ShownValue;
  hash: string;
  definition: ApiDefinition;
  /** The stages that the application gives the API, and those with automatic deployments. */
  stages: readonly Stage[];
  /** Ids of deployments of ours that no stage uses after the update. */
  superseded: readonly (string | undefined)[];
}

/** Plans the update. Pure. */
export function httpApiUpdate(ApiId: string, change: HttpApiChange): HttpApiUpdate {
  const { id, shown, hash, definition, stages, superseded } = change;
  const { body, properties } = definition;
  const automatic = stages.filter(({ AutoDeploy }) => AutoDeploy === true).map(({ StageName = '' }) => StageName);
  const Description = deploymentDescription(hash);
  return {
    kind: 'http-api',
    id,
    shown,
    hash,
    reimport: {
      ApiId,
      Body: body,
      FailOnWarnings: scalarText(properties['FailOnWarnings']) === 'true',
      Basepath: scalarText(properties['Basepath']),
    },
    deployments: stages
      .filter(({ AutoDeploy }) => AutoDeploy !== true)
      .map(({ StageName }) => ({ ApiId, StageName, Description })),
    automatic,
    marks: automatic.map(() => ({ ApiId, DeploymentId: NEW_DEPLOYMENT, Description })),
    superseded: superseded.map((DeploymentId) => ({ ApiId, DeploymentId })),
  };
}

/** Lists the requests of the update. Pure. */
export function httpApiRequests(update: HttpApiUpdate): PlannedRequest[] {
  const { reimport, deployments, marks, superseded } = update;
  const service = 'apigatewayv2';
  return [
    { service, operation: 'ReimportApi', parameters: { ...reimport, Body: summarize(reimport.Body) } },
    ...deployments.map((parameters) => ({ service, operation: 'CreateDeployment', parameters }) as const),
    ...marks.map(
      (parameters) =>
        ({ service, operation: 'UpdateDeployment', parameters, condition: 'the stage made a deployment' }) as const,
    ),
    ...superseded.map((parameters) => ({ service, operation: 'DeleteDeployment', parameters }) as const),
  ];
}

/** Sends the requests of the update. */
export async function updateHttpApi(tools: ServiceContext, update: HttpApiUpdate): Promise<void> {
  await sendAndRecord(tools.facts, { shown: update.shown, value: update.hash }, () => importDefinition(tools, update));
}

async function importDefinition(tools: ServiceContext, update: HttpApiUpdate): Promise<void> {
  const { id, hash, reimport, marks } = update;
  const { ApiId } = reimport;
  const { send, ...commands } = await tools.aws.apiGatewayV2();
  // the import adds deployments to these
  const before = await readBeforeImport(tools, update);
  const imported = await send(new commands.ReimportApiCommand(reimport));
  checkAnswer(SERVICE, 'ReimportApi', ['ApiId', imported.ApiId, ApiId]);
  for (const deployment of update.deployments) {
    await createDeployment(tools, deployment, before);
  }
  // only now is it known which deployment has the imported definition
  for (const DeploymentId of await followDeployments(tools, { id, apiId: ApiId }, before)) {
    tools.facts.deployments[`${ApiId}/${DeploymentId}`] = hash;
    const [mark] = marks;
    if (mark !== undefined) await markDeployment(tools, { ...mark, DeploymentId });
  }
  await removeSuperseded(tools, update, (old) => send(new commands.DeleteDeploymentCommand(old)));
}

async function createDeployment(
  tools: ServiceContext,
  deployment: CreateDeploymentCommandInput,
  before: BeforeImport,
): Promise<void> {
  const { ApiId = '', StageName, Description } = deployment;
  const { sendOnce, CreateDeploymentCommand } = await tools.aws.apiGatewayV2();
  const isOld = (id: string | undefined): boolean => before.deployments.some(({ DeploymentId }) => DeploymentId === id);
  const find = async (): Promise<string | undefined> => {
    const [stages, deployments] = await Promise.all([readStages(tools, ApiId), readDeployments(tools, ApiId)]);
    // it belongs to one stage: another one may have the same definition
    const id = stages.find((stage) => stage.StageName === StageName)?.DeploymentId;
    const made = deployments.find(({ DeploymentId }) => DeploymentId === id);
    return made?.Description === Description && !isOld(id) ? id : undefined;
  };
  const send = async (): Promise<string> => {
    const { DeploymentId } = await sendOnce(new CreateDeploymentCommand(deployment));
    return requireAnswer(SERVICE, 'CreateDeployment', 'DeploymentId', DeploymentId);
  };
  await createOnce({ send, find }, tools.signal);
}

async function readBeforeImport(
  tools: ServiceContext,
  { reimport: { ApiId }, automatic: names }: HttpApiUpdate,
): Promise<BeforeImport> {
  const [now, deployments] = await Promise.all([readStages(tools, ApiId), readDeployments(tools, ApiId)]);
  const automatic = now.filter(({ AutoDeploy, StageName = '' }) => AutoDeploy === true && names.includes(StageName));
  return { automatic, deployments };
}

/** Describes an automatic deployment. If API Gateway refuses that, only the facts on this machine have its hash. */
async function markDeployment({ aws }: Pick<ServiceContext, 'aws'>, mark: UpdateDeploymentCommandInput): Promise<void> {
  const { send, UpdateDeploymentCommand } = await aws.apiGatewayV2();
  try {
    await send(new UpdateDeploymentCommand(mark));
  } catch (error) {
    if (!isAwsError(error)) throw error;
  }
}
