import type { UpdateRestApiCommandInput, UpdateStageCommandInput } from '@aws-sdk/client-api-gateway';
import type {
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
  | { operation: 'UpdateRestApi'; input: UpdateRestApiCommandInput & { restApiId: string } }
  /** The stage of a REST API. */
  | { operation: 'UpdateRestStage'; input: UpdateStageCommandInput & { stageName: string } };

/** Joins the requests that one update can make. Pure. */
export function joined(requests: readonly SettingRequest[]): SettingRequest[] {
  const result: SettingRequest[] = [];
  for (const request of requests) {
    const { operation } = request;
    const same = result.find((other) => other.operation === operation);
    if (same !== undefined && 'patchOperations' in same.input && 'patchOperations' in request.input) {
      const patchOperations = [...(same.input.patchOperations ?? []), ...(request.input.patchOperations ?? [])];
      Object.assign(same, { input: { ...same.input, patchOperations } });
    } else if (same !== undefined && (operation === 'UpdateApi' || operation === 'UpdateStage')) {
      Object.assign(same, { input: { ...same.input, ...request.input } });
    } else result.push({ ...request });
  }
  return result;
}

/** The request as a dry run shows it. Pure. */
export function describeRequest({ operation, input }: SettingRequest): PlannedRequest {
  if (!('patchOperations' in input)) return { service: 'apigatewayv2', operation, parameters: input };
  const patches = input.patchOperations ?? [];
  return {
    service: 'apigateway',
    operation: operation === 'UpdateRestStage' ? 'UpdateStage' : operation,
    parameters: input,
    values: Object.fromEntries(patches.map(({ path = '', value = null }) => [path.slice(1), value])),
  };
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
  const { send, ...commands } = await aws.apiGatewayV2();
  switch (request.operation) {
    case 'DeleteAccessLogSettings':
      return void (await send(new commands.DeleteAccessLogSettingsCommand(request.input)));
    case 'DeleteCorsConfiguration':
      return void (await send(new commands.DeleteCorsConfigurationCommand(request.input)));
    case 'DeleteRouteSettings':
      return void (await send(new commands.DeleteRouteSettingsCommand(request.input)));
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
