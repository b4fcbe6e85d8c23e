import { isMap, scalarText, SourceNumber } from '../template.ts';
import type { TemplateValue } from '../template.ts';

/** A JSON document, as a request has it. */
type Json = null | string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

/** Converts a resolved JSON document of a template; undefined: it has a value that JSON has not. Pure. */
export function toJsonSetting(value: TemplateValue): Json | undefined {
  if (Array.isArray(value)) {
    const items = value.map(toJsonSetting);
    return items.includes(undefined) ? undefined : (items as Json[]);
  }
  if (isMap(value)) {
    const entries = Object.entries(value).map(([name, item]) => [name, toJsonSetting(item)] as const);
    return entries.some(([, item]) => item === undefined)
      ? undefined
      : (Object.fromEntries(entries) as Record<string, Json>);
  }
  if (value instanceof SourceNumber) return value.value;
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : scalarText(value);
}

/** Returns whether two documents, as values or texts, mean the same. Pure. */
export function isSameJson(wanted: Json | undefined, shown: Json | undefined): boolean {
  if (wanted === undefined || shown === undefined) return wanted === shown;
  return sorted(wanted) === sorted(shown);
}

function sorted(document: Json): string {
  return JSON.stringify(parsed(document), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

function parsed(document: Json): unknown {
  if (typeof document !== 'string') return document;
  try {
    return JSON.parse(document);
  } catch {
    return document;
  }
}
