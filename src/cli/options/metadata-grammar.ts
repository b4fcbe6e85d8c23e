import { UsageError } from '../../errors.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import type { Grammar } from './grammar.ts';
import type { Pair } from './key-value-words.ts';
import { mapEntries, notPairs, scalarText, toRecord } from './pairs.ts';

/** A flat JSON object, or `k=v,k2=v2`. In the second form quotes belong to the value but protect commas. */
export const METADATA: Grammar<Record<string, string>> = {
  metavar: 'MAP',
  parse: (words, place) => toRecord(words.flatMap((word) => parseMetadata(word, place))),
  read: (value, place) => toRecord(readMetadata(value, place)),
  // SAM CLI reads metadata only from a string
  write: (value) => JSON.stringify(value),
};

function parseMetadata(word: string, place: string): Pair[] {
  const text = word.trim();
  if (text === '') return [];
  if (text.startsWith('{') || text.startsWith('[')) {
    try {
      return readMetadata(numbersToText(JSON.parse(text)), place);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`${place}: \`${text}\` is not valid JSON`, { cause: error });
    }
  }
  const items = text.match(/(?:=\s*"[^"]*"|=\s*'[^']*'|[^,])+/g) ?? [];
  return items.map((item) => {
    const split = item.indexOf('=');
    const key = item.slice(0, split).trim();
    if (split <= 0 || !/^[^\s"']+$/.test(key))
      throw new UsageError(`${place}: \`${item.trim()}\` does not have the form key=value`, {
        hint: 'Write key=value,key2=value2 or a JSON object.',
      });
    return { key, value: item.slice(split + 1) };
  });
}

function readMetadata(value: ConfigValue, place: string): Pair[] {
  if (typeof value === 'string') return parseMetadata(value, place);
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' || isConfigMap(item)))
    return value.flatMap((item) => readMetadata(item, place));
  if (!isConfigMap(value)) throw notPairs(value, place);
  return Object.entries(value).map(([key, entry]) => ({ key, value: scalarText(entry, `${place}.${key}`) }));
}

function numbersToText(value: unknown): ConfigValue {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(numbersToText);
  if (typeof value === 'object' && value !== null) return mapEntries(value as Record<string, unknown>, numbersToText);
  return value as ConfigValue;
}
