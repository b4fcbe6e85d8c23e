import { isAwsError } from '../../aws/service-errors.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import type { SentChange } from '../../cloud/recent-sends.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';
import { ownValue } from '../../support/own-value.ts';
import { fillPattern } from '../../template/kinds/attribute-patterns.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { tagOf } from '../../template/kinds/setting-parts.ts';
import { resolveSettings } from '../resolve-settings.ts';
import { settingHash, shownValue } from '../secret-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingsPlan, SettingsWork } from '../settings-plan.ts';
import { stackTags } from '../stack-tags.ts';
import type { TagRequest } from './tag-request.ts';

/** A tag to set, or without a value to remove. */
interface TagChange {
  name: string;
  key: string;
  value: string | undefined;
  change: SentChange;
}

/** Compares the tags that a template sets or no longer sets with those of the resource. All others stay. */
export async function planTags(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlan> {
  const { resource, stack, settings: names } = work;
  const { type, properties } = resource;
  const { settings, waiting } = await resolveSettings(tools, { type, properties, stack, names });
  if (settings.size === 0) return { changes: [], requests: [], settings: [], waiting };
  const arn = arnOf(tools, work);
  const current = await readTags(tools, arn);
  if (current === undefined)
    return {
      changes: [],
      requests: [],
      settings: [],
      waiting: [...waiting, `Tags: the Tagging API does not know ${arn}`],
    };
  const isAnyGone = [...settings.values()].some(({ value }) => typeof value !== 'string');
  const byDefault = isAnyGone ? await stackTags(tools, stack.path) : {};
  const changes = [...settings].flatMap(([name, { value: wanted }]): TagChange[] => {
    const key = tagOf(name) ?? '';
    const value = typeof wanted === 'string' ? wanted : ownValue(byDefault, key);
    const now = ownValue(current, key);
    const change = { shown: shownValue(`${arn} ${name}`, now), value: settingHash(value) };
    return now !== value || mayBeStale(tools.facts, change.shown) ? [{ name, key, value, change }] : [];
  });
  return {
    changes: changes.map(({ name }) => name),
    requests: requestsOf(arn, changes),
    settings: [...settings.keys()],
    waiting,
    secrets: [...settings.values()].flatMap(({ secrets }) => secrets),
  };
}

function requestsOf(arn: string, changes: readonly TagChange[]): TagRequest[] {
  const ResourceARNList: [string] = [arn];
  const set = changes.flatMap((one) => (one.value === undefined ? [] : [{ ...one, value: one.value }]));
  const gone = changes.filter(({ value }) => value === undefined);
  const Tags = Object.fromEntries(set.map(({ key, value }) => [key, value]));
  const TagKeys = gone.map(({ key }) => key);
  const sent = (list: readonly TagChange[]): SentChange[] => list.map(({ change }) => change);
  return [
    ...(set.length === 0
      ? []
      : [{ operation: 'TagResources' as const, input: { ResourceARNList, Tags }, changes: sent(set) }]),
    ...(gone.length === 0
      ? []
      : [{ operation: 'UntagResources' as const, input: { ResourceARNList, TagKeys }, changes: sent(gone) }]),
  ];
}

/** The ARN, from the physical ID. Names of parameters may begin with a slash, rules on a bus of their own have `|` in theirs. */
function arnOf({ stackId }: ServiceContext, { resource, deployed }: SettingsWork): string {
  const { taggedArn = '' } = kindOf(resource.type) ?? {};
  const values = { ...placeOf(stackId), physicalId: deployed.physicalId, property: () => undefined };
  return (fillPattern(taggedArn, values) ?? '').replace('//', '/').replace('|', '/');
}

async function readTags({ aws }: ServiceContext, arn: string): Promise<Record<string, string> | undefined> {
  const { send, GetResourcesCommand } = await aws.tagging();
  try {
    const { ResourceTagMappingList: [found] = [] } = await send(new GetResourcesCommand({ ResourceARNList: [arn] }));
    return Object.fromEntries((found?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  } catch (error) {
    if (isAwsError(error) && error.kind === 'other') return undefined;
    throw error;
  }
}
