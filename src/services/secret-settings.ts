import type { ShownValue } from '../cloud/recent-sends.ts';
import type { Stack } from '../model/stack.ts';
import type { Setting } from '../template/kinds/direct-settings.ts';
import { ownValue } from '../support/own-value.ts';
import { namesIn } from '../template/names-in.ts';
import { isIntrinsic, isMap, mapOf, scalarText } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';
import { canonicalJson, definitionHash } from './definition-text.ts';

/** Lists the texts in a resolved value that depend on a parameter without a known value, as a `NoEcho` parameter. Pure. */
export function secretTexts(written: TemplateValue, value: TemplateValue, stack: Stack): string[] {
  if (isMap(written) && isMap(value) && !isIntrinsic(written))
    return Object.entries(written).flatMap(([name, part]) => secretTexts(part, ownValue(value, name) ?? null, stack));
  // values that are not set are left out of a resolved list
  if (Array.isArray(written) && Array.isArray(value) && written.length === value.length)
    return written.flatMap((part, index) => secretTexts(part, value[index] ?? null, stack));
  return isSecret(written, stack) ? textsIn(value) : [];
}

function isSecret(value: TemplateValue, { source, parameters }: Stack): boolean {
  const declared = mapOf(source['Parameters']);
  return namesIn(value).some((name) => Object.hasOwn(declared, name) && !Object.hasOwn(parameters, name));
}

function textsIn(value: TemplateValue): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (isMap(value)) return Object.values(value).flatMap(textsIn);
  return [scalarText(value) ?? ''].filter((text) => text !== '');
}

/** What a dry run shows of a secret. */
const HIDDEN = '****';

/** The parameters of a request as a dry run shows them, without these texts. Pure. */
export function withoutSecrets<T>(parameters: T, secrets: readonly string[]): T {
  const hide = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hide);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, hide(part)]));
    return value !== null && value !== undefined && secrets.includes(String(value)) ? HIDDEN : value;
  };
  return secrets.length === 0 ? parameters : (hide(parameters) as T);
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
