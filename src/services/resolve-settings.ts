import type { Stack } from '../model/stack.ts';
import { toSetting } from '../template/kinds/direct-settings.ts';
import type { DirectProperty, Setting } from '../template/kinds/direct-settings.ts';
import { namedSetting } from '../template/kinds/setting-parts.ts';
import type { TemplateMap } from '../template/template.ts';
import { secretTexts } from './secret-settings.ts';
import type { ServiceContext } from './service-context.ts';

/** A setting and its value in the request. */
export interface WantedSetting {
  property: DirectProperty;
  value: Setting;
  /** Texts in it that depend on parameters whose values nobody shows. */
  secrets: readonly string[];
}

/** Settings as the template has them, with every value known. */
export interface ResolvedSettings {
  /** By property of the template. */
  settings: ReadonlyMap<string, WantedSetting>;
  /** Properties that only a deployment can set, and why, in a sentence each. */
  waiting: readonly string[];
}

/** A resource and the names of its properties that a service sets. */
export interface SettableResource {
  type: string;
  properties: TemplateMap;
  stack: Stack;
  names: readonly string[];
}

/** Resolves settings as a deployment would. Those that cannot be resolved wait for it. */
export async function resolveSettings(
  { values }: Pick<ServiceContext, 'values'>,
  { type, properties, stack, names }: SettableResource,
): Promise<ResolvedSettings> {
  const settings = new Map<string, WantedSetting>();
  const waiting: string[] = [];
  for (const name of names) {
    const { property, value: written } = namedSetting(type, properties, name);
    if (property === undefined) continue;
    const { value, missing } = await values.resolve(written ?? null, stack);
    const setting = missing.length > 0 ? undefined : toSetting(property, value);
    if (setting !== undefined)
      settings.set(name, { property, value: setting, secrets: secretTexts(written ?? null, value, stack) });
    else if (missing.length > 0) waiting.push(`${name}: only CloudFormation knows ${missing.join(', ')}`);
    else waiting.push(`${name}: only the deployment can check and set a value of this form`);
  }
  return { settings, waiting };
}
