import { parseTOML, ParseError } from 'toml-eslint-parser';
import type { AST } from 'toml-eslint-parser';
import type { ConfigValue } from './config-value.ts';
import type { TableEdit } from './table-edit.ts';

/**
 * Applies edits to a TOML text and keeps everything else as it is. Returns undefined for a text that the parser does not
 * accept. The caller checks the result.
 */
export function editToml(text: string, edits: readonly TableEdit[], version: string): string | undefined {
  try {
    const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
    const hasVersion = statementsOf(text).some(({ kind, path }) => kind === 'key' && path[0] === 'version');
    const versioned = hasVersion ? text : `version = ${version}${lineEnd}${text}`;
    return edits.reduce((result, edit) => editTable(result, edit, lineEnd), versioned);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Returns the comments of a TOML text. */
export function tomlComments(text: string): string[] {
  try {
    return parseTOML(text, OPTIONS).comments.map(({ value }) => value.trimEnd());
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    // approximate: also matches a `#` within a text
    return text.match(/(?<=(?:^|\s)#).*$/gm) ?? [];
  }
}

const OPTIONS = { tomlVersion: '1.1' } as const;

/** A key with its value, or the header of a table. Positions count from 0; `start` and `end` include the whole lines. */
interface TomlStatement {
  kind: 'key' | 'table' | 'array-table';
  /** The table of the key; the table itself for a header. */
  table: readonly string[];
  /** Full path of the key or table. */
  path: readonly string[];
  start: number;
  end: number;
  value: readonly [start: number, end: number];
}

function statementsOf(text: string): TomlStatement[] {
  const lines = (from: number, to: number): Pick<TomlStatement, 'start' | 'end'> => {
    const lineEnd = text.indexOf('\n', to);
    return { start: text.lastIndexOf('\n', from - 1) + 1, end: lineEnd < 0 ? text.length : lineEnd + 1 };
  };
  const keyStatement = (table: readonly string[], { key, value, range }: AST.TOMLKeyValue): TomlStatement => ({
    kind: 'key',
    table,
    path: [...table, ...namesOf(key)],
    ...lines(range[0], range[1]),
    value: value.range,
  });
  return parseTOML(text, OPTIONS).body[0].body.flatMap((node) => {
    if (node.type === 'TOMLKeyValue') return [keyStatement([], node)];
    const table = namesOf(node.key);
    const header: TomlStatement = {
      kind: node.kind === 'array' ? 'array-table' : 'table',
      table,
      path: table,
      ...lines(node.range[0], node.key.range[1]),
      value: node.key.range,
    };
    return [header, ...node.body.map((entry) => keyStatement(table, entry))];
  });
}

function namesOf({ keys }: AST.TOMLKey): string[] {
  return keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
}

function editTable(text: string, { table, set, remove }: TableEdit, lineEnd: string): string {
  let result = text;
  for (const key of remove) result = removeKey(result, [...table, key]);
  for (const [key, value] of Object.entries(set)) {
    const path = [...table, key];
    const own = statementsOf(result).find((it) => it.kind === 'key' && samePath(it.path, path));
    if (own) {
      result = result.slice(0, own.value[0]) + tomlValue(value) + result.slice(own.value[1]);
    } else {
      result = insertKey(removeKey(result, path), { table, key, value, lineEnd });
    }
  }
  return result;
}

/** Removes all statements that define the value at the path or a part of it. */
function removeKey(text: string, path: readonly string[]): string {
  const removed = statementsOf(text).filter((statement) => path.every((name, index) => statement.path[index] === name));
  return removed.reverse().reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
}

interface NewKey {
  table: readonly string[];
  key: string;
  value: ConfigValue;
  lineEnd: string;
}

function insertKey(text: string, { table, key, value, lineEnd }: NewKey): string {
  const line = `${tomlKey(key)} = ${tomlValue(value)}${lineEnd}`;
  const isHeader = (it: TomlStatement): boolean => it.kind === 'table' && samePath(it.path, table);
  const last = statementsOf(text).findLast((it) => isHeader(it) || (it.kind === 'key' && samePath(it.table, table)));
  if (last && table.length > 0) {
    const before = text.slice(0, last.end);
    return `${before}${before.endsWith('\n') ? '' : lineEnd}${line}${text.slice(last.end)}`;
  }
  const gap = text === '' || text.endsWith('\n') ? '' : lineEnd;
  return `${text}${gap}${lineEnd}[${table.map(tomlKey).join('.')}]${lineEnd}${line}`;
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
