import { kindOf } from '../template/kinds/kinds.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { ServiceContext } from './service-context.ts';
import { refusingSettings } from './settings-refused.ts';
import type { SettingsPlan, SettingsWork } from './settings-plan.ts';

/** Compares settings that have requests of their own; undefined: the resource has none of them. */
export async function planServiceSettings(
  tools: ServiceContext,
  work: SettingsWork,
): Promise<SettingsPlan | undefined> {
  const { setBy } = kindOf(work.resource.type) ?? {};
  if (setBy === undefined || work.settings.length === 0) return undefined;
  const { planApiSettings } = await import('./apigateway/plan-settings.ts');
  return planApiSettings(tools, work);
}

/** Lists the requests of the plan, in their order. */
export async function serviceSettingRequests({ requests }: SettingsPlan): Promise<PlannedRequest[]> {
  if (requests.length === 0) return [];
  const { describeRequest } = await import('./apigateway/setting-requests.ts');
  return requests.map(describeRequest);
}

/** Sends the requests of the plan. If the service refuses the first one, it has none of the settings. */
export async function applyServiceSettings(
  tools: ServiceContext,
  id: string,
  { requests, settings }: SettingsPlan,
): Promise<void> {
  if (requests.length === 0) return;
  const { sendSetting } = await import('./apigateway/setting-requests.ts');
  const names = new Map(settings.map((name) => [name, true]));
  for (const [index, request] of requests.entries()) {
    const send = (): Promise<void> => sendSetting(tools, request);
    await (index === 0 ? refusingSettings({ id, settings: names }, send) : send());
  }
}
