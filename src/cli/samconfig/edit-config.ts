import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ownValue, setOwn } from '../../support/own-value.ts';
import { isConfigMap } from './config-value.ts';
import type { ConfigMap, ConfigValue } from './config-value.ts';
import { parseConfigText } from './parse-config.ts';
import { outlineToml } from './toml-text.ts';
import type { TomlStatement } from './toml-text.ts';

/** The format version that SAM CLI requires in each file. */
const VERSION = 0.1;

/** Changes of one table of a configuration file. Keys to set are not among those to remove. */
export interface TableEdit {
  table: readonly string[];
  set: ConfigMap;
  remove: readonly string[];
}

/** The new text of a file, and whether it lost comments. */
export interface EditedConfig {
  text: string;
  lostComments: boolean;
}

/**
 * Changes some keys of a configuration text and keeps the rest, including comments. Rewrites a text that cannot be edited so.
 * The extension of `file` determines the format.
 */
export async function editConfig(text: string, edits: readonly TableEdit[], file: string): Promise<EditedConfig> {
  const format = FORMATS[path.extname(file).toLowerCase()] ?? YAML;
  const before = await parseConfigText(text, file);
  const wanted = applyEdits(isConfigMap(before) ? before : {}, edits, String(VERSION));
  const edited = await format.edit(text, edits);
  if (edited !== undefined && isDeepStrictEqual(await parseOrNothing(edited, file), wanted))
    return { text: edited, lostComments: format.comments(edited) !== format.comments(text) };
  return { text: await format.rewrite(text, edits), lostComments: format.comments(text) !== '' };
}

/** How to change texts of a format. */
interface Format {
  /** Edits the text with as few changes as possible; undefined if it cannot. The caller checks the result. */
  edit(text: string, edits: readonly TableEdit[]): Promise<string | undefined>;
  /** Rewrites the whole text, without comments. */
  rewrite(text: string, edits: readonly TableEdit[]): Promise<string>;
  /** Returns all comments, to detect lost ones. */
  comments(text: string): string;
}

const JSON_FORMAT: Format = {
  edit: async () => undefined,
  rewrite: async (text, edits) => {
    const document: unknown = text.trim() === '' ? {} : JSON.parse(text.replace(/^\uFEFF/, ''));
    return `${JSON.stringify(applyEdits(document as ConfigMap, edits, VERSION), null, 2)}\n`;
  },
  comments: () => '',
};

const TOML: Format = {
  edit: async (text, edits) => editToml(text, edits),
  rewrite: async (text, edits) => {
    const { parse, stringify } = await import('smol-toml');
    return stringify(applyEdits(parse(text, { integersAsBigInt: 'asNeeded' }) as ConfigMap, edits, VERSION));
  },
  comments: (text) => [...outlineToml(text).comments].sort().join('\n'),
};

const YAML: Format = {
  edit: async (text, edits) => (await import('./edit-yaml.ts')).editYaml(text, edits, String(VERSION)),
  rewrite: async (text, edits) => {
    const { dumpYaml } = await import('../../template/yaml/dump-yaml.ts');
    const { version, ...document } = applyEdits(await documentOf(text), edits, String(VERSION));
    // dumpYaml quotes numbers, which are text for us; SAM CLI requires a number as version
    return `version: ${String(version)}\n${dumpYaml(document)}`;
  },
  // approximate: also matches a `#` within a text
  comments: (text) =>
    (text.match(/(?:^|\s)#.*$/gm) ?? [])
      .map((comment) => comment.trim())
      .sort()
      .join('\n'),
};

async function documentOf(yaml: string): Promise<ConfigMap> {
  const document = await parseConfigText(yaml, 'x.yaml');
  return isConfigMap(document) ? document : {};
}

const FORMATS: Readonly<Record<string, Format>> = { '.json': JSON_FORMAT, '.toml': TOML };

async function parseOrNothing(text: string, file: string): Promise<ConfigValue> {
  try {
    return await parseConfigText(text, file);
  } catch {
    return null;
  }
}

function applyEdits(document: ConfigMap, edits: readonly TableEdit[], version: string | number): ConfigMap {
  const result = structuredClone(document);
  if (!Object.hasOwn(result, 'version')) Object.assign(result, { version });
  for (const { table, set, remove } of edits) {
    let target: ConfigMap = result;
    for (const name of table) {
      const existing = ownValue(target, name);
      // a copy: with a YAML anchor other tables may share the object
      const inner = isConfigMap(existing) ? { ...existing } : {};
      setOwn(target, name, inner);
      target = inner;
    }
    for (const key of remove) delete target[key];
    Object.assign(target, set);
  }
  return result;
}

function editToml(text: string, edits: readonly TableEdit[]): string {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  let result = text;
  const hasVersion = outlineToml(text).statements.some(
    (statement) => statement.kind === 'key' && statement.table.length === 0 && statement.path[0] === 'version',
  );
  if (!hasVersion) result = `version = ${VERSION}${lineEnd}${result}`;
  for (const edit of edits) result = editTable(result, edit, lineEnd);
  return result;
}

function editTable(text: string, { table, set, remove }: TableEdit, lineEnd: string): string {
  let result = text;
  for (const key of remove) result = removeKey(result, [...table, key]);
  for (const [key, value] of Object.entries(set)) {
    const path = [...table, key];
    const { statements } = outlineToml(result);
    const own = statements.find((it) => it.kind === 'key' && samePath(fullPath(it), path));
    if (own?.kind === 'key') {
      result = result.slice(0, own.valueStart) + tomlValue(value) + result.slice(own.valueEnd);
    } else {
      result = insertKey(removeKey(result, path), { table, key, value, lineEnd });
    }
  }
  return result;
}

/** Removes all statements that define the value at the path or a part of it. */
function removeKey(text: string, path: readonly string[]): string {
  const { statements } = outlineToml(text);
  const gone = statements.filter((statement) => path.every((name, index) => fullPath(statement)[index] === name));
  return gone.reverse().reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
}

interface NewKey {
  table: readonly string[];
  key: string;
  value: ConfigValue;
  lineEnd: string;
}

function insertKey(text: string, { table, key, value, lineEnd }: NewKey): string {
  const { statements } = outlineToml(text);
  const line = `${tomlKey(key)} = ${tomlValue(value)}${lineEnd}`;
  const isHeader = (it: TomlStatement): boolean => it.kind === 'table' && samePath(it.path, table);
  const last = statements.findLast((it) => isHeader(it) || (it.kind === 'key' && samePath(it.table, table)));
  if (last && table.length > 0) {
    const before = text.slice(0, last.end);
    return `${before}${before.endsWith('\n') ? '' : lineEnd}${line}${text.slice(last.end)}`;
  }
  const gap = text === '' || text.endsWith('\n') ? '' : lineEnd;
  return `${text}${gap}${lineEnd}[${table.map(tomlKey).join('.')}]${lineEnd}${line}`;
}

function fullPath(statement: TomlStatement): readonly string[] {
  return statement.kind === 'key' ? [...statement.table, ...statement.path] : statement.path;
}

function samePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}

function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}

function tomlValue(value: ConfigValue): string {
  if (value === null) return '""';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return tomlString(value);
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  const entries = Object.entries(value).map(([key, entry]) => `${tomlKey(key)} = ${tomlValue(entry)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Writes a basic string of TOML, which escapes like JSON, and DEL too. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
