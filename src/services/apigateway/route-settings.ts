import type { GetStageCommandOutput, RouteSettings } from '@aws-sdk/client-apigatewayv2';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import { ownValue } from '../../support/own-value.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingRequest } from './setting-requests.ts';

/** The stage of an HTTP or WebSocket API. */
export interface HttpStagePlace {
  ApiId: string;
  StageName: string;
}

/**
 * Lists the requests that give one route of a stage its settings; those of other routes stay. An update adds to what the route
 * has, so if a limit goes, all of them go first. Pure.
 */
export function routeRequests(
  place: HttpStagePlace,
  { RouteSettings: all = {} }: Pick<GetStageCommandOutput, 'RouteSettings'>,
  { RouteKey, property, value }: WantedSetting & { RouteKey: string },
): SettingRequest[] {
  const current = ownValue(all, RouteKey);
  const shown = current === undefined ? null : withoutDefaults(shownSetting(property, current) ?? null);
  const wanted = withoutDefaults(value);
  if (isSameSetting(property, wanted, shown)) return [];
  const deletion: SettingRequest = { operation: 'DeleteRouteSettings', input: { ...place, RouteKey } };
  if (value === null) return [deletion];
  const update: SettingRequest = {
    operation: 'UpdateStage',
    input: { ...place, RouteSettings: { [RouteKey]: value as RouteSettings } },
  };
  const leaves = namesOf(shown).some((name) => !namesOf(wanted).includes(name));
  return leaves ? [deletion, update] : [update];
}

/** Without what a route has if nothing sets it. */
function withoutDefaults(settings: Setting): Setting {
  const all = Object.entries(settings ?? {}) as [string, Setting][];
  return settings === null ? null : Object.fromEntries(all.filter(([, value]) => value !== false && value !== 'OFF'));
}

function namesOf(settings: Setting): string[] {
  return Object.keys(settings ?? {});
}

/** Reads the keys of the routes that an API has. */
export async function readRouteKeys({ aws }: Pick<ServiceContext, 'aws'>, ApiId: string): Promise<ReadonlySet<string>> {
  const { send, GetRoutesCommand } = await aws.apiGatewayV2();
  const keys = new Set<string>();
  let token: string | undefined;
  do {
    const page = await send(new GetRoutesCommand({ ApiId, NextToken: token }));
    for (const { RouteKey = '' } of page.Items ?? []) keys.add(RouteKey);
    token = page.NextToken || undefined;
  } while (token !== undefined);
  return keys;
}
