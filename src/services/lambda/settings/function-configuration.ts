import type { FunctionConfiguration, UpdateFunctionConfigurationCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer } from '../../../aws/check-answer.ts';
import { mayBeStale } from '../../../cloud/recent-sends.ts';
import type { SentChange, ShownValue } from '../../../cloud/recent-sends.ts';
import { isSameSetting, shownSetting } from '../../../template/kinds/direct-settings.ts';
import type { DirectProperty, Setting } from '../../../template/kinds/direct-settings.ts';
import { SENT, settingHash, shownValue } from '../../secret-settings.ts';
import type { ResolvedSettings, WantedSetting } from '../../resolve-settings.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { FunctionState } from '../function-state.ts';

/** UpdateFunctionConfiguration: settings of the template, layers of this sync, or both. */
export type ConfigurationUpdate = UpdateFunctionConfigurationCommandInput & { FunctionName: string };

/** The settings that the function does not have; undefined: it has all. `Layers` are compared with its other layers. */
export function missingSettings(
  { facts }: Pick<ServiceContext, 'facts'>,
  state: FunctionState,
  { settings }: ResolvedSettings,
): ReadonlyMap<string, WantedSetting> {
  return new Map(
    [...settings].filter(
      ([name, { property, value }]) =>
        name !== 'Layers' &&
        property.request === undefined &&
        (!hasSetting(state, property, value) || mayBeStale(facts, shownIn(state, property)) || hasFailed(state)),
    ),
  );
}

/** After a failed update the function runs with what it had before. */
function hasFailed({ lastUpdateStatus }: FunctionState): boolean {
  return lastUpdateStatus === 'Failed';
}

/** Whether the function has the setting. */
export function hasSetting(state: FunctionState, property: DirectProperty, value: Setting): boolean {
  return isSameSetting(property, value, settingOf(state.configuration, property));
}

/** The setting as Lambda shows it, for the record of recent sends. */
function shownIn({ name, configuration }: FunctionState, property: DirectProperty): ShownValue {
  return shownValue(`${name} ${property.member}`, settingOf(configuration, property));
}

/** The setting in an answer of Lambda. */
function settingOf(configuration: FunctionConfiguration, property: DirectProperty): Setting | undefined {
  const { member } = property;
  if (member === 'ImageConfig') return shownSetting(property, configuration.ImageConfigResponse?.ImageConfig);
  return shownSetting(property, configuration[member as keyof FunctionConfiguration]);
}

/** The parameters of the request for these settings. */
export function settingParameters(settings: Iterable<WantedSetting>): Partial<ConfigurationUpdate> {
  return Object.fromEntries([...settings].map(({ property, value }) => [property.member, value]));
}

/** The changes of settings that a request makes, for the record of recent sends. */
export function changedSettings(state: FunctionState, settings: Iterable<WantedSetting>): SentChange[] {
  return [...settings].map(({ property, value }) => ({
    shown: shownIn(state, property),
    value: settingHash(value),
  }));
}

/** Checks that the answer to an update has the settings. Values may be secret: the error names none. */
export function checkSettings(answer: FunctionConfiguration, settings: Iterable<WantedSetting>): void {
  for (const { property, value } of settings) {
    const isThere = isSameSetting(property, value, settingOf(answer, property));
    const text = isThere ? SENT : 'another value';
    checkAnswer('Lambda', 'UpdateFunctionConfiguration', [property.member, text, SENT]);
  }
}
