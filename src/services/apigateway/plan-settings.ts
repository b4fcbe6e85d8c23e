import { entryOf, tagOf } from '../../template/kinds/setting-parts.ts';
import { scalarText } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';
import type { ComparedSettings } from '../definition-plan.ts';
import { resolveSettings } from '../resolve-settings.ts';
import type { ResolvedSettings, WantedSetting } from '../resolve-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingsPlan, SettingsWork } from '../settings-plan.ts';
import { apiRequests, stageRequests } from './http-api-settings.ts';
import { apiPatches, stagePatches } from './rest-stage-settings.ts';
import { planApiTags } from './plan-tags.ts';
import { readRouteKeys, routeRequests } from './route-settings.ts';
import { joined } from './setting-requests.ts';
import type { SettingRequest } from './setting-requests.ts';
import { findPlace } from './settings-place.ts';
import type { SettingsPlace } from './settings-place.ts';

/** Compares settings of an API and its stage with those that API Gateway has. */
export async function planApiSettings(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlan> {
  const { resource, stack, settings: names } = work;
  const properties = withCors(resource.properties);
  const resolved = await resolveSettings(tools, { type: resource.type, properties, stack, names });
  if (resolved.settings.size === 0) return { changes: [], requests: [], settings: [], waiting: resolved.waiting };
  const place = await findPlace(tools, work);
  if (place === undefined) return allWait(resolved, `only CloudFormation knows the stage of ${resource.id}`);
  const ofTags = new Map([...resolved.settings].filter(([name]) => tagOf(name) !== undefined));
  const ofOthers = new Map([...resolved.settings].filter(([name]) => tagOf(name) === undefined));
  const tags = ofTags.size === 0 ? { requests: [] } : await planApiTags(tools, { place, work }, ofTags);
  const requests = new Map([
    ...(await requestsOf(tools, { place, type: resource.type }, ofOthers)),
    ...('why' in tags ? [] : tags.requests),
  ]);
  const known = [...requests].flatMap(([name, list]) => ('why' in list ? [] : [[name, list] as const]));
  const others = [...requests].flatMap(([name, list]) => ('why' in list ? [`${name}: ${list.why}`] : []));
  return {
    changes: known.flatMap(([name, list]) => (list.length > 0 ? [name] : [])),
    // what goes, goes first
    requests: joined(known.flatMap(([, list]) => list)).sort((one, other) => orderOf(one) - orderOf(other)),
    secrets: [...resolved.settings.values()].flatMap(({ secrets }) => secrets),
    settings: known.map(([name]) => name),
    waiting: [
      ...resolved.waiting,
      ...others,
      ...('why' in tags ? [...ofTags.keys()].map((name) => `${name}: ${tags.why}`) : []),
    ],
  };
}

function allWait({ settings, waiting }: ResolvedSettings, why: string): SettingsPlan & Required<ComparedSettings> {
  const all = [...settings.keys()].map((name) => `${name}: ${why}`);
  return { changes: [], requests: [], settings: [], waiting: [...waiting, ...all] };
}

/** SAM writes `true` for every origin. */
function withCors(properties: TemplateMap): TemplateMap {
  const { CorsConfiguration: cors } = properties;
  return scalarText(cors) === 'true' ? { ...properties, CorsConfiguration: { AllowOrigins: ['*'] } } : properties;
}

function orderOf({ operation }: SettingRequest): number {
  return operation === 'DeleteRouteSettings' ? 0 : 1;
}

/** The requests of a setting, or why only CloudFormation can set it. */
type Requests = readonly SettingRequest[] | { why: string };

async function requestsOf(
  { aws }: ServiceContext,
  { place: { kind, apiId, stage: name, ofApi }, type }: { place: SettingsPlace; type: string },
  settings: ReadonlyMap<string, WantedSetting>,
): Promise<ReadonlyMap<string, Requests>> {
  const requests = new Map<string, Requests>();
  const own = [...settings].filter(([property]) => ofApi.has(property));
  const others = [...settings].filter(([property]) => !ofApi.has(property));
  const ofOwn = own.length === 0 ? undefined : await openApi(aws, kind, apiId);
  for (const [property, setting] of own) requests.set(property, ofOwn?.(setting) ?? OTHER_FORM);
  const stage = others.length === 0 || name === undefined ? undefined : await openStage(aws, { kind, apiId, name });
  const isRouteSet = others.some(([property, { value }]) => value !== null && entryOf(type, property) !== undefined);
  const routes = isRouteSet ? await readRouteKeys({ aws }, apiId) : undefined;
  for (const [property, setting] of others) {
    const RouteKey = entryOf(type, property)?.key;
    const isMissing = RouteKey !== undefined && setting.value !== null && routes?.has(RouteKey) !== true;
    const planned = isMissing ? { why: `the API has no route ${RouteKey} yet` } : stage?.(setting, RouteKey);
    requests.set(property, planned ?? OTHER_FORM);
  }
  return requests;
}

const OTHER_FORM = { why: 'only the deployment can check and set a value of this form' } as const;

/** Reads an API; gives the requests of a setting. */
async function openApi(
  aws: ServiceContext['aws'],
  kind: SettingsPlace['kind'],
  apiId: string,
): Promise<(setting: WantedSetting) => SettingRequest[]> {
  if (kind === 'http') {
    const { send, GetApiCommand } = await aws.apiGatewayV2();
    const api = await send(new GetApiCommand({ ApiId: apiId }));
    return (setting) => apiRequests(apiId, api, setting);
  }
  const { send, GetRestApiCommand } = await aws.apiGateway();
  const api = await send(new GetRestApiCommand({ restApiId: apiId }));
  return (setting) => {
    const patchOperations = apiPatches(api, setting);
    return patchOperations.length === 0
      ? []
      : [{ operation: 'UpdateRestApi', input: { restApiId: apiId, patchOperations } }];
  };
}

/** Reads a stage; gives the requests of a setting. */
async function openStage(
  aws: ServiceContext['aws'],
  { kind, apiId, name }: { kind: SettingsPlace['kind']; apiId: string; name: string },
): Promise<(setting: WantedSetting, RouteKey?: string) => SettingRequest[] | undefined> {
  if (kind === 'http') {
    const { send, GetStageCommand } = await aws.apiGatewayV2();
    const place = { ApiId: apiId, StageName: name };
    const stage = await send(new GetStageCommand(place));
    return (setting, RouteKey) =>
      RouteKey === undefined
        ? stageRequests(place, stage, setting)
        : routeRequests(place, stage, { ...setting, RouteKey });
  }
  const { send, GetStageCommand } = await aws.apiGateway();
  const place = { restApiId: apiId, stageName: name };
  const stage = await send(new GetStageCommand(place));
  return (setting) => {
    const patchOperations = stagePatches(stage, setting);
    if (patchOperations === undefined || patchOperations.length === 0) return patchOperations && [];
    return [{ operation: 'UpdateRestStage', input: { ...place, patchOperations } }];
  };
}
