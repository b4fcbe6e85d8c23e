import { BinaryValue, isMap, SourceNumber } from '../template.ts';
import type { TemplateMap, TemplateValue } from '../template.ts';
import { readNumber } from './yaml-scalars.ts';

/**
 * Writes YAML that every parser, 1.1 (PyYAML, CloudFormation) or 1.2, reads as the same value: quotes ambiguous texts, never
 * folds lines, uses no anchors.
 */
export function dumpYaml(value: TemplateValue): string {
  const lines: string[] = [];
  if (isMap(value) && Object.keys(value).length > 0) writeMapping(lines, value, '');
  else if (Array.isArray(value) && value.length > 0) writeSequence(lines, value, '');
  else lines.push(typeof value === 'string' ? quote(value) : inlineText(value));
  return `${lines.join('\n')}\n`;
}

/** The longest key on one line with its colon (PyYAML: 1,024 characters with the quotes). */
const LONGEST_SIMPLE_KEY = 1000;
const STEP = '  ';

function writeMapping(lines: string[], map: TemplateMap, indent: string, lead = indent): void {
  let prefix = lead;
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue;
    const text = isPlain(key) ? key : quote(key);
    if (text.length > LONGEST_SIMPLE_KEY) {
      lines.push(`${prefix}? ${text}`);
      prefix = indent;
      writeValue(lines, value, indent, `${prefix}:`);
    } else writeValue(lines, value, indent, `${prefix}${text}:`);
    prefix = indent;
  }
}

/** Writes a value after its key: on the same line if possible, else below. Lists are not indented. */
function writeValue(lines: string[], value: TemplateValue, indent: string, head: string): void {
  if (isMap(value) && Object.keys(value).length > 0) {
    lines.push(head);
    writeMapping(lines, value, indent + STEP);
  } else if (Array.isArray(value) && value.length > 0) {
    lines.push(head);
    writeSequence(lines, value, indent);
  } else if (typeof value === 'string' && isBlock(value)) writeBlock(lines, value, indent + STEP, head);
  else lines.push(`${head} ${inlineText(value)}`);
}

function writeSequence(lines: string[], items: readonly TemplateValue[], indent: string, lead = indent): void {
  let prefix = lead;
  for (const item of items) {
    if (isMap(item) && Object.keys(item).length > 0) writeMapping(lines, item, indent + STEP, `${prefix}- `);
    else if (Array.isArray(item) && item.length > 0) writeSequence(lines, item, indent + STEP, `${prefix}- `);
    else if (typeof item === 'string' && isBlock(item)) writeBlock(lines, item, indent + STEP, `${prefix}-`);
    else lines.push(`${prefix}- ${inlineText(item)}`);
    prefix = indent;
  }
}

/** Writes a literal block. */
function writeBlock(lines: string[], text: string, indent: string, head: string): void {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const keep = body.endsWith('\n') ? '+' : text.endsWith('\n') ? '' : '-';
  lines.push(`${head} |${keep}`);
  for (const line of body.split('\n')) lines.push(line === '' ? '' : indent + line);
}

// characters that PyYAML reads as line breaks or rejects, or that an editor or parser may lose
const NEEDS_ESCAPE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u00A0\u{10000}-\u{10FFFF}]/u;
const NEEDS_ESCAPE_IN_BLOCK =
  /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u00A0\u{10000}-\u{10FFFF}]|[^\P{Cc}\n\t]/u;

function isBlock(text: string): boolean {
  // a leading blank would need an indentation indicator, and trailing blanks could be lost
  return text.includes('\n') && !/^[\s]|[ \t]\n*$/.test(text) && !NEEDS_ESCAPE_IN_BLOCK.test(text);
}

function inlineText(value: TemplateValue): string {
  if (typeof value === 'string') return isPlain(value) ? value : quote(value);
  if (typeof value === 'number') return numberText(String(value));
  if (value instanceof SourceNumber) return numberText(value.source);
  if (value instanceof BinaryValue) return `!!binary ${quote(value.source)}`;
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? '[]' : '{}';
}

/** Writes a number. YAML 1.1 reads `1e3` and `1e+21` as numbers only with a dot and a signed exponent. */
function numberText(text: string): string {
  if (readNumber(text) !== undefined) return text;
  if (text === 'NaN') return '.nan';
  if (text.endsWith('Infinity')) return text.replace('Infinity', '.inf');
  const [, whole = text, fraction = '.0', sign = '', power = ''] = /^(-?\d+)(\.\d+)?[eE]([-+]?)(\d+)$/.exec(text) ?? [];
  return power === '' ? text : `${whole}${fraction}e${sign || '+'}${power}`;
}

// `nodejs22.x`, `AWS::Serverless::Function`, `./src/app`, `arn:${AWS::Partition}:iam::…`, sentences without colons
const PLAIN = /^(?:[A-Za-z_/$(]|\.\.?\/)[\w ./:$(){}[\]@+=*,;^<>|!?~'"&%-]*$/;
const LOOKS_SPECIAL = /: |:$| $| #/;
const WORD = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function isPlain(text: string): boolean {
  return PLAIN.test(text) && !LOOKS_SPECIAL.test(text) && !(text.length <= 5 && WORD.test(text));
}

function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `'${text.replaceAll("'", "''")}'`;
  let quoted = '';
  for (const character of text) {
    quoted +=
      character === '"' || character === '\\'
        ? `\\${character}`
        : NEEDS_ESCAPE.test(character)
          ? escape(character)
          : character;
  }
  return `"${quoted}"`;
}

function escape(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
