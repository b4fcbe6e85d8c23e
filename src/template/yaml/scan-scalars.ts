import type { Cursor } from './cursor.ts';
import {
  BACKSLASH,
  COLON,
  DOUBLE_QUOTE,
  HASH,
  isBlankOrEnd,
  isBreak,
  isBreakOrEnd,
  NUL,
  SINGLE_QUOTE,
  SPACE,
  TAB,
} from './cursor.ts';
import { scalarNode } from './nodes.ts';
import type { ScalarNode } from './nodes.ts';

/** Reads a plain scalar, in a flow collection or in a block collection at column `indent` (-1: none). */
export function scanPlain(cursor: Cursor, inFlow: boolean, indent: number): ScalarNode {
  const { source, index: start } = cursor;
  let end = start;
  // finished lines, the start of the current line, and the folded line breaks before the next one
  let text = '';
  let lineStart = start;
  let gap = '';
  while (cursor.peek() !== HASH) {
    const wordStart = cursor.index;
    const wordEnd = plainWordEnd(cursor, inFlow);
    if (wordEnd === wordStart) break;
    if (gap !== '') {
      text += source.slice(lineStart, end) + gap;
      lineStart = wordStart;
      gap = '';
    }
    end = cursor.index = wordEnd;
    cursor.skipSpaces();
    if (isBreak(cursor.peek())) {
      gap = scanPlainBreaks(cursor);
      if (gap === '' || (!inFlow && cursor.column <= indent)) break;
    } else if (cursor.index === wordEnd) break;
  }
  return scalarNode(start, end, text + source.slice(lineStart, end), 'plain');
}

/** In flow collections, `:` also ends a word before brackets and commas. */
function plainWordEnd({ source, index }: Cursor, inFlow: boolean): number {
  for (let at = index; ; at++) {
    const code = source.charCodeAt(at);
    if (code <= SPACE || code > 0x7e ? isBlankOrEnd(code) : inFlow && FLOW_ENDS.has(code)) return at;
    if (code !== COLON) continue;
    const next = source.charCodeAt(at + 1);
    if (isBlankOrEnd(next) || (inFlow && FLOW_INDICATORS.has(next))) return at;
  }
}

const FLOW_INDICATORS = codesOf(',[]{}');
const FLOW_ENDS = codesOf(',?[]{}');

function codesOf(characters: string): ReadonlySet<number> {
  return new Set(Array.from(characters, (character) => character.charCodeAt(0)));
}

/** The folded line breaks before the next word; empty if a new document follows. */
function scanPlainBreaks(cursor: Cursor): string {
  const first = cursor.takeBreak();
  let more = '';
  while (!cursor.isDocumentMark()) {
    cursor.skipSpaces();
    if (!isBreak(cursor.peek())) return fold(first, more);
    more += cursor.takeBreak();
  }
  return '';
}

/** A single newline becomes a space; empty lines and Unicode line separators are kept. */
function fold(first: string, more: string): string {
  if (first !== '\n') return first + more;
  return more === '' ? ' ' : more;
}

/** Reads a quoted scalar. Indentation inside it is ignored. */
export function scanQuoted(cursor: Cursor): ScalarNode {
  const start = cursor.index;
  const quote = cursor.peek();
  cursor.index++;
  let text = scanSimpleQuoted(cursor, quote);
  if (text === undefined) {
    text = scanQuotedWord(cursor, quote);
    while (cursor.peek() !== quote) {
      if (cursor.peek() === NUL) cursor.fail('this quoted text is never closed', start);
      text += scanQuotedGap(cursor) + scanQuotedWord(cursor, quote);
    }
  }
  cursor.index++;
  return scalarNode(start, cursor.index, text, 'quoted');
}

/** The fast path: the text up to the closing quote, if it is on one line and needs no decoding. */
function scanSimpleQuoted(cursor: Cursor, quote: number): string | undefined {
  const { source, index: start } = cursor;
  for (let at = start; ; at++) {
    const code = source.charCodeAt(at);
    if (code === quote) {
      if (quote === SINGLE_QUOTE && source.charCodeAt(at + 1) === quote) return undefined;
      cursor.index = at;
      return source.slice(start, at);
    }
    if (isBreakOrEnd(code) || (code === BACKSLASH && quote === DOUBLE_QUOTE)) return undefined;
  }
}

function scanQuotedWord(cursor: Cursor, quote: number): string {
  const escape = quote === DOUBLE_QUOTE ? BACKSLASH : undefined;
  let text = '';
  for (;;) {
    const start = cursor.index;
    let code = cursor.peek();
    while (code !== quote && code !== escape && !isBlankOrEnd(code)) {
      cursor.index++;
      code = cursor.peek();
    }
    text += cursor.since(start);
    if (code === escape) text += scanEscape(cursor);
    else if (code === SINGLE_QUOTE && quote === SINGLE_QUOTE && cursor.peek(1) === SINGLE_QUOTE) {
      text += "'";
      cursor.index += 2;
    } else return text;
  }
}

const ESCAPES = new Map(
  Object.entries({
    '0': '\0',
    a: '\u0007',
    b: '\b',
    t: '\t',
    '\t': '\t',
    n: '\n',
    v: '\v',
    f: '\f',
    r: '\r',
    e: '\u001B',
    ' ': ' ',
    '"': '"',
    '\\': '\\',
    '/': '/',
    N: '\u0085',
    _: '\u00A0',
    L: '\u2028',
    P: '\u2029',
  }),
);
const HEX_ESCAPES = new Map([
  ['x', /[\da-fA-F]{2}/y],
  ['u', /[\da-fA-F]{4}/y],
  ['U', /[\da-fA-F]{8}/y],
]);

function scanEscape(cursor: Cursor): string {
  const start = cursor.index++;
  if (isBreak(cursor.peek())) {
    cursor.takeBreak();
    return scanQuotedBreaks(cursor);
  }
  const letter = String.fromCharCode(cursor.peek());
  const simple = ESCAPES.get(letter);
  const hex = HEX_ESCAPES.get(letter);
  cursor.index++;
  if (simple !== undefined) return simple;
  const code = hex === undefined ? Number.NaN : Number.parseInt(cursor.take(hex), 16);
  if (Number.isNaN(code) || code > 0x10ffff)
    cursor.fail(`\\${letter} is not a valid escape sequence in double quotes`, start);
  return String.fromCodePoint(code);
}

function scanQuotedGap(cursor: Cursor): string {
  const start = cursor.index;
  skipBlanks(cursor);
  if (!isBreak(cursor.peek())) return cursor.since(start);
  const first = cursor.takeBreak();
  return fold(first, scanQuotedBreaks(cursor));
}

function scanQuotedBreaks(cursor: Cursor): string {
  let text = '';
  for (;;) {
    if (cursor.isDocumentMark()) cursor.fail('a new document starts inside a quoted text');
    skipBlanks(cursor);
    if (!isBreak(cursor.peek())) return text;
    text += cursor.takeBreak();
  }
}

function skipBlanks(cursor: Cursor): void {
  while (cursor.peek() === SPACE || cursor.peek() === TAB) cursor.index++;
}
