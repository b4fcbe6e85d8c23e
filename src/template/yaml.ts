import { EVENT_ID, YAMLException, getScalarValue, parseEvents, SCALAR_STYLE } from 'js-yaml';
import type { Event, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml';
import { TemplateError } from '../errors.ts';
import { parseJson } from './json.ts';
import { isMap } from './template.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';
import { readBoolean, readNumber, readPlainScalar } from './yaml-scalars.ts';

export { dumpYaml } from './dump-yaml.ts';

/** Deep enough for any API definition, shallow enough for the stack. Collections in collections. */
export const MAX_DEPTH = 300;
/** Aliases can make a small file huge ("billion laughs"); a stack's template has at most 500 resources. */
const MAX_NODES = 2_000_000;

/** A key that stands twice in the same mapping. Lines and columns count from 1. */
export interface DuplicateKey {
  key: string;
  line: number;
  column: number;
}

/**
 * Text of a template, JSON or YAML, read as the peer reads it (JSON first; PyYAML's scalars; CloudFormation's tags). Of
 * equal keys the last one counts; in YAML they are added to `duplicates`.
 */
export function parseTemplate(text: string, file: string, duplicates?: DuplicateKey[]): Template {
  const value = parseYaml(text, file, duplicates);
  if (isMap(value)) return value;
  const found = value === null ? 'is empty' : Array.isArray(value) ? 'is a list' : 'is a single value';
  throw new TemplateError([
    { file, message: `A template is a mapping with a Resources section, but this file ${found}` },
  ]);
}

/** Like `parseTemplate` for a file that may hold any value; nothing in it reads as null. */
export function parseYaml(text: string, file: string, duplicates: DuplicateKey[] = []): TemplateValue {
  const source = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  const json = parseJson(source);
  if (json !== undefined) return json;
  try {
    return readDocument(source, duplicates);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark } = error;
    const position = mark === undefined ? {} : { line: mark.line + 1, column: mark.column + 1 };
    throw new TemplateError([{ file, ...position, message: `This is not valid YAML: ${error.reason}` }], {
      cause: error,
    });
  }
}

/** Where the reading of a list of parser events stands. */
interface Reader {
  source: string;
  events: readonly Event[];
  index: number;
  /** Values so far, those behind aliases counted each time. */
  nodes: number;
  anchors: Map<string, { value: TemplateValue; nodes: number }>;
  duplicates: DuplicateKey[];
}

const NO_RANGE = -1;
const CORE_TAG = 'tag:yaml.org,2002:';

function readDocument(source: string, duplicates: DuplicateKey[]): TemplateValue {
  const reader: Reader = {
    source,
    events: parseEvents(source, { maxDepth: MAX_DEPTH }),
    index: 0,
    nodes: 0,
    anchors: new Map(),
    duplicates,
  };
  const documents = reader.events.filter((event) => event.type === EVENT_ID.DOCUMENT).length;
  if (documents === 0) return null;
  reader.index = 1;
  const value = readNode(reader);
  if (documents > 1)
    fail(reader, positionOf(reader.events[reader.index + 2]), 'a template is one document, not several');
  return value;
}

function readNode(reader: Reader): TemplateValue {
  const event = reader.events[reader.index++];
  if (event === undefined) return null;
  const before = reader.nodes++;
  if (event.type === EVENT_ID.ALIAS) return readAlias(reader, event);
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return null;
  const value =
    event.type === EVENT_ID.SCALAR
      ? readScalar(reader, event)
      : event.type === EVENT_ID.SEQUENCE
        ? readSequence(reader, event)
        : readMapping(reader, event);
  if (event.anchorStart !== NO_RANGE) {
    const name = reader.source.slice(event.anchorStart, event.anchorEnd);
    reader.anchors.set(name, { value, nodes: reader.nodes - before });
  }
  return value;
}

function readAlias(reader: Reader, event: Event & { type: typeof EVENT_ID.ALIAS }): TemplateValue {
  const name = reader.source.slice(event.anchorStart, event.anchorEnd);
  const anchor = reader.anchors.get(name);
  if (anchor === undefined) fail(reader, event.anchorStart, `nothing before this is named &${name}`);
  reader.nodes += anchor.nodes;
  if (reader.nodes > MAX_NODES) fail(reader, event.anchorStart, 'the aliases make this template too large');
  return anchor.value;
}

function readScalar(reader: Reader, event: ScalarEvent): TemplateValue {
  const text = scalarTextOf(reader, event);
  const tag = tagOf(reader, event);
  if (tag === undefined) return event.style === SCALAR_STYLE.PLAIN ? readPlainScalar(text) : text;
  if (tag === '!') return text;
  if (tag.startsWith(CORE_TAG)) return readCoreScalar(reader, event, { text, type: tag.slice(CORE_TAG.length) });
  const name = tag.slice(1);
  // what follows the first dot may have dots itself: Stack.Outputs.X
  if (name === 'GetAtt') return { 'Fn::GetAtt': splitOnce(text, '.') };
  return { [longName(name)]: text };
}

/** The decoded text. A block that ends with the file has the final line break only if the file has it, as in PyYAML. */
function scalarTextOf(reader: Reader, event: ScalarEvent): string {
  const text = getScalarValue(reader.source, event);
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
  if (!isBlock || event.valueEnd < reader.source.length || !text.endsWith('\n')) return text;
  return /[\r\n]$/.test(reader.source) ? text : text.slice(0, -1);
}

function readCoreScalar(reader: Reader, event: ScalarEvent, scalar: { text: string; type: string }): TemplateValue {
  const { text, type } = scalar;
  if (type === 'str' || type === 'timestamp') return text;
  if (type === 'null') return null;
  const value =
    type === 'bool'
      ? readBoolean(text.toLowerCase())
      : type === 'int' || type === 'float'
        ? readNumber(text)
        : undefined;
  return value ?? fail(reader, event.tagStart, `a template cannot hold !!${type} ${text}`.trimEnd());
}

function readSequence(reader: Reader, event: SequenceEvent): TemplateValue {
  const items: TemplateValue[] = [];
  while (!atEnd(reader)) items.push(readNode(reader));
  reader.index++;
  return wrap(reader, event, items);
}

function readMapping(reader: Reader, event: MappingEvent): TemplateValue {
  const own: TemplateMap = {};
  const merged: TemplateMap[] = [];
  while (!atEnd(reader)) {
    const keyEvent = reader.events[reader.index];
    if (isMergeKey(reader, keyEvent)) {
      reader.index++;
      const position = positionOf(reader.events[reader.index]);
      merged.push(...mergeSources(reader, readNode(reader), position));
    } else {
      const key = readKey(reader);
      if (Object.hasOwn(own, key))
        reader.duplicates.push({ key, ...textPosition(reader.source, positionOf(keyEvent)) });
      assign(own, key, readNode(reader));
    }
  }
  reader.index++;
  if (merged.length === 0) return wrap(reader, event, own);
  const all: TemplateMap = {};
  for (const map of [...merged, own]) for (const [key, value] of Object.entries(map)) assign(all, key, value);
  return wrap(reader, event, all);
}

/** A key is the text that was written: `200`, `On` and `012` stay what they look like, as CloudFormation's JSON has them. */
function readKey(reader: Reader): string {
  const event = reader.events[reader.index];
  if (event?.type === EVENT_ID.SCALAR && (tagOf(reader, event) ?? CORE_TAG).startsWith(CORE_TAG)) {
    const key = getScalarValue(reader.source, event);
    readNode(reader);
    return key;
  }
  if (event?.type === EVENT_ID.ALIAS) {
    const value = readNode(reader);
    if (typeof value === 'string') return value;
  }
  return fail(reader, positionOf(event), 'the key of a mapping must be a text');
}

function isMergeKey(reader: Reader, event: Event | undefined): boolean {
  return (
    event?.type === EVENT_ID.SCALAR &&
    event.style === SCALAR_STYLE.PLAIN &&
    event.tagStart === NO_RANGE &&
    getScalarValue(reader.source, event) === '<<'
  );
}

/** Mappings behind `<<`, weakest first: in a list the earlier one wins. */
function mergeSources(reader: Reader, value: TemplateValue, position: number): TemplateMap[] {
  const sources = Array.isArray(value) ? value.toReversed() : [value];
  if (sources.every(isMap)) return sources;
  return fail(reader, position, 'the merge key << takes a mapping or a list of mappings');
}

function wrap(reader: Reader, event: SequenceEvent | MappingEvent, value: TemplateValue): TemplateValue {
  const tag = tagOf(reader, event);
  if (tag === undefined || tag === '!' || tag === `${CORE_TAG}map` || tag === `${CORE_TAG}seq`) return value;
  if (tag.startsWith(CORE_TAG)) {
    fail(reader, event.tagStart, `a template cannot hold !!${tag.slice(CORE_TAG.length)}`);
  }
  return { [longName(tag.slice(1))]: value };
}

/** `!Name` for CloudFormation's tags, the full name for YAML's own, undefined without a tag. */
function tagOf(reader: Reader, event: ScalarEvent | SequenceEvent | MappingEvent): string | undefined {
  if (event.tagStart === NO_RANGE) return undefined;
  const raw = reader.source.slice(event.tagStart, event.tagEnd);
  const tag = raw.startsWith('!!') ? CORE_TAG + raw.slice(2) : raw.startsWith('!<') ? raw.slice(2, -1) : raw;
  if (tag.startsWith('!') || tag.startsWith(CORE_TAG)) return tag;
  return fail(reader, event.tagStart, `a template cannot hold the tag ${raw}`);
}

function longName(tag: string): string {
  return tag === 'Ref' || tag === 'Condition' ? tag : `Fn::${tag}`;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function assign(map: TemplateMap, key: string, value: TemplateValue): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
  else map[key] = value;
}

function atEnd(reader: Reader): boolean {
  const event = reader.events[reader.index];
  return event === undefined || event.type === EVENT_ID.POP;
}

/** Offset of what the user sees as the node's beginning. */
export function positionOf(event: Event | undefined): number {
  if (event === undefined || event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return 0;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  const own = event.type === EVENT_ID.SCALAR ? scalarStart(event) : event.start;
  const starts = [event.tagStart, event.anchorStart, own].filter((start) => start !== NO_RANGE);
  return starts.length === 0 ? 0 : Math.min(...starts);
}

/** Line and column, from 1, of an offset. */
export function textPosition(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** With its quote, if it has one. */
function scalarStart(event: ScalarEvent): number {
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? event.valueStart - 1 : event.valueStart;
}

function fail(reader: Reader, position: number, message: string): never {
  return YAMLException.throwAt(reader.source, position, message);
}
