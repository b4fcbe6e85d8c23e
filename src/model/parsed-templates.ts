import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { discard, namesIn, writeFileAtomic } from '../support/files.ts';
import { setOwn } from '../support/own-value.ts';
import { explainSystemError } from '../system-errors.ts';
import { BinaryValue, SourceNumber } from '../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../template/template.ts';
import type { DuplicateKey } from '../template/yaml/yaml.ts';

/** What parsing a template gives. Positions for messages are not part of it: they come from the text. */
export interface ParsedTemplate {
  template: Template;
  duplicates: readonly DuplicateKey[];
}

/** Parsed templates of earlier runs. A template is found only for the text and the parser that gave it. */
export interface ParsedTemplates {
  find(file: string, text: string): ParsedTemplate | undefined;
  add(file: string, text: string, parsed: ParsedTemplate): void;
  /** Saves what was added for the next run. */
  save(): Promise<void>;
}

/** Shorter templates are parsed as fast. */
const WORTH_LENGTH = 8_000;
/** One file for each template; more than these are of templates that have other names now. */
const MAX_FILES = 2_000;

/** Opens the parsed templates in a folder (absolute). `parser` identifies the parser's code. */
export function openParsedTemplates(folder: string, parser: string): ParsedTemplates {
  const added = new Map<string, string>();
  const placeOf = (file: string): string => path.join(folder, `${hashOf(file).slice(0, 16)}.json`);
  const digestOf = (text: string, json: string): string => hashOf(parser, String(text.length), text, json);
  return {
    find: (file, text) => {
      if (!isWorth(text)) return undefined;
      const [digest, json] = readLines(placeOf(file));
      return json !== undefined && digest === digestOf(text, json) ? decode(json) : undefined;
    },
    add: (file, text, parsed) => {
      const json = isWorth(text) ? encode(parsed) : undefined;
      if (json !== undefined) added.set(placeOf(file), `${digestOf(text, json)}\n${json}`);
    },
    save: async () => {
      if (added.size === 0) return;
      try {
        if (namesIn(folder).length > MAX_FILES) await discard(folder);
        for (const [place, content] of added) await writeFileAtomic(place, content, { mode: 0o600 });
      } catch (error) {
        // on a full or read-only disk the next run parses again
        if (explainSystemError(error) === undefined) throw error;
      }
      added.clear();
    },
  };
}

/** JSON is parsed as fast as it is read from here. */
function isWorth(text: string): boolean {
  return text.length >= WORTH_LENGTH && !/^\s*[[{"]/.test(text);
}

/** Returns the two lines of a file: its digest and its content. */
function readLines(place: string): string[] {
  try {
    return readFileSync(place, 'utf8').split('\n');
  } catch {
    // the file only saves time, so any failure to read it is harmless
    return [];
  }
}

/** A value that JSON cannot hold, and where it belongs. */
interface SpecialValue {
  at: string[];
  /** Of a number; undefined: a binary value. */
  value?: string;
  source: string;
}

/** Returns JSON without line breaks; undefined if aliases share values, which JSON would copy. */
function encode({ template, duplicates }: ParsedTemplate): string | undefined {
  const special: SpecialValue[] = [];
  if (!isTree(template, [], { seen: new Set(), special })) return undefined;
  return JSON.stringify({ template, special, duplicates });
}

function decode(json: string): ParsedTemplate {
  const { template, special, duplicates } = JSON.parse(json) as ParsedTemplate & { special: SpecialValue[] };
  for (const item of special) restore(template, item);
  return { template, duplicates };
}

/** Returns whether no list or mapping occurs twice. Collects the special values. */
function isTree(
  value: TemplateValue,
  at: readonly string[],
  found: { seen: Set<object>; special: SpecialValue[] },
): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof SourceNumber) {
    const text = Object.is(value.value, -0) ? '-0' : String(value.value);
    found.special.push({ at: [...at], value: text, source: value.source });
    return true;
  }
  if (value instanceof BinaryValue) {
    found.special.push({ at: [...at], source: value.source });
    return true;
  }
  if (found.seen.has(value)) return false;
  found.seen.add(value);
  return Object.entries(value).every(([key, item]) => isTree(item, [...at, key], found));
}

function restore(template: Template, { at, value, source }: SpecialValue): void {
  const last = at[at.length - 1] ?? '';
  // a list has its items under the names of their places
  const parent = at.slice(0, -1).reduce<TemplateMap>((item, key) => item[key] as TemplateMap, template);
  setOwn(parent, last, value === undefined ? new BinaryValue(source) : new SourceNumber(Number(value), source));
}

function hashOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}
