import { compareTemplates } from '../../deploy/compare-templates.ts';
import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { isFixed, mayComeOrGo } from '../../template/kinds/direct-settings.ts';
import { holdsTags, namedSetting, settingAt, tagsIn, tagSetting } from '../../template/kinds/setting-parts.ts';
import { mapOf } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';

/** A difference of a resource, and the settings in it. */
export interface SettingDifference {
  difference: TemplateDifference;
  /** Names of settings; a property that is no setting is named like one. */
  names: readonly string[];
  /** A service can set what differs. */
  isSettable: boolean;
}

/** Names the settings in a difference of a resource's properties, and finds whether a service can set them. Pure. */
export function readSettingDifference(
  before: TemplateMap,
  after: TemplateMap,
  difference: TemplateDifference,
): SettingDifference {
  const { Type: type } = after;
  const properties = mapOf(after['Properties']);
  const [, , , property = '', ...inside] = difference.path;
  if (holdsTags(type, property)) {
    const names = changedTags(before, after);
    const isSettable = names?.every((name) => namedSetting(type, properties, name).property !== undefined);
    return { difference, names: names ?? [property], isSettable: isSettable === true };
  }
  const { name, below } = settingAt(type, [property, ...inside]);
  const { property: setting } = namedSetting(type, properties, name);
  const comesOrGoes = difference.change !== 'changed';
  const isSettable = setting !== undefined && !isFixed(setting, below) && (!comesOrGoes || mayComeOrGo(setting, below));
  return { difference, names: [name], isSettable };
}

/** Names the tags that differ; undefined: only CloudFormation knows them. */
function changedTags(before: TemplateMap, after: TemplateMap): string[] | undefined {
  const [were, are] = [before, after].map((resource) =>
    tagsIn(resource['Type'], mapOf(resource['Properties'])['Tags']),
  );
  if (were === undefined || are === undefined) return undefined;
  return [...new Set([...were.keys(), ...are.keys()])]
    .filter((key) => compareTemplates({ tag: were.get(key) ?? null }, { tag: are.get(key) ?? null }).length > 0)
    .map(tagSetting);
}
