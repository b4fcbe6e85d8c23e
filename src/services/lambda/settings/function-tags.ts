import { requireAnswer } from '../../../aws/check-answer.ts';
import { mayBeStale, sendAndRecord } from '../../../cloud/recent-sends.ts';
import type { SentChange } from '../../../cloud/recent-sends.ts';
import { ownValue } from '../../../support/own-value.ts';
import { tagOf } from '../../../template/kinds/setting-parts.ts';
import type { ServiceContext } from '../../service-context.ts';
import { stackTags } from '../../stack-tags.ts';
import type { WantedSetting } from '../../resolve-settings.ts';
import type { FunctionPlace, Neighbour, NeighbourUpdate, WantedSettings } from './neighbour.ts';
import { settingHash, shownValue } from '../../secret-settings.ts';

/** A tag, the value that it should have (undefined: it should go), and what Lambda shows. */
interface TagChange {
  name: string;
  key: string;
  value: string | undefined;
  setting: WantedSetting;
  change: SentChange;
}

/**
 * Sets the tags that a template sets, and removes those that it no longer sets. All others stay: those that CloudFormation,
 * SAM or people add.
 */
export const TAGS: Neighbour = {
  plan: async (tools, place, settings) => {
    const { FunctionArn } = place.fn.state.configuration;
    const Resource = requireAnswer('Lambda', 'GetFunction', 'FunctionArn', FunctionArn);
    const changes = await changedTags(tools, { ...place, Resource }, settings);
    const [set, gone] = [changes.filter(isSet), changes.filter((change) => !isSet(change))];
    const Tags = Object.fromEntries(set.map(({ key, value }) => [key, value]));
    const TagKeys = gone.map(({ key }) => key);
    return [
      ...(set.length === 0 ? [] : [updateOf('TagResource', { Resource, Tags }, set)]),
      ...(gone.length === 0 ? [] : [updateOf('UntagResource', { Resource, TagKeys }, gone)]),
    ];
  },
  send: async ({ lambda, facts }, { input, changes }) => {
    const { send, TagResourceCommand, UntagResourceCommand } = await lambda.service();
    const { Resource, Tags, TagKeys } = input as {
      Resource: string;
      Tags?: Record<string, string>;
      TagKeys?: string[];
    };
    await sendAndRecord(facts, changes, async () => {
      if (TagKeys === undefined) await send(new TagResourceCommand({ Resource, Tags }));
      else await send(new UntagResourceCommand({ Resource, TagKeys }));
    });
  },
};

function isSet({ value }: TagChange): boolean {
  return value !== undefined;
}

function updateOf(operation: string, input: NeighbourUpdate['input'], tags: readonly TagChange[]): NeighbourUpdate {
  const settings = new Map(tags.map(({ name, setting }) => [name, setting]));
  return { request: 'TagResource', operation, input, settings, changes: tags.map(({ change }) => change) };
}

async function changedTags(
  tools: ServiceContext,
  { fn, Resource }: FunctionPlace & { Resource: string },
  settings: WantedSettings,
): Promise<TagChange[]> {
  const { send, ListTagsCommand } = await tools.lambda.service();
  const { Tags = {} } = await send(new ListTagsCommand({ Resource }));
  const isAnyGone = [...settings.values()].some(({ value }) => typeof value !== 'string');
  const byDefault = isAnyGone ? await stackTags(tools, fn.stack.path) : {};
  return [...settings].flatMap(([name, setting]) => {
    const key = tagOf(name) ?? '';
    const value = typeof setting.value === 'string' ? setting.value : ownValue(byDefault, key);
    const now = ownValue(Tags, key);
    const change = { shown: shownValue(`${fn.state.name} ${name}`, now), value: settingHash(value) };
    // SAM's own tag, whatever a template said of it
    const isOurs = key !== 'lambda:createdBy' || value !== undefined;
    return isOurs && (now !== value || mayBeStale(tools.facts, change.shown))
      ? [{ name, key, value, setting, change }]
      : [];
  });
}
