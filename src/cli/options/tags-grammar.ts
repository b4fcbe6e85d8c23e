import { UsageError } from '../../errors.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import type { Grammar } from './grammar.ts';
import { parsePairs, protect, unquote } from './key-value-words.ts';
import type { Pair } from './key-value-words.ts';
import { notPairs, scalarText, toRecord } from './pairs.ts';

/** `k=v` words, `Key=k,Value=v` words, or tables. */
export const TAGS: Grammar<Record<string, string>> = {
  metavar: 'KEY=VALUE...',
  parse: (words, place) => toRecord(words.flatMap((word) => parseTags(word, place))),
  read: (value, place) => toRecord(readTags(value, place)),
  write: writeTags,
};

function parseTags(word: string, place: string): Pair[] {
  const text = word.trim();
  if (text === '') return [];
  const long = /^Key=([^,]+),Value=(.*)$/s.exec(text);
  const [key = '', ...rest] = text.split('=');
  const quoted = /^["']/.test(text);
  // with one `=`, everything before it is the key and everything after it the value, spaces included
  const single = !quoted && rest.length > 0 && (rest.length === 1 || !/\s/.test(text));
  const pairs = long
    ? [{ key: unquote(long[1] ?? ''), value: unquote(long[2] ?? '') }]
    : single
      ? [{ key: unquote(key), value: unquote(rest.join('=')) }]
      : parsePairs(text, 'tags', place);
  if (pairs.some((pair) => pair.key === ''))
    throw new UsageError(`${place}: \`${word}\` does not have the form Key=Value`);
  return pairs;
}

function readTags(value: ConfigValue, place: string): Pair[] {
  if (Array.isArray(value)) return value.flatMap((item) => readTags(item, place));
  if (typeof value === 'string') return parseTags(value, place);
  if (!isConfigMap(value)) throw notPairs(value, place);
  const { Key: key, Value: text } = value;
  if (typeof key === 'string' && Object.keys(value).length === 2 && text !== undefined)
    return [{ key, value: scalarText(text, `${place}.Value`) }];
  return Object.entries(value).map(([name, entry]) => ({ key: name, value: scalarText(entry, `${place}.${name}`) }));
}

/** Writes a list of `k=v`, which SAM CLI reads too (it cannot read a table), or a table where `k=v` is ambiguous. */
function writeTags(tags: Record<string, string>): ConfigValue {
  const words = Object.entries(tags).map(([key, value]) => {
    const plain = `${protect(key)}=${protect(value)}`;
    const quoted = `${protect(key)}="${value.replaceAll('"', '\\"')}"`;
    return (value.includes('=') ? [quoted, plain] : [plain]).find((word) => readsAs(word, key, value));
  });
  return words.every((word) => word !== undefined) ? words : { ...tags };
}

function readsAs(word: string, key: string, value: string): boolean {
  try {
    const pairs = parseTags(word, '');
    return pairs.length === 1 && pairs[0]?.key === key && pairs[0].value === value;
  } catch {
    return false;
  }
}
