import { compareTemplates } from '../../deploy/compare-templates.ts';
import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { isFixed, mayComeOrGo } from '../../template/kinds/direct-settings.ts';
import { namedSetting, partsIn, settingAt } from '../../template/kinds/setting-parts.ts';
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
  const parts = changedParts(before, after, property);
  if (parts !== undefined) {
    const names = parts === 'unknown' ? [property] : parts;
    const isPart = (name: string): boolean => namedSetting(type, properties, name).property !== undefined;
    return { difference, names, isSettable: parts !== 'unknown' && names.every(isPart) };
  }
  const { name, below } = settingAt(type, [property, ...inside]);
  const { property: setting, value: now } = namedSetting(type, properties, name);
  const { change } = difference;
  const comesOrGoes = change !== 'changed';
  const value = change === 'removed' ? namedSetting(type, mapOf(before['Properties']), name).value : now;
  const isSettable =
    setting !== undefined && !isFixed(setting, below) && (!comesOrGoes || mayComeOrGo(setting, below, value));
  return { difference, names: [name], isSettable };
}

/** Names the parts of the property that differ; undefined: it has no parts. */
function changedParts(before: TemplateMap, after: TemplateMap, property: string): string[] | 'unknown' | undefined {
  const [were, are] = [before, after].map((resource) =>
    partsIn(resource['Type'], property, mapOf(resource['Properties'])[property]),
  );
  if (were === undefined || are === undefined) return undefined;
  if (were === 'unknown' || are === 'unknown') return 'unknown';
  return [...new Set([...were.keys(), ...are.keys()])].filter(
    (key) => compareTemplates({ part: were.get(key) ?? null }, { part: are.get(key) ?? null }).length > 0,
  );
}
