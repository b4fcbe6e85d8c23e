import type { Deployment, Stage } from '@aws-sdk/client-apigatewayv2';
import { isAwsError } from '../../aws/service-errors.ts';
import { pause } from '../../support/pause.ts';
import { UserError } from '../../errors.ts';
import { isMap } from '../../template/template.ts';
import type { TemplateValue } from '../../template/template.ts';
import { canonicalJson, parseJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';

/** All stages of an HTTP API. */
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

/** All deployments of an HTTP API. */
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
 * Whether a stage has what the API is now; undefined: API Gateway does not say. `ExportApi` with a stage gives what is
 * deployed to it, without one the latest configuration (API reference of HTTP APIs).
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
    // its addresses are those of the stage
    return canonicalJson([document['paths'] ?? {}, document['components'] ?? {}]);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return undefined;
  }
}

/** The stages that deploy by themselves, and all deployments, as they were before something was imported. */
export interface BeforeImport {
  automatic: readonly Stage[];
  deployments: readonly Deployment[];
}

/** Between two looks (ms). */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 1_000;
/** An import that changes something is deployed in a second or two; so long we follow it (ms). */
const LONGEST_WAIT = 60_000;

/**
 * Follows what an import set off to its end: deployments that were made since are deployed, and stages that deploy by
 * themselves have done so. Gives the deployments of those stages that surely are of what was imported.
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
    if (failure !== undefined) throw new UserError(`${id}: API Gateway could not deploy it: ${failure}`);
    const isOver = made.every(({ DeploymentStatus }) => DeploymentStatus !== 'PENDING');
    const late = stages.filter((stage) => stage.DeploymentId === deploymentOf(before, stage));
    const waited = performance.now() - started;
    if (isOver && late.length === 0) return idsOf(stages);
    if (isOver && waited > tools.autoDeployWaitMs) {
      // what was imported may be what was there: then nothing is deployed
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
  // a deployment that cannot even begin leaves only a message, which may also be that of an earlier one
  const isNew = ({ StageName, LastDeploymentStatusMessage: message }: Stage): boolean =>
    automatic.find((stage) => stage.StageName === StageName)?.LastDeploymentStatusMessage !== message;
  return stages.filter(isNew).map(attemptFailed).find(Boolean);
}

/** `Deployment attempt failed: REASON`; there is no code for it. */
function attemptFailed({ LastDeploymentStatusMessage = '' }: Stage): string | undefined {
  return /^Deployment attempt failed: (.+)$/s.exec(LastDeploymentStatusMessage)?.[1];
}

function notDeployed(id: string, late: readonly Stage[], waited: number): UserError {
  const names = late.map(({ StageName }) => StageName).join(', ');
  const seconds = Math.round(waited / 1_000);
  const why = late.map(attemptFailed).find(Boolean);
  const text = `${id}: its definition was imported, but stage ${names} has not deployed it after ${seconds} s`;
  return new UserError(why === undefined ? text : `${text}: ${why}`, {
    hint: 'Look at the deployments of the API in the console, and sync again.',
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
