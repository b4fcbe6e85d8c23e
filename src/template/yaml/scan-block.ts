import type { Cursor } from './cursor.ts';
import { HASH, isBreak, isBreakOrEnd, NUL, SPACE, TAB } from './cursor.ts';
import { scalarNode } from './nodes.ts';
import type { ScalarNode } from './nodes.ts';

/** Reads a block scalar, `|` or `>`, in a collection at column `parentIndent` (-1: none). */
export function scanBlock(cursor: Cursor, parentIndent: number): ScalarNode {
  const start = cursor.index;
  const folded = cursor.source[start] === '>';
  cursor.index++;
  const { chomping, increment } = scanHeader(cursor);
  const least = Math.max(parentIndent + 1, 1);
  const leading = increment === undefined ? scanLeadingLines(cursor) : undefined;
  const indent = leading === undefined ? least + (increment ?? 1) - 1 : Math.max(least, leading.width);
  const lines = scanLines(cursor, { folded, indent, breaks: leading?.breaks ?? scanBreaks(cursor, indent) });
  let { text } = lines;
  if (chomping !== '-') text += lines.lastBreak;
  if (chomping === '+') text += lines.breaks;
  return scalarNode(start, cursor.index, text, 'block');
}

interface Header {
  chomping: string;
  /** Indentation relative to the collection; undefined: the first line decides. */
  increment: number | undefined;
}

function scanHeader(cursor: Cursor): Header {
  const indicators = cursor.take(/[+-][0-9]?|[0-9][+-]?/y);
  const digit = /\d/.exec(indicators)?.[0];
  const code = cursor.peek();
  if (digit === '0' || (code !== SPACE && !isBreakOrEnd(code)))
    cursor.fail('only +, -, a digit from 1 to 9 and a comment may follow | or >');
  cursor.skipSpaces();
  if (cursor.peek() === HASH) cursor.skipLine();
  if (!isBreakOrEnd(cursor.peek())) cursor.fail('the text of a block scalar starts on the next line');
  cursor.takeBreak();
  return {
    chomping: /[+-]/.exec(indicators)?.[0] ?? '',
    increment: digit === undefined ? undefined : Number(digit),
  };
}

/** The empty lines before the text, and the widest indentation among them and the first line. */
function scanLeadingLines(cursor: Cursor): { breaks: string; width: number } {
  let breaks = '';
  let width = 0;
  for (;;) {
    cursor.skipSpaces();
    width = Math.max(width, cursor.column);
    if (!isBreak(cursor.peek())) return { breaks, width };
    breaks += cursor.takeBreak();
  }
}

interface Lines {
  text: string;
  /** The break after the last line with text. */
  lastBreak: string;
  /** The empty lines after it. */
  breaks: string;
}

function scanLines(cursor: Cursor, block: { folded: boolean; indent: number; breaks: string }): Lines {
  let { breaks } = block;
  let text = '';
  let lastBreak = '';
  let wasText = false;
  while (cursor.column === block.indent && cursor.peek() !== NUL) {
    // a break is folded only between two lines that start with text
    const isText = cursor.peek() !== SPACE && cursor.peek() !== TAB;
    if (block.folded && lastBreak === '\n' && wasText && isText) text += breaks === '' ? ' ' : '';
    else text += lastBreak;
    text += breaks;
    const start = cursor.index;
    cursor.skipLine();
    text += cursor.since(start);
    lastBreak = cursor.takeBreak();
    breaks = scanBreaks(cursor, block.indent);
    wasText = isText;
  }
  return { text, lastBreak, breaks };
}

/** Skips empty lines and the indentation of the next line with text. */
function scanBreaks(cursor: Cursor, indent: number): string {
  let breaks = '';
  for (;;) {
    while (cursor.column < indent && cursor.peek() === SPACE) cursor.index++;
    if (!isBreak(cursor.peek())) return breaks;
    breaks += cursor.takeBreak();
  }
}
