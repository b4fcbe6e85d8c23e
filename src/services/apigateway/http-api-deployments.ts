import type { Deployment, Stage } from '@aws-sdk/client-apigatewayv2';
import { isAwsError } from '../../aws/service-errors.ts';
import { pause } from '../../support/pause.ts';
import { UserError } from '../../errors.ts';
import { isMap } from '../../template/template.ts';
import type { TemplateValue } from '../../template/template.ts';
import { canonicalJson, parseJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';

/** Reads all stages of an HTTP API. */
export async function readStages({ aws }: Pick<ServiceContext, 'aws'>, apiId: string): Promise<Stage[]> {
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

/** Reads all deployments of an HTTP API. */
export async function readDeployments({ aws }: Pick<ServiceContext, 'aws'>, apiId: string): Promise<Deployment[]> {
  const { send, GetDeploymentsCommand } = await aws.apiGatewayV2();
  const deployments: Deployment[] = [];
  let token: string | undefined;
  do {
    const page = await send(new GetDeploymentsCommand({ ApiId: apiId, NextToken: token }));
    deployments.push(...(page.Items ?? []));
    token = page.NextToken || undefined;
  } while (token !== undefined);
  return deployments;
}

/**
 * Whether a stage has the latest definition of the API; undefined: API Gateway does not say. `ExportApi` with a stage returns
 * what is deployed to it, without one the latest configuration (API reference of HTTP APIs).
 */
export async function stageHasLatest(
  tools: ServiceContext,
  apiId: string,
  stage: string,
): Promise<boolean | undefined> {
  const [latest, deployed] = await Promise.all([exportPaths(tools, apiId), exportPaths(tools, apiId, stage)]);
  return latest === undefined || deployed === undefined ? undefined : latest === deployed;
}

async function exportPaths({ aws }: ServiceContext, ApiId: string, StageName?: string): Promise<string | undefined> {
  const { send, ExportApiCommand } = await aws.apiGatewayV2();
  const what = { ApiId, StageName, Specification: 'OAS30', OutputType: 'JSON', IncludeExtensions: true };
  try {
    const { body } = await send(new ExportApiCommand(what));
    const document = parseJson(Buffer.from(body ?? []).toString()) as TemplateValue | undefined;
    if (document === undefined || !isMap(document)) return undefined;
    // `servers` differ: they have the address of the stage
    return canonicalJson([document['paths'] ?? {}, document['components'] ?? {}]);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return undefined;
  }
}

/** The stages with automatic deployments, and all deployments, before an import. */
export interface BeforeImport {
  automatic: readonly Stage[];
  deployments: readonly Deployment[];
}

/** Between two reads (ms). */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 1_000;
/** How long we follow an import (ms); API Gateway usually deploys it in a second or two. */
const LONGEST_WAIT = 60_000;

/**
 * Waits until every deployment made since the import is deployed, and every stage with automatic deployments has deployed
 * it. Returns the deployments of those stages that surely have the imported definition.
 */
export async function followDeployments(
  tools: ServiceContext,
  { id, apiId }: { id: string; apiId: string },
  before: BeforeImport,
): Promise<ReadonlySet<string>> {
  const started = performance.now();
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 1.5, LONGEST_DELAY)) {
    const [allStages, deployments] = await Promise.all([readStages(tools, apiId), readDeployments(tools, apiId)]);
    const stages = allStages.filter(({ StageName }) => before.automatic.some((stage) => stage.StageName === StageName));
    const made = deployments.filter(({ DeploymentId }) => !isAmong(before.deployments, DeploymentId));
    const failure = failureOf(made, stages, before);
    if (failure !== undefined) throw new UserError(`${id}: API Gateway could not deploy the definition: ${failure}`);
    const isOver = made.every(({ DeploymentStatus }) => DeploymentStatus !== 'PENDING');
    const late = stages.filter((stage) => stage.DeploymentId === deploymentOf(before, stage));
    const waited = performance.now() - started;
    if (isOver && late.length === 0) return idsOf(stages);
    if (isOver && waited > tools.autoDeployWaitMs) {
      // an import that changes nothing is not deployed
      const has = await Promise.all(late.map(({ StageName = '' }) => stageHasLatest(tools, apiId, StageName)));
      if (has.every((isLatest) => isLatest === true)) return idsOf(stages);
      if (has.every((isLatest) => isLatest !== false)) return idsOf(stages.filter((stage) => !late.includes(stage)));
    }
    if (waited > LONGEST_WAIT) throw notDeployed(id, late, waited);
    await pause(delay, tools.signal);
  }
}

function failureOf(
  made: readonly Deployment[],
  stages: readonly Stage[],
  { automatic }: BeforeImport,
): string | undefined {
  const failed = made.find(({ DeploymentStatus }) => DeploymentStatus === 'FAILED');
  if (failed !== undefined) return failed.DeploymentStatusMessage || `deployment ${failed.DeploymentId} failed`;
  // a deployment that cannot start leaves only a message, which an earlier deployment may have left too
  const isNew = ({ StageName, LastDeploymentStatusMessage: message }: Stage): boolean =>
    automatic.find((stage) => stage.StageName === StageName)?.LastDeploymentStatusMessage !== message;
  return stages.filter(isNew).map(attemptFailed).find(Boolean);
}

/** Reads the reason from `Deployment attempt failed: REASON`, which has no error code. */
function attemptFailed({ LastDeploymentStatusMessage = '' }: Stage): string | undefined {
  return /^Deployment attempt failed: (.+)$/s.exec(LastDeploymentStatusMessage)?.[1];
}

function notDeployed(id: string, late: readonly Stage[], waited: number): UserError {
  const names = late.map(({ StageName }) => StageName).join(', ');
  const seconds = Math.round(waited / 1_000);
  const why = late.map(attemptFailed).find(Boolean);
  const text = `${id}: its definition was imported, but stage ${names} has not deployed it after ${seconds} s`;
  return new UserError(why === undefined ? text : `${text}: ${why}`, {
    hint: 'Check the deployments of the API in the API Gateway console, then sync again.',
  });
}

function deploymentOf({ automatic }: BeforeImport, { StageName }: Stage): string | undefined {
  return automatic.find((stage) => stage.StageName === StageName)?.DeploymentId;
}

function isAmong(deployments: readonly Deployment[], id: string | undefined): boolean {
  return deployments.some(({ DeploymentId }) => DeploymentId === id);
}

function idsOf(stages: readonly Stage[]): Set<string> {
  return new Set(stages.flatMap(({ DeploymentId }) => DeploymentId ?? []));
}
