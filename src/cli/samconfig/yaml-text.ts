import { composeDocument } from '../../template/yaml/compose.ts';
import type { ScalarNode, YamlNode } from '../../template/yaml/nodes.ts';
import type { ConfigValue } from './config-value.ts';

/**
 * The YAML text with one value set, or removed if `value` is undefined; everything else keeps its form. What is there is
 * expected in block style; the caller checks that the result says what it should.
 */
export function setYamlValue(text: string, path: readonly string[], value: ConfigValue | undefined): string {
  const place = findPlace(text, path);
  if (place.entry && place.rest.length === 0) {
    const { scalar, start, end, indent } = place.entry;
    if (value === undefined) return text.slice(0, start) + text.slice(end);
    if (scalar && typeof value !== 'object')
      return text.slice(0, scalar.start) + yamlFlow(value) + text.slice(scalar.end);
    return text.slice(0, start) + entryLines([path.at(-1) ?? ''], value, indent) + text.slice(end);
  }
  if (value === undefined) return text;
  const before = text.slice(0, place.insertAt);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return before + gap + entryLines(place.rest, value, place.indent) + text.slice(place.insertAt);
}

/** A value as YAML's flow style has it, on one line. Texts that another reader could take for something else are quoted. */
function yamlFlow(value: ConfigValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return yamlText(value);
  if (Array.isArray(value)) return `[${value.map(yamlFlow).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, entry]) => `${yamlText(key)}: ${yamlFlow(entry)}`)
    .join(', ')}}`;
}

function yamlText(text: string): string {
  const plain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  if (plain) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The lines of an entry; a list has one line for each of its items. */
function entryLines(path: readonly string[], value: ConfigValue, indent: number): string {
  const lines = path.map((key, depth) => `${' '.repeat(indent + 2 * depth)}${yamlText(key)}:`);
  const below = ' '.repeat(indent + 2 * path.length);
  if (Array.isArray(value) && value.length > 0) lines.push(...value.map((item) => `${below}- ${yamlFlow(item)}`));
  else lines.push(`${lines.pop()} ${yamlFlow(value)}`);
  return `${lines.join('\n')}\n`;
}

interface Entry {
  /** From the start of its first line to behind its last one. */
  start: number;
  end: number;
  /** Column of the key. */
  indent: number;
  /** Range of a value that is a plain or quoted text, quotes included. */
  scalar: { start: number; end: number } | undefined;
}

interface Place {
  /** The last entry on the path that is there. */
  entry: Entry | undefined;
  /** What of the path is not there. */
  rest: readonly string[];
  /** Where an entry of the innermost mapping on the path goes, and at which column. */
  insertAt: number;
  indent: number;
}

/** Follows the path through block mappings as far as they go. */
function findPlace(text: string, path: readonly string[]): Place {
  let node = composeDocument(text);
  let place: Place = { entry: undefined, rest: path, insertAt: text.length, indent: 0 };
  while (node?.type === 'mapping' && place.rest.length > 0) {
    const scalars = node.entries.flatMap(({ key, value }) => (key.type === 'scalar' ? [{ key, value }] : []));
    const found = scalars.find(({ key }) => key.text === place.rest[0]);
    const shown = found ?? scalars.at(-1);
    const entry = shown === undefined ? undefined : entryAt(text, shown.key, shown.value);
    if (found === undefined) {
      const { end = place.insertAt, indent = place.indent } = entry ?? {};
      return { ...place, insertAt: end, indent };
    }
    const { end = 0, indent = 0 } = entry ?? {};
    place = { entry, rest: place.rest.slice(1), insertAt: end, indent: indent + 2 };
    node = found.value;
  }
  return place;
}

function entryAt(text: string, key: ScalarNode, value: YamlNode | undefined): Entry {
  const start = text.lastIndexOf('\n', key.contentStart - 1) + 1;
  const indent = key.contentStart - start;
  return { start, end: entryEnd(text, start, indent), indent, scalar: scalarRange(value) };
}

/** Behind the last line that is indented deeper than the key, or is an item of a list at its column. */
function entryEnd(text: string, start: number, indent: number): number {
  let end = lineEnd(text, start);
  for (let from = end; from < text.length; from = lineEnd(text, from)) {
    const line = text.slice(from, lineEnd(text, from));
    const column = line.search(/\S/);
    if (column < 0 || (column <= indent && line[column] === '#')) continue;
    const inside = column > indent || (column === indent && /^\s*-(?:\s|$)/.test(line));
    if (!inside) break;
    end = lineEnd(text, from);
  }
  return end;
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at + 1;
}

function scalarRange(value: YamlNode | undefined): Entry['scalar'] {
  if (value?.type !== 'scalar' || value.tag !== undefined || value.style === 'block') return undefined;
  return value.contentStart === value.end ? undefined : { start: value.contentStart, end: value.end };
}
