import { hasTagsOfFunctions } from '../../model/api-events.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';
import { ownValue } from '../../support/own-value.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { tagOf } from '../../template/kinds/setting-parts.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingsWork } from '../settings-plan.ts';
import { stackTags } from '../stack-tags.ts';
import type { SettingRequest } from './setting-requests.ts';
import type { SettingsPlace } from './settings-place.ts';

type Tags = Readonly<Record<string, string>>;

const NO_TAGS: Tags = {};

/** The requests that set and remove tags by setting; `why`: only a deployment can. */
export type TagPlan = { requests: ReadonlyMap<string, readonly SettingRequest[]> } | { why: string };

/** Compares tags with those of the API and its stage. All others stay. */
export async function planApiTags(
  tools: ServiceContext,
  { place, work }: { place: SettingsPlace; work: SettingsWork },
  settings: ReadonlyMap<string, WantedSetting>,
): Promise<TagPlan> {
  const { resource, stack } = work;
  if (hasTagsOfFunctions(stack, resource.logicalId)) return { why: 'only SAM knows which tags functions pass on' };
  const { tagged = [] } = kindOf(resource.type) ?? {};
  const arns = tagged.map((part) => ({ part, arn: arnOf(tools, place, part) }));
  const isAnyGone = [...settings.values()].some(({ value }) => typeof value !== 'string');
  const [byDefault, current] = await Promise.all([
    isAnyGone ? stackTags(tools, stack.path) : NO_TAGS,
    Promise.all(arns.map(({ part }) => readTags(tools, place, part))),
  ]);
  const requests = [...settings].map(([name, { value: wanted }]) => {
    const key = tagOf(name) ?? '';
    const value = typeof wanted === 'string' ? wanted : ownValue(byDefault, key);
    const others = arns.filter((_, index) => ownValue(current[index] ?? {}, key) !== value);
    return [name, others.map(({ arn }) => requestOf(place, arn, [key, value]))] as const;
  });
  return { requests: new Map(requests) };
}

function requestOf(
  { kind }: SettingsPlace,
  arn: string,
  [key, value]: readonly [key: string, value: string | undefined],
): SettingRequest {
  if (kind === 'http')
    return value === undefined
      ? { operation: 'UntagResource', input: { ResourceArn: arn, TagKeys: [key] } }
      : { operation: 'TagResource', input: { ResourceArn: arn, Tags: { [key]: value } } };
  return value === undefined
    ? { operation: 'UntagRestResource', input: { resourceArn: arn, tagKeys: [key] } }
    : { operation: 'TagRestResource', input: { resourceArn: arn, tags: { [key]: value } } };
}

function arnOf({ stackId }: ServiceContext, { kind, apiId, stage }: SettingsPlace, part: 'api' | 'stage'): string {
  const { partition, region } = placeOf(stackId);
  const api = `arn:${partition}:apigateway:${region}::/${kind === 'http' ? 'apis' : 'restapis'}/${apiId}`;
  return part === 'api' ? api : `${api}/stages/${stage}`;
}

async function readTags(
  { aws }: ServiceContext,
  { kind, apiId, stage = '' }: SettingsPlace,
  part: 'api' | 'stage',
): Promise<Tags> {
  if (kind === 'http') {
    const { send, GetApiCommand, GetStageCommand } = await aws.apiGatewayV2();
    const { Tags = {} } =
      part === 'api'
        ? await send(new GetApiCommand({ ApiId: apiId }))
        : await send(new GetStageCommand({ ApiId: apiId, StageName: stage }));
    return Tags;
  }
  const { send, GetRestApiCommand, GetStageCommand } = await aws.apiGateway();
  const { tags = {} } =
    part === 'api'
      ? await send(new GetRestApiCommand({ restApiId: apiId }))
      : await send(new GetStageCommand({ restApiId: apiId, stageName: stage }));
  return tags;
}
