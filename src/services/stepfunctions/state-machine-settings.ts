import type { DescribeStateMachineCommandOutput, UpdateStateMachineCommandInput } from '@aws-sdk/client-sfn';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import type { WantedSetting } from '../resolve-settings.ts';

/** What Step Functions shows of the settings of a state machine or of its version. */
export type ShownSettings = Pick<DescribeStateMachineCommandOutput, SettingMember>;
type SettingMember = 'encryptionConfiguration' | 'loggingConfiguration' | 'roleArn' | 'tracingConfiguration';

/** Settings in a request. */
export type SettingsInput = Pick<UpdateStateMachineCommandInput, SettingMember>;

/** Whether the state machine has the setting. Pure. */
export function hasSetting(shown: ShownSettings, { property, value }: WantedSetting): boolean {
  const current = withNames(shown[property.member as SettingMember], upperFirst);
  return isSameSetting(property, value, shownSetting(property, current));
}

/** The members of the request for these settings, as the API spells them. Pure. */
export function settingsInput(settings: Iterable<WantedSetting>): SettingsInput {
  return Object.fromEntries(
    [...settings].map(({ property, value }) => [property.member, withNames(withoutEmptyLists(value), lowerFirst)]),
  );
}

/** A state machine that logs nothing has no destinations. */
function withoutEmptyLists(value: Setting): Setting {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => !(Array.isArray(item) && item.length === 0)));
}

function withNames(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => withNames(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [rename(name), withNames(item, rename)]));
}

function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
