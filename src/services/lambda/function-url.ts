import type { UpdateFunctionUrlConfigCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer } from '../../aws/check-answer.ts';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { WantedConfiguration, WantedSetting } from './function-configuration.ts';

/** The update of a function's URL. */
export interface UrlUpdate {
  input: UpdateFunctionUrlConfigCommandInput;
  setting: WantedSetting;
}

/** Compares the wanted settings of the function's URL with those it has; undefined: there is nothing to send. */
export async function planUrl(
  { lambda }: ServiceContext,
  fn: { name: string; alias: string | undefined },
  { settings }: WantedConfiguration,
): Promise<UrlUpdate | undefined> {
  const setting = [...settings.values()].find(({ property }) => property.request === 'UpdateFunctionUrlConfig');
  if (setting === undefined) return undefined;
  const { send, GetFunctionUrlConfigCommand } = await lambda.service();
  const place = { FunctionName: fn.name, Qualifier: fn.alias };
  const shown = shownSetting(setting.property, await send(new GetFunctionUrlConfigCommand(place)));
  if (isSameSetting(setting.property, setting.value, shown)) return undefined;
  return { input: { ...place, ...(setting.value as object) }, setting };
}

/** Sends the update, and checks the answer. */
export async function updateUrl({ lambda }: ServiceContext, { input, setting }: UrlUpdate): Promise<void> {
  const { send, UpdateFunctionUrlConfigCommand } = await lambda.service();
  const answer = await send(new UpdateFunctionUrlConfigCommand(input));
  const isThere = isSameSetting(setting.property, setting.value, shownSetting(setting.property, answer));
  checkAnswer('Lambda', 'UpdateFunctionUrlConfig', ['Cors', isThere ? SENT : 'another value', SENT]);
}

const SENT = 'the value that was sent';
