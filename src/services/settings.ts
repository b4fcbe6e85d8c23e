import { kindOf } from '../template/kinds/kinds.ts';
import type { PlannedRequest } from './planned-request.ts';
import { withoutSecrets } from './secret-settings.ts';
import type { ServiceContext } from './service-context.ts';
import { refusingSettings } from './settings-refused.ts';
import type { OwnRequest, SettingsPlan, SettingsWork } from './settings-plan.ts';

/** Compares settings that have requests of their own; undefined: the resource has none of them. */
export async function planServiceSettings(
  tools: ServiceContext,
  work: SettingsWork,
): Promise<SettingsPlan | undefined> {
  const { setBy } = kindOf(work.resource.type) ?? {};
  if (setBy === undefined || work.settings.length === 0) return undefined;
  if (setBy === 'appsync') return (await import('./appsync/schema-settings.ts')).planSchema(tools, work);
  return (await import('./apigateway/plan-settings.ts')).planApiSettings(tools, work);
}

/** Lists the requests of the plan, in their order. */
export async function serviceSettingRequests({ requests, secrets = [] }: SettingsPlan): Promise<PlannedRequest[]> {
  const described = await Promise.all(requests.map(describeRequest));
  return described.map((request) => withoutSecrets(request, secrets));
}

async function describeRequest(request: OwnRequest): Promise<PlannedRequest> {
  if (request.operation === 'StartSchemaCreation')
    return (await import('./appsync/schema-request.ts')).describeSchemaRequest(request);
  return (await import('./apigateway/setting-requests.ts')).describeRequest(request);
}

/** Sends the requests of the plan. If the service refuses the first one, it has none of the settings. */
export async function applyServiceSettings(
  tools: ServiceContext,
  id: string,
  { requests, settings }: SettingsPlan,
): Promise<void> {
  const names = new Map(settings.map((name) => [name, true]));
  for (const [index, request] of requests.entries()) {
    const send = (): Promise<void> => sendRequest(tools, request);
    await (index === 0 ? refusingSettings({ id, settings: names }, send) : send());
  }
}

async function sendRequest(tools: ServiceContext, request: OwnRequest): Promise<void> {
  if (request.operation === 'StartSchemaCreation')
    return (await import('./appsync/schema-request.ts')).sendSchema(tools, request);
  return (await import('./apigateway/setting-requests.ts')).sendSetting(tools, request);
}
