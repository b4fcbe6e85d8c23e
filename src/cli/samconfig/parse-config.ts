import * as path from 'node:path';
import type { TomlValue } from 'smol-toml';
import { UsageError, errorMessage } from '../../errors.ts';
import { tooDeepAt } from '../../template/json.ts';
import type { DuplicateKeys, Schema } from '../../template/yaml/construct.ts';
import { LimitError, MAX_DEPTH, TOO_DEEP } from '../../template/yaml/limits.ts';
import { TextLines } from '../../template/yaml/text-lines.ts';
import type { ConfigValue } from './config-value.ts';

/**
 * Parses the text of a `.toml`, `.yaml`, `.yml` or `.json` file; null if empty. Throws a `UsageError` with file, line and
 * column for a syntax error.
 */
export async function parseConfigText(text: string, file: string): Promise<ConfigValue> {
  const withoutMark = text.replace(/^\uFEFF/, '');
  switch (path.extname(file).toLowerCase()) {
    case '.toml':
      return parseToml(withoutMark, file);
    case '.json':
      return parseJson(withoutMark, file);
    default:
      return parseYaml(withoutMark, file);
  }
}

async function parseToml(text: string, file: string): Promise<ConfigValue> {
  const { parse, TomlDate, TomlError } = await import('smol-toml');
  const normalise = (value: TomlValue, depth = 0): ConfigValue => {
    if (depth > MAX_DEPTH) throw new UsageError(`${file}: ${TOO_DEEP}`);
    if (typeof value === 'number') return floatText(value);
    if (typeof value === 'bigint') return String(value);
    if (value instanceof TomlDate) return value.toISOString().replace(/\.000(?=Z|[+-]|$)/, '');
    const below = (item: TomlValue): ConfigValue => normalise(item, depth + 1);
    if (Array.isArray(value)) return value.map(below);
    if (typeof value === 'object') return mapValues(value, below);
    return value;
  };
  try {
    return normalise(parse(text, { integersAsBigInt: true }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    throw syntaxError({ file, line: error.line, column: error.column, format: 'TOML', reason, cause: error });
  }
}

/** Formats a float as Python does and SAM CLI sends it to CloudFormation: `1.0` keeps its fraction. */
function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

async function parseYaml(text: string, file: string): Promise<ConfigValue> {
  const { composeDocument } = await import('../../template/yaml/compose.ts');
  const { construct } = await import('../../template/yaml/construct.ts');
  const { YamlError } = await import('../../template/yaml/cursor.ts');
  try {
    const root = composeDocument(text);
    const duplicates: DuplicateKeys = new Map();
    const value = root === undefined ? null : construct(root, CONFIG_SCHEMA, duplicates);
    for (const [offset, key] of duplicates) throw new YamlError(`duplicate key ${key}`, offset);
    return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const place = new TextLines(text).positionOf(error.offset);
    if (error instanceof LimitError) throw new UsageError(`${placeText({ file, ...place })}: ${error.message}`);
    throw syntaxError({ file, ...place, format: 'YAML', reason: error.message, cause: error });
  }
}

/** YAML 1.2 without numbers: `yes` is text, as in SAM CLI, and numbers are the text as written. */
const CONFIG_SCHEMA: Schema<null | boolean | string> = {
  plain: readConfigScalar,
  text: (text) => text,
  core: (type, text) => {
    if (type === 'null') return null;
    if (type !== 'bool') return type === 'str' || type === 'int' || type === 'float' ? text : undefined;
    const value = readConfigScalar(text);
    return typeof value === 'boolean' ? value : undefined;
  },
  tagged: () => undefined,
};

function readConfigScalar(text: string): null | boolean | string {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  return /^(?:false|False|FALSE)$/.test(text) ? false : text;
}

/** A reviver for `JSON.parse` that keeps numbers as written, on Node ≥ 21, which passes `context`. */
function keepNumberText(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value;
}

function parseJson(text: string, file: string): ConfigValue {
  if (text.trim() === '') return null;
  const placeOf = (offset: number): FilePlace => ({ file, ...new TextLines(text).positionOf(offset) });
  const tooDeep = tooDeepAt(text);
  if (tooDeep !== undefined) throw new UsageError(`${placeText(placeOf(tooDeep))}: ${TOO_DEEP}`);
  try {
    return JSON.parse(text, keepNumberText) as ConfigValue;
  } catch (error) {
    const reason = errorMessage(error);
    const position = /at position (\d+)/.exec(reason)?.[1];
    const plain = reason.replace(/ in JSON at position \d+.*$/s, '');
    const place = placeOf(position === undefined ? text.length : Number(position));
    throw syntaxError({ ...place, format: 'JSON', reason: plain, cause: error });
  }
}

interface FilePlace {
  file: string;
  line: number;
  column: number;
}

function placeText({ file, line, column }: FilePlace): string {
  return `${file}:${line}:${column}`;
}

interface SyntaxProblem extends FilePlace {
  format: string;
  reason: string;
  cause: unknown;
}

function syntaxError({ format, reason, cause, ...place }: SyntaxProblem): UsageError {
  return new UsageError(`${placeText(place)}: invalid ${format}: ${reason}`, { cause, place });
}

function mapValues<T, R>(table: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, map(value)]));
}
