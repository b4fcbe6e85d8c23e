import type { GetApiCommandOutput, GetStageCommandOutput } from '@aws-sdk/client-apigatewayv2';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import type { HttpStagePlace } from './route-settings.ts';
import type { SettingRequest } from './setting-requests.ts';

type Texts = Readonly<Record<string, Setting>>;

/** Lists the requests that give the stage of an HTTP API a setting. Pure. */
export function stageRequests(
  place: HttpStagePlace,
  stage: GetStageCommandOutput,
  { property, value }: WantedSetting,
): SettingRequest[] {
  const { member } = property;
  if (isSameSetting(property, value, shownSetting(property, stage[member as keyof typeof stage]))) return [];
  const update = (part: object): SettingRequest => ({ operation: 'UpdateStage', input: { ...place, ...part } });
  if (member === 'StageVariables') return [update({ StageVariables: variables(value as Texts, stage) })];
  if (member === 'AccessLogSettings') {
    const { DestinationArn } = value as Texts;
    return DestinationArn === ''
      ? [{ operation: 'DeleteAccessLogSettings', input: place }]
      : [update({ AccessLogSettings: value })];
  }
  return [update({ [member]: value })];
}

/** API Gateway removes a variable whose value is empty. */
function variables(wanted: Texts, { StageVariables: shown = {} }: GetStageCommandOutput): Texts {
  const gone = Object.keys(shown).filter((name) => !Object.hasOwn(wanted, name));
  return { ...Object.fromEntries(gone.map((name) => [name, ''])), ...wanted };
}

/** Lists the requests that give an HTTP API a setting. Pure. */
export function apiRequests(
  ApiId: string,
  api: GetApiCommandOutput,
  { property, value }: WantedSetting,
): SettingRequest[] {
  const { member } = property;
  if (isSameSetting(property, value, shownSetting(property, api[member as keyof typeof api]))) return [];
  if (member !== 'CorsConfiguration') return [{ operation: 'UpdateApi', input: { ApiId, [member]: value } }];
  // an update replaces the whole configuration: what is empty is left out
  const set = Object.entries(value as Texts).filter(([, item]) => !isEmpty(item));
  return set.length === 0
    ? [{ operation: 'DeleteCorsConfiguration', input: { ApiId } }]
    : [{ operation: 'UpdateApi', input: { ApiId, CorsConfiguration: Object.fromEntries(set) } }];
}

function isEmpty(item: Setting): boolean {
  return item === false || item === 0 || (Array.isArray(item) && item.length === 0);
}
