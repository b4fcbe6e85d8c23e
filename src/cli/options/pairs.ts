import { UsageError } from '../../errors.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import { describe } from './grammar.ts';
import type { Pair } from './key-value-words.ts';

/** Returns the text of a samconfig scalar; null is the empty text. Throws for lists and tables. */
export function scalarText(value: ConfigValue, place: string): string {
  if (value === null) return '';
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  throw new UsageError(`${place} must be a string, not ${describe(value)}`);
}

/** Creates the error for a samconfig value that holds no pairs. */
export function notPairs(value: ConfigValue, place: string): UsageError {
  return new UsageError(`${place} must be a key=value string, a list or a table, not ${describe(value)}`);
}

/** Converts pairs to a record; the last value of a key wins. */
export function toRecord(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

/** Maps the values of a record. */
export function mapEntries<T, R>(map: Readonly<Record<string, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
