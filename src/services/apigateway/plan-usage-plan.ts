import type { PatchOperation } from '@aws-sdk/client-api-gateway';
import { placeOf } from '../../cloud/resource-attributes.ts';
import { ownValue } from '../../support/own-value.ts';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { tagOf } from '../../template/kinds/setting-parts.ts';
import { resolveSettings } from '../resolve-settings.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingsPlan, SettingsWork } from '../settings-plan.ts';
import { stackTags } from '../stack-tags.ts';
import type { SettingRequest } from './setting-requests.ts';
import { joined } from './setting-requests.ts';

/** A usage plan or API key, as API Gateway shows it. */
type Shown = Readonly<Record<string, unknown>>;

/** Compares settings of a usage plan or an API key with those that API Gateway has. */
export async function planUsagePlan(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlan> {
  const { resource, stack, deployed, settings: names } = work;
  const { type, properties } = resource;
  const { settings: wanted, waiting } = await resolveSettings(tools, { type, properties, stack, names });
  const { physicalId } = deployed;
  const isPlan = kindOf(type)?.direct?.['Quota'] !== undefined;
  const isAnyTagGone = [...wanted].some(([name, { value }]) => tagOf(name) !== undefined && value === null);
  const [shown, tagsOfStack] = await Promise.all([
    read(tools, physicalId, isPlan),
    isAnyTagGone ? stackTags(tools, stack.path) : {},
  ]);
  const arn = arnOf(tools, isPlan ? 'usageplans' : 'apikeys', physicalId);
  const requests = [...wanted].map(([name, setting]) => {
    const key = tagOf(name);
    if (key === undefined) return [name, settingRequests(physicalId, isPlan, settingPatches(shown, setting))] as const;
    const value = setting.value ?? ownValue<Setting>(tagsOfStack, key) ?? null;
    return [name, tagRequests(arn, shown, [key, value])] as const;
  });
  return {
    changes: requests.flatMap(([name, list]) => (list.length > 0 ? [name] : [])),
    requests: joined(requests.flatMap(([, list]) => list)),
    secrets: [...wanted.values()].flatMap(({ secrets }) => secrets),
    settings: [...wanted.keys()],
    waiting,
  };
}

async function read({ aws }: ServiceContext, id: string, isPlan: boolean): Promise<Shown> {
  const { send, GetUsagePlanCommand, GetApiKeyCommand } = await aws.apiGateway();
  // the answer has no value of the key unless asked for it
  return isPlan
    ? { ...(await send(new GetUsagePlanCommand({ usagePlanId: id }))) }
    : { ...(await send(new GetApiKeyCommand({ apiKey: id }))) };
}

function arnOf({ stackId }: ServiceContext, collection: string, id: string): string {
  const { partition, region } = placeOf(stackId);
  return `arn:${partition}:apigateway:${region}::/${collection}/${id}`;
}

/** The patches that give it a setting. A quota or throttle is patched by member, and goes as a whole. */
function settingPatches(shown: Shown, { property, value }: WantedSetting): PatchOperation[] {
  const { member } = property;
  const current = capitalized(shown[member]);
  const setting = current === undefined ? property.absent : shownSetting(property, current);
  const leaves = hasMore(setting, value);
  if (!leaves && isSameSetting(property, value, setting)) return [];
  const removal: PatchOperation = { op: 'remove', path: `/${member}` };
  if (value === null) return [removal];
  if (typeof value !== 'object') return [{ op: 'replace', path: `/${member}`, value: String(value) }];
  const op: PatchOperation['op'] = current === undefined || leaves ? 'add' : 'replace';
  const set = Object.entries(value).map(([name, part]) => ({
    op,
    path: `/${member}/${name.charAt(0).toLowerCase()}${name.slice(1)}`,
    value: String(part),
  }));
  return leaves ? [removal, ...set] : set;
}

/** Whether a limit is set that is not wanted: an earlier save set it, and no deployment would remove it. */
function hasMore(shown: Setting | undefined, wanted: Setting): boolean {
  if (wanted === null || typeof wanted !== 'object') return false;
  return Object.entries(shown ?? {}).some(([name, part]) => part !== 0 && !Object.hasOwn(wanted, name));
}

/** The value with names as a template writes them; undefined: there is none. */
function capitalized(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  const entries = Object.entries(value).map(([name, part]) => [name.charAt(0).toUpperCase() + name.slice(1), part]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function settingRequests(id: string, isPlan: boolean, patchOperations: PatchOperation[]): SettingRequest[] {
  if (patchOperations.length === 0) return [];
  return isPlan
    ? [{ operation: 'UpdateUsagePlan', input: { usagePlanId: id, patchOperations } }]
    : [{ operation: 'UpdateApiKey', input: { apiKey: id, patchOperations } }];
}

function tagRequests(
  resourceArn: string,
  { tags = {} }: Shown,
  [key, value]: readonly [key: string, value: Setting],
): SettingRequest[] {
  const current = ownValue(tags as Readonly<Record<string, string>>, key) ?? null;
  if (current === value) return [];
  return value === null
    ? [{ operation: 'UntagRestResource', input: { resourceArn, tagKeys: [key] } }]
    : [{ operation: 'TagRestResource', input: { resourceArn, tags: { [key]: String(value) } } }];
}
