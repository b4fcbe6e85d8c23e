import type {
  TagResourceCommandInput,
  UntagResourceCommandInput,
  UpdateApiKeyCommandInput,
  UpdateRestApiCommandInput,
  UpdateStageCommandInput,
  UpdateUsagePlanCommandInput,
} from '@aws-sdk/client-api-gateway';
import type {
  TagResourceCommandInput as TagHttpResourceCommandInput,
  UntagResourceCommandInput as UntagHttpResourceCommandInput,
  DeleteAccessLogSettingsCommandInput,
  DeleteCorsConfigurationCommandInput,
  DeleteRouteSettingsCommandInput,
  UpdateApiCommandInput,
  UpdateStageCommandInput as UpdateHttpStageCommandInput,
} from '@aws-sdk/client-apigatewayv2';
import { checkAnswer } from '../../aws/check-answer.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';

/** A request that sets a setting of an HTTP API or its stage. */
export type SettingRequest =
  | { operation: 'DeleteAccessLogSettings'; input: DeleteAccessLogSettingsCommandInput }
  | { operation: 'DeleteCorsConfiguration'; input: DeleteCorsConfigurationCommandInput }
  | { operation: 'DeleteRouteSettings'; input: DeleteRouteSettingsCommandInput }
  | { operation: 'UpdateApi'; input: UpdateApiCommandInput & { ApiId: string } }
  | { operation: 'UpdateStage'; input: UpdateHttpStageCommandInput & { StageName: string } }
  | { operation: 'UpdateApiKey'; input: UpdateApiKeyCommandInput & { apiKey: string } }
  | { operation: 'UpdateUsagePlan'; input: UpdateUsagePlanCommandInput & { usagePlanId: string } }
  | { operation: 'UpdateRestApi'; input: UpdateRestApiCommandInput & { restApiId: string } }
  | { operation: 'TagResource'; input: TagHttpResourceCommandInput & { ResourceArn: string } }
  | { operation: 'UntagResource'; input: UntagHttpResourceCommandInput & { ResourceArn: string } }
  /** The stage of a REST API, and tags of either. */
  | { operation: 'TagRestResource'; input: TagResourceCommandInput & { resourceArn: string } }
  | { operation: 'UntagRestResource'; input: UntagResourceCommandInput & { resourceArn: string } }
  | { operation: 'UpdateRestStage'; input: UpdateStageCommandInput & { stageName: string } };

/** Joins the requests that one update can make. Pure. */
export function joined(requests: readonly SettingRequest[]): SettingRequest[] {
  const result: SettingRequest[] = [];
  for (const request of requests) {
    const same = result.find((other) => other.operation === request.operation && arnOf(other) === arnOf(request));
    // each route needs a request of its own
    if (same === undefined || request.operation === 'DeleteRouteSettings') result.push({ ...request });
    else Object.assign(same, { input: bothInputs(same.input, request.input) });
  }
  return result;
}

function arnOf({ input }: SettingRequest): string | undefined {
  return 'resourceArn' in input ? input.resourceArn : 'ResourceArn' in input ? input.ResourceArn : undefined;
}

function bothInputs(one: object, other: object): object {
  const result = new Map<string, unknown>(Object.entries(one));
  for (const [name, value] of Object.entries(other) as [string, unknown][]) {
    const first = result.get(name);
    if (Array.isArray(first) && Array.isArray(value))
      result.set(name, [...(first as unknown[]), ...(value as unknown[])]);
    else if (isObject(first) && isObject(value)) result.set(name, { ...first, ...value });
    else result.set(name, value);
  }
  return Object.fromEntries(result);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The request as a dry run shows it. Pure. */
export function describeRequest({ operation, input }: SettingRequest): PlannedRequest {
  if (operation === 'TagRestResource' || operation === 'UntagRestResource')
    return { service: 'apigateway', operation: operation.replace('Rest', ''), parameters: input };
  if (!('patchOperations' in input)) {
    const values = routeValues(input);
    const isRoute = Object.keys(values).length > 0;
    return { service: 'apigatewayv2', operation, parameters: input, ...(isRoute ? { values } : {}) };
  }
  const patches = input.patchOperations ?? [];
  return {
    service: 'apigateway',
    operation: operation === 'UpdateRestStage' ? 'UpdateStage' : operation,
    parameters: input,
    values: Object.fromEntries(patches.map(({ path = '', value = null }) => [path.slice(1), value])),
  };
}

/** The settings of routes by the names of the settings; null: they are removed. */
function routeValues(input: SettingRequest['input']): Record<string, unknown> {
  const set = 'RouteSettings' in input ? Object.entries(input.RouteSettings ?? {}) : [];
  const gone = 'RouteKey' in input ? [[input.RouteKey, null] as const] : [];
  return Object.fromEntries([...gone, ...set].map(([key, value]) => [`RouteSettings.${key}`, value]));
}

const SERVICE = 'API Gateway';

/** Sends the request, and checks that it was answered for the right resource. */
export async function sendSetting({ aws }: ServiceContext, request: SettingRequest): Promise<void> {
  if (request.operation === 'UpdateRestStage') {
    const { send, UpdateStageCommand } = await aws.apiGateway();
    const { stageName } = await send(new UpdateStageCommand(request.input));
    checkAnswer(SERVICE, 'UpdateStage', ['stageName', stageName, request.input.stageName]);
    return;
  }
  if (request.operation === 'UpdateRestApi') {
    const { send, UpdateRestApiCommand } = await aws.apiGateway();
    const { id } = await send(new UpdateRestApiCommand(request.input));
    checkAnswer(SERVICE, 'UpdateRestApi', ['id', id, request.input.restApiId]);
    return;
  }
  if (request.operation === 'UpdateUsagePlan') {
    const { send, UpdateUsagePlanCommand } = await aws.apiGateway();
    const { id } = await send(new UpdateUsagePlanCommand(request.input));
    checkAnswer(SERVICE, 'UpdateUsagePlan', ['id', id, request.input.usagePlanId]);
    return;
  }
  if (request.operation === 'UpdateApiKey') {
    const { send, UpdateApiKeyCommand } = await aws.apiGateway();
    const { id } = await send(new UpdateApiKeyCommand(request.input));
    checkAnswer(SERVICE, 'UpdateApiKey', ['id', id, request.input.apiKey]);
    return;
  }
  if (request.operation === 'TagRestResource' || request.operation === 'UntagRestResource') {
    const { send, TagResourceCommand, UntagResourceCommand } = await aws.apiGateway();
    if (request.operation === 'TagRestResource') await send(new TagResourceCommand(request.input));
    else await send(new UntagResourceCommand(request.input));
    return;
  }
  const { send, ...commands } = await aws.apiGatewayV2();
  switch (request.operation) {
    case 'DeleteAccessLogSettings':
      return void (await send(new commands.DeleteAccessLogSettingsCommand(request.input)));
    case 'DeleteCorsConfiguration':
      return void (await send(new commands.DeleteCorsConfigurationCommand(request.input)));
    case 'DeleteRouteSettings':
      return void (await send(new commands.DeleteRouteSettingsCommand(request.input)));
    case 'TagResource':
      return void (await send(new commands.TagResourceCommand(request.input)));
    case 'UntagResource':
      return void (await send(new commands.UntagResourceCommand(request.input)));
    case 'UpdateApi': {
      const { ApiId } = await send(new commands.UpdateApiCommand(request.input));
      return checkAnswer(SERVICE, 'UpdateApi', ['ApiId', ApiId, request.input.ApiId]);
    }
    case 'UpdateStage': {
      const { StageName } = await send(new commands.UpdateStageCommand(request.input));
      return checkAnswer(SERVICE, 'UpdateStage', ['StageName', StageName, request.input.StageName]);
    }
  }
}
