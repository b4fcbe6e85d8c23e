import { SourceNumber } from './template.ts';

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

/** A plain scalar without a tag, as PyYAML's safe loader reads it; dates stay text, as in the peer. */
export function readPlainScalar(text: string): PlainScalar {
  if (text.length <= LONGEST_WORD) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  return readNumber(text) ?? text;
}

/** The number that PyYAML sees in the text, or undefined. It keeps its text where writing it again would change it. */
export function readNumber(text: string): number | SourceNumber | undefined {
  if (!mayBeNumber(text)) return undefined;
  const value = INT.test(text) ? intValue(text) : FLOAT.test(text) ? floatValue(text) : undefined;
  if (value === undefined) return undefined;
  return String(value) === text ? value : new SourceNumber(value, text);
}

/** The boolean that PyYAML sees in the text, or undefined. */
export function readBoolean(text: string): boolean | undefined {
  return WORDS.get(text) ?? undefined;
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
