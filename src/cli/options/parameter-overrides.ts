import { UsageError } from '../../errors.ts';
import { setOwn } from '../../support/own-value.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { ConfigMap, ConfigValue } from '../samconfig/config-value.ts';
import { describe } from './grammar.ts';
import type { Grammar } from './grammar.ts';
import { parsePairs, protect, unquote } from './key-value-words.ts';
import { toRecord } from './pairs.ts';

/** Parameter values, or a file with some. Later items win. */
export type OverrideItem = { values: Record<string, string> } | { file: string };

const FILE_PREFIX = 'file://';

/** `K=V` words, the AWS CLI's `ParameterKey=K,ParameterValue=V`, `file://` references, and tables in files. */
export const PARAMETER_OVERRIDES: Grammar<OverrideItem[]> = {
  metavar: 'KEY=VALUE|file://FILE...',
  parse: (words, place) => words.flatMap((word) => parseWord(word, place)),
  read: (value, place) => readItems(value, place),
  write: writeItems,
};

function parseWord(word: string, place: string): OverrideItem[] {
  const text = word.trim();
  if (text === '') return [];
  if (text.startsWith(FILE_PREFIX)) return [{ file: text.slice(FILE_PREFIX.length) }];
  return [{ values: toRecord(parsePairs(text, 'parameters', place)) }];
}

/** Reads the parameter values in a samconfig or a parameter file. */
export function readItems(value: ConfigValue, place: string): OverrideItem[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => readItems(item, place));
  if (typeof value === 'string') return separateLines(value).flatMap((line) => parseWord(line, place));
  if (isConfigMap(value)) return readTable(value, place);
  throw new UsageError(`${place} must be a Key=Value string, a list or a table, not ${describe(value)}`);
}

/** Splits a text whose every line starts a pair. SAM CLI takes a text of several lines for one value. */
function separateLines(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.every((line) => /^\s*["']?[A-Za-z0-9_.:-]+["']?=/.test(line)) ? lines : [text];
}

function readTable(table: ConfigMap, place: string): OverrideItem[] {
  const { ParameterKey: key, ParameterValue: value, Parameters: parameters } = table;
  const names = Object.keys(table);
  // the AWS CLI's two formats of parameter files
  if (typeof key === 'string' && names.every((name) => /^(Parameter(Key|Value)|UsePreviousValue)$/.test(name)))
    return value === undefined ? [] : [{ values: { [key]: readValue(value, `${place}.${key}`) } }];
  if (names.length === 1 && isConfigMap(parameters)) return readTable(parameters, place);
  return Object.entries(table).flatMap(([name, entry]): OverrideItem[] =>
    name === '$include'
      ? readIncludes(entry, place)
      : [{ values: { [unquote(name)]: readValue(entry, `${place}.${name}`) } }],
  );
}

function readIncludes(value: ConfigValue, place: string): OverrideItem[] {
  return [value].flat().map((entry) => {
    if (typeof entry !== 'string' || !entry.startsWith(FILE_PREFIX))
      throw new UsageError(`${place}.$include must be file://… or a list of them, not ${describe(entry)}`);
    return { file: entry.slice(FILE_PREFIX.length) };
  });
}

/** Joins lists with commas, as CloudFormation expects, and writes booleans as SAM CLI does: `True`. */
function readValue(value: ConfigValue, place: string): string {
  if (!Array.isArray(value)) return unquote(readScalar(value, place));
  const items = value.map((item) => readScalar(item, place).trim());
  return unquote(items.filter((item) => item !== '').join(','));
}

function readScalar(value: ConfigValue, place: string): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return value;
  throw new UsageError(`${place} must be a string, a number, a boolean or a list of them, not ${describe(value)}`, {
    hint: 'Write a parameter that contains JSON as a string.',
  });
}

function writeItems(items: readonly OverrideItem[]): ConfigValue {
  const groups: ConfigValue[] = [];
  let table: ConfigMap | undefined;
  for (const item of items) {
    if ('file' in item) {
      groups.push(`${FILE_PREFIX}${item.file}`);
      table = undefined;
    } else {
      if (!table) groups.push((table = {}));
      for (const [key, value] of Object.entries(item.values)) setOwn(table, protect(key), protect(value));
    }
  }
  return groups.length === 1 ? (groups[0] ?? null) : groups;
}
