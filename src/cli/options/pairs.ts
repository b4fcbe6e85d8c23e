import { UsageError } from '../../errors.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import { describe } from './grammar.ts';
import type { Pair } from './key-value-words.ts';

/** The text of a samconfig scalar; nothing is the empty text; lists and tables are errors. */
export function scalarText(value: ConfigValue, place: string): string {
  if (value === null) return '';
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  throw new UsageError(`${place} must be text, not ${describe(value)}`);
}

/** The error for a samconfig value that holds no pairs at all. */
export function notPairs(value: ConfigValue, place: string): UsageError {
  return new UsageError(`${place} must be key=value text, a list or a table, not ${describe(value)}`);
}

/** A record of the pairs; the last value of a key counts. */
export function toRecord(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

/** The same keys with changed values. */
export function mapEntries<T, R>(map: Readonly<Record<string, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
