import { BinaryValue, SourceNumber } from '../template.ts';
import type { Schema } from './construct.ts';

/** The types that a plain YAML scalar of a template may have. */
export type PlainScalar = null | boolean | number | string | SourceNumber;

const WORDS = new Map<string, null | boolean>([
  ['', null],
  ['~', null],
  ...spellings('null', null),
  ...spellings('yes', true),
  ...spellings('true', true),
  ...spellings('on', true),
  ...spellings('no', false),
  ...spellings('false', false),
  ...spellings('off', false),
]);
const LONGEST_WORD = 5;

// YAML 1.1 as PyYAML narrows it: no number in `1e3` (needs a dot and a signed exponent), none in `-.5`
const INT =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** Reads a plain scalar without a tag as PyYAML's safe loader does; dates stay text, as in SAM CLI. */
function readPlainScalar(text: string): PlainScalar {
  if (text.length <= LONGEST_WORD) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  return readNumber(text) ?? text;
}

/** Reads a number as PyYAML does, keeping its text if writing it again would change it; undefined for other texts. */
export function readNumber(text: string): number | SourceNumber | undefined {
  if (!mayBeNumber(text)) return undefined;
  return kept(text, INT.test(text) ? intValue(text) : FLOAT.test(text) ? floatValue(text) : undefined);
}

/** Returns the number, with its text if that differs. */
function kept(text: string, value: number | undefined): number | SourceNumber | undefined {
  return value === undefined || String(value) === text ? value : new SourceNumber(value, text);
}

/** The scalars and tags of a template: PyYAML's safe loader and CloudFormation's short forms. */
export const TEMPLATE_SCHEMA: Schema<PlainScalar | BinaryValue> = {
  // in YAML 1.1 these are the default value and the merge key, which PyYAML rejects as values
  plain: (text) => (text === '=' || text === '<<' ? undefined : readPlainScalar(text)),
  text: (text) => text,
  core: readTagged,
  tagged: (tag, value) => {
    // the part after the first dot may contain dots: Stack.Outputs.X
    if (tag === 'GetAtt' && typeof value === 'string') return { 'Fn::GetAtt': splitOnce(value, '.') };
    return { [tag === 'Ref' || tag === 'Condition' ? tag : `Fn::${tag}`]: value };
  },
};

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function readTagged(type: string, text: string): PlainScalar | BinaryValue | undefined {
  switch (type) {
    case 'str':
    case 'timestamp':
      return text;
    case 'null':
      return null;
    case 'bool':
      return WORDS.get(text.toLowerCase()) ?? undefined;
    case 'int':
      return kept(text, INT.test(text) || /^[-+]?[1-9]\d*(?::\d+)*$/.test(text) ? intValue(text) : undefined);
    case 'float':
      return kept(text, taggedFloat(text));
    case 'binary':
      return readBinary(text);
    default:
      return undefined;
  }
}

/** Reads `!!float`, which also accepts `3` and `1e3`. */
function taggedFloat(text: string): number | undefined {
  if (FLOAT.test(text)) return floatValue(text);
  return /^[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Reads base64 as Python does: ignores other characters and stops at the padding. */
function readBinary(text: string): BinaryValue | undefined {
  if (!/^[\0-\x7F]*$/.test(text)) return undefined;
  let digits = '';
  let padding = 0;
  for (const character of text) {
    const open = digits.length % 4;
    if (/[A-Za-z0-9+/]/.test(character)) {
      digits += character;
      padding = 0;
    } else if (character === '=' && open >= 2 && open + ++padding >= 4) {
      return new BinaryValue(digits + '='.repeat(4 - open));
    }
  }
  return digits.length % 4 === 0 ? new BinaryValue(digits) : undefined;
}

function mayBeNumber(text: string): boolean {
  const first = text.charCodeAt(0);
  // 0-9 + - .
  return (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
}

function intValue(text: string): number | undefined {
  const negative = text.startsWith('-');
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  const magnitude = digits.includes(':')
    ? sexagesimal(digits)
    : /^0[0-7]+$/.test(digits)
      ? Number.parseInt(digits, 8)
      : Number(digits);
  // `0b_` has the form of a number without being one
  if (Number.isNaN(magnitude)) return undefined;
  return negative ? -magnitude : magnitude;
}

function floatValue(text: string): number {
  const lower = text.toLowerCase();
  const negative = lower.startsWith('-');
  const digits = lower.replaceAll('_', '').replace(/^[-+]/, '');
  if (digits === '.nan') return Number.NaN;
  const magnitude =
    digits === '.inf' ? Number.POSITIVE_INFINITY : digits.includes(':') ? sexagesimal(digits) : Number(digits);
  return negative ? -magnitude : magnitude;
}

function sexagesimal(digits: string): number {
  let total = 0;
  for (const part of digits.split(':')) total = total * 60 + Number(part);
  return total;
}

function spellings<T>(word: string, value: T): [string, T][] {
  return [
    [word, value],
    [word.charAt(0).toUpperCase() + word.slice(1), value],
    [word.toUpperCase(), value],
  ];
}
