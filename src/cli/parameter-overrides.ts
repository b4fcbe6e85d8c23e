import * as path from 'node:path';
import { UsageError, UserError } from '../errors.ts';
import { exists, isMissing } from '../support/files.ts';
import { MAX_INPUT_BYTES, readTextFile } from '../support/regular-file.ts';
import { CONFIG_EXTENSIONS, hasConfigExtension, isConfigMap, parseConfigText } from './config-value.ts';
import type { ConfigMap, ConfigValue } from './config-value.ts';
import { describe } from './grammar.ts';
import type { Grammar } from './grammar.ts';
import { parsePairs, protect, unquote } from './key-value-words.ts';
import { toRecord } from './pairs.ts';

/** Some overrides, or a file that holds some. Later items win. */
export type OverrideItem = { values: Record<string, string> } | { file: string };

const FILE_PREFIX = 'file://';
/** Files that include others twice at each level would never end. */
const MAX_FILES = 1000;

/** `K=V` words, the AWS CLI's `ParameterKey=K,ParameterValue=V`, `file://` references, and tables in files. */
export const PARAMETER_OVERRIDES: Grammar<OverrideItem[]> = {
  metavar: 'KEY=VALUE|file://FILE...',
  parse: (words, place) => words.flatMap((word) => parseWord(word, place)),
  read: (value, place) => readItems(value, place),
  write: writeItems,
};

/**
 * The overrides that the items stand for. Relative files are below one of the folders, the first that has them; those
 * named in a file lie beside it. Files that are read are added to `files`.
 */
export async function loadOverrides(
  items: readonly OverrideItem[],
  folders: readonly string[],
  { place, files = [] }: { place: string; files?: string[] },
): Promise<Record<string, string>> {
  return Object.fromEntries(await loadItems(items, folders, { place, files, open: [] }));
}

function parseWord(word: string, place: string): OverrideItem[] {
  const text = word.trim();
  if (text === '') return [];
  if (text.startsWith(FILE_PREFIX)) return [{ file: text.slice(FILE_PREFIX.length) }];
  return [{ values: toRecord(parsePairs(text, 'parameters', place)) }];
}

function readItems(value: ConfigValue, place: string): OverrideItem[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => readItems(item, place));
  if (typeof value === 'string') return separateLines(value).flatMap((line) => parseWord(line, place));
  if (isConfigMap(value)) return readTable(value, place);
  throw new UsageError(`${place} must be Key=Value text, a list or a table, not ${describe(value)}`);
}

/** A text of several lines is one value for the peer; if each line begins a pair of its own, lines are meant. */
function separateLines(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.every((line) => /^\s*["']?[A-Za-z0-9_.:-]+["']?=/.test(line)) ? lines : [text];
}

function readTable(table: ConfigMap, place: string): OverrideItem[] {
  const { ParameterKey: key, ParameterValue: value, Parameters: parameters } = table;
  const names = Object.keys(table);
  // the two formats of parameter files that the AWS CLI reads
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

/** Lists are joined with commas, as CloudFormation wants them; switches are written as the peer does, `True`. */
function readValue(value: ConfigValue, place: string): string {
  if (!Array.isArray(value)) return unquote(readScalar(value, place));
  const items = value.map((item) => readScalar(item, place).trim());
  return unquote(items.filter((item) => item !== '').join(','));
}

function readScalar(value: ConfigValue, place: string): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return value;
  throw new UsageError(`${place} must be text, a number, a switch or a list of them, not ${describe(value)}`, {
    hint: 'A parameter that holds JSON is written as text.',
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
      for (const [key, value] of Object.entries(item.values)) table[protect(key)] = protect(value);
    }
  }
  return groups.length === 1 ? (groups[0] ?? null) : groups;
}

interface Loading {
  place: string;
  /** Everything that was read or looked for. */
  files: string[];
  /** The files that include each other down to this one, to notice loops. */
  open: readonly string[];
}

async function loadItems(
  items: readonly OverrideItem[],
  folders: readonly string[],
  loading: Loading,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const item of items) {
    const found =
      'file' in item ? await loadFile(await locate(item.file, folders), loading) : Object.entries(item.values);
    for (const [key, value] of found) values.set(key, value);
  }
  return values;
}

async function locate(file: string, folders: readonly string[]): Promise<string> {
  const candidates = folders.map((folder) => path.resolve(folder, file));
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  return candidates[0] ?? path.resolve(file);
}

async function loadFile(file: string, { place, open, files }: Loading): Promise<Map<string, string>> {
  files.push(file);
  if (files.length > MAX_FILES)
    throw new UsageError(`${place}: more than ${MAX_FILES} parameter files are included, the last one is ${file}`);
  if (open.includes(file))
    throw new UsageError(`${place}: parameter files include each other: ${[...open, file].join(' → ')}`);
  if (!hasConfigExtension(file))
    throw new UsageError(`${place}: ${file} is not a parameter file that can be read`, {
      hint: `It has to end in ${CONFIG_EXTENSIONS.join(', ')}.`,
    });
  const by = open.at(-1);
  const items = readItems(await parseConfigText(await readFile(file, place, by), file), file);
  return loadItems(items, [path.dirname(file)], { place, files, open: [...open, file] });
}

async function readFile(file: string, place: string, includedBy: string | undefined): Promise<string> {
  try {
    return readTextFile(file, MAX_INPUT_BYTES);
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(`${place}: ${error.message}`, { cause: error });
    const reason = isMissing(error) ? 'does not exist' : 'cannot be read';
    const from = includedBy === undefined ? '' : `, included by ${includedBy},`;
    throw new UsageError(`${place}: ${file}${from} ${reason}`, { cause: error });
  }
}
