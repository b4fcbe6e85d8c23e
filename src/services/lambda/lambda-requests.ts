import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';
import { describeCodeUpdate } from './function-code.ts';
import { withoutSecrets } from '../secret-settings.ts';
import type { NeighbourUpdate, WantedSettings } from './settings/neighbour.ts';
import { isLast } from './settings/function-neighbours.ts';
import type { FunctionPlan } from './plan-function.ts';
import { deletionOf } from './layers/apply-layer.ts';
import type { LayerPlan } from './layers/plan-layer.ts';

type Tools = Pick<ServiceContext, 'artifacts'>;

/** Lists the requests of a function: for its own dependency layer, then those that `applyFunction` sends. */
export async function functionRequests(
  tools: Tools,
  plan: FunctionPlan,
  kept: ReadonlySet<string>,
): Promise<PlannedRequest[]> {
  const { work, configuration, code, drop, publish } = plan;
  const own = work.layers.find(({ work: { id } }) => id === work.id);
  const [early, late] = [work.neighbours.filter((one) => !isLast(one)), work.neighbours.filter(isLast)];
  return [
    ...(own === undefined ? [] : await publishRequests(tools, own)),
    ...request('UpdateFunctionConfiguration', configuration && withoutSecrets(configuration, secretsOf(plan.settings))),
    ...early.flatMap((update) => neighbourRequest(update)),
    ...(code === undefined ? [] : [await codeRequest(tools, code)]),
    ...request('UpdateFunctionConfiguration', drop),
    ...request('PublishVersion', publish?.version),
    ...request('UpdateAlias', publish?.alias),
    ...late.flatMap((update) => neighbourRequest(update)),
    ...(own === undefined ? [] : deletionRequests(own, kept)),
  ];
}

/** Lists the requests of a layer of the template. `kept`: versions of functions that are not updated. */
export async function layerRequests(
  tools: Tools,
  layer: LayerPlan,
  kept: ReadonlySet<string>,
): Promise<PlannedRequest[]> {
  return [...(await publishRequests(tools, layer)), ...deletionRequests(layer, kept)];
}

async function publishRequests({ artifacts }: Tools, { work, publish }: LayerPlan): Promise<PlannedRequest[]> {
  if (publish === undefined) return [];
  return request('PublishLayerVersion', { ...publish, Content: await artifacts.describe(work.artifact) });
}

/** Lists the requests that delete versions which nothing uses afterwards. */
function deletionRequests({ superseded }: LayerPlan, kept: ReadonlySet<string>): PlannedRequest[] {
  return superseded.filter((arn) => !kept.has(arn)).flatMap((arn) => request('DeleteLayerVersion', deletionOf(arn)));
}

async function codeRequest(tools: Tools, update: NonNullable<FunctionPlan['code']>): Promise<PlannedRequest> {
  const { code } = update;
  const isUnpushed = code.kind === 'image' && code.digest === undefined;
  return {
    service: 'lambda',
    operation: 'UpdateFunctionCode',
    parameters: await describeCodeUpdate(tools, update),
    condition: isUnpushed ? 'the function does not run the image yet' : undefined,
  };
}

function neighbourRequest({ operation, input, settings }: NeighbourUpdate): PlannedRequest[] {
  return request(operation, withoutSecrets(input, secretsOf(settings)));
}

function secretsOf(settings: WantedSettings): string[] {
  return [...settings.values()].flatMap(({ secrets }) => secrets);
}

function request(operation: string, parameters: object | undefined): PlannedRequest[] {
  return parameters === undefined ? [] : [{ service: 'lambda', operation, parameters }];
}
