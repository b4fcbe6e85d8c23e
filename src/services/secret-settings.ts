import type { ShownValue } from '../cloud/recent-sends.ts';
import type { Stack } from '../model/stack.ts';
import type { Setting } from '../template/kinds/direct-settings.ts';
import { namesIn } from '../template/names-in.ts';
import { mapOf } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';
import { canonicalJson, definitionHash } from './definition-text.ts';

/** Whether the value refers to a parameter without a known value, as a `NoEcho` parameter. */
export function isSecret(value: TemplateValue, { source, parameters }: Stack): boolean {
  const declared = mapOf(source['Parameters']);
  return namesIn(value).some((name) => Object.hasOwn(declared, name) && !Object.hasOwn(parameters, name));
}

/** What checks of answers say of a value, which may be secret. */
export const SENT = 'the value that was sent';

/** A setting as the service shows it, for the record of recent sends, which is on disk. */
export function shownValue(resource: string, value: Setting | undefined): ShownValue {
  return { resource, value: settingHash(value) };
}

/** Hashes a setting for that record. */
export function settingHash(value: Setting | undefined): string {
  return definitionHash(canonicalJson(value ?? null));
}
