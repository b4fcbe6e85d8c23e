import { TemplateError } from '../../errors.ts';
import { parseJson } from '../json.ts';
import { isMap } from '../template.ts';
import type { Template, TemplateValue } from '../template.ts';
import { TEMPLATE_SCHEMA } from './yaml-scalars.ts';
import { composeDocument } from './compose.ts';
import { construct } from './construct.ts';
import type { DuplicateKeys } from './construct.ts';
import { YamlError } from './cursor.ts';
import { LimitError } from './limits.ts';
import { TextLines } from './text-lines.ts';

export { dumpYaml } from './dump-yaml.ts';

/** A duplicate key in a mapping. Lines and columns count from 1. */
export interface DuplicateKey {
  key: string;
  line: number;
  column: number;
}

/**
 * Parses a template, JSON or YAML, as SAM CLI does (JSON first, else as PyYAML, with CloudFormation's tags). The last of
 * duplicate keys wins; adds those of YAML to `duplicates`.
 */
export function parseTemplate(text: string, file: string, duplicates?: DuplicateKey[]): Template {
  const value = parseYaml(text, file, duplicates);
  if (isMap(value)) return value;
  const found = value === null ? 'is empty' : Array.isArray(value) ? 'is a list' : 'is a single value';
  throw new TemplateError([
    { file, message: `A template is a mapping with a Resources section, but this file ${found}` },
  ]);
}

/** Parses a file that may contain any value; null if empty. */
export function parseYaml(text: string, file: string, duplicates: DuplicateKey[] = []): TemplateValue {
  const source = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  try {
    const json = parseJson(source);
    if (json !== undefined) return json;
    const root = composeDocument(source);
    if (root === undefined) return null;
    const found: DuplicateKeys = new Map();
    const value = construct(root, TEMPLATE_SCHEMA, found);
    const lines = new TextLines(found.size === 0 ? '' : source);
    for (const [offset, key] of found) duplicates.push({ key, ...lines.positionOf(offset) });
    return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const message = error instanceof LimitError ? error.message : `Invalid YAML: ${error.message}`;
    throw new TemplateError([{ file, ...new TextLines(source).positionOf(error.offset), message }], { cause: error });
  }
}
