import { kindOf } from '../template/kinds/kinds.ts';
import { isTaggedBySetting } from '../template/kinds/setting-parts.ts';
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
  const isTag = (name: string): boolean => isTaggedBySetting(work.resource.type, name);
  const tags = work.settings.filter(isTag);
  const others = work.settings.filter((name) => !isTag(name));
  const plans = await Promise.all([
    others.length === 0 ? undefined : planOwnSettings(tools, { ...work, settings: others }),
    tags.length === 0
      ? undefined
      : (await import('./tagging/plan-tags.ts')).planTags(tools, { ...work, settings: tags }),
  ]);
  const [first, ...rest] = plans.filter((plan) => plan !== undefined);
  return first && rest.reduce(joined, first);
}

async function planOwnSettings(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlan | undefined> {
  const { setBy } = kindOf(work.resource.type) ?? {};
  if (setBy === undefined) return undefined;
  if (setBy === 'appsync') return (await import('./appsync/schema-settings.ts')).planSchema(tools, work);
  if (setBy === 'usage-plan') return (await import('./apigateway/plan-usage-plan.ts')).planUsagePlan(tools, work);
  return (await import('./apigateway/plan-settings.ts')).planApiSettings(tools, work);
}

function joined(one: SettingsPlan, other: SettingsPlan): SettingsPlan {
  return {
    changes: [...one.changes, ...other.changes],
    requests: [...one.requests, ...other.requests],
    settings: [...one.settings, ...other.settings],
    waiting: [...one.waiting, ...other.waiting],
    secrets: [...(one.secrets ?? []), ...(other.secrets ?? [])],
  };
}

/** Lists the requests of the plan, in their order. */
export async function serviceSettingRequests({ requests, secrets = [] }: SettingsPlan): Promise<PlannedRequest[]> {
  const described = await Promise.all(requests.map(describeRequest));
  return described.map((request) => withoutSecrets(request, secrets));
}

async function describeRequest(request: OwnRequest): Promise<PlannedRequest> {
  if (request.operation === 'TagResources' || request.operation === 'UntagResources')
    return (await import('./tagging/tag-request.ts')).describeTagRequest(request);
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
  if (request.operation === 'TagResources' || request.operation === 'UntagResources')
    return (await import('./tagging/tag-request.ts')).sendTags(tools, request);
  if (request.operation === 'StartSchemaCreation')
    return (await import('./appsync/schema-request.ts')).sendSchema(tools, request);
  return (await import('./apigateway/setting-requests.ts')).sendSetting(tools, request);
}
