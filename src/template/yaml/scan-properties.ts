import type { Cursor } from './cursor.ts';
import { HASH, isBlankOrEnd, isBreakOrEnd, SPACE } from './cursor.ts';
import type { DirectiveToken, NameToken, TagToken } from './tokens.ts';

const WORD = /[\w-]*/y;
const URI = /(?:[\w;/?:@&=+$,.!~*'()[\]-]|%[\da-fA-F]{2})*/y;
/** Characters that may follow a name, besides spaces. */
const BEHIND_NAME = '?:,]}%@`';

/** Reads `&name` or `*name`. */
export function scanName(cursor: Cursor): NameToken {
  const start = cursor.index;
  const type = cursor.source[start] === '&' ? 'anchor' : 'alias';
  cursor.index++;
  const text = cursor.take(WORD);
  const next = cursor.peek();
  if (text === '' || !(isBlankOrEnd(next) || BEHIND_NAME.includes(String.fromCharCode(next))))
    cursor.fail(`expected a name of letters, digits, - and _ after ${type === 'anchor' ? '&' : '*'}`);
  return { type, start, text };
}

/** Reads `!`, `!name`, `!!name`, `!handle!name` or `!<name>`. */
export function scanTag(cursor: Cursor): TagToken {
  const start = cursor.index;
  const token: TagToken = { type: 'tag', start, handle: undefined, text: '!' };
  if (cursor.source[start + 1] === '<') {
    cursor.index += 2;
    token.text = scanUri(cursor);
    if (cursor.source[cursor.index++] !== '>') cursor.fail('this tag is never closed with >', start);
  } else if (isBlankOrEnd(cursor.peek(1))) cursor.index++;
  else {
    token.handle = hasSecondMark(cursor) ? scanHandle(cursor) : cursor.source[cursor.index++];
    token.text = scanUri(cursor);
  }
  if (!isSpaceOrEnd(cursor)) cursor.fail('expected a space after the tag');
  return token;
}

/** Whether another `!` follows before the next space; what precedes it is a handle. */
function hasSecondMark(cursor: Cursor): boolean {
  for (let ahead = 1; ; ahead++) {
    const code = cursor.peek(ahead);
    if (code === SPACE || isBreakOrEnd(code)) return false;
    if (code === MARK) return true;
  }
}

const MARK = 33;

function scanHandle(cursor: Cursor): string {
  const start = cursor.index;
  if (cursor.peek() !== MARK) cursor.fail('a tag handle starts with !');
  cursor.index++;
  cursor.take(WORD);
  if (cursor.peek() !== MARK) cursor.fail('a tag handle ends with !');
  cursor.index++;
  return cursor.since(start);
}

function scanUri(cursor: Cursor): string {
  const start = cursor.index;
  const text = cursor.take(URI);
  if (text === '' || cursor.source[cursor.index] === '%') cursor.fail('expected the name of a tag');
  try {
    return text.replace(/(?:%..)+/g, decodeURIComponent);
  } catch {
    return cursor.fail(`${text} is not percent-encoded UTF-8`, start);
  }
}

/** Reads a line that starts with `%`. */
export function scanDirective(cursor: Cursor): DirectiveToken {
  const token: DirectiveToken = { type: 'directive', start: cursor.index, name: '', handle: undefined, text: '' };
  cursor.index++;
  token.name = cursor.take(WORD);
  if (token.name === '' || !isSpaceOrEnd(cursor)) cursor.fail('expected the name of a directive after %');
  if (token.name === 'YAML') {
    cursor.skipSpaces();
    token.text = cursor.take(/\d+\.\d+/y);
    if (token.text === '' || !isSpaceOrEnd(cursor)) cursor.fail('expected a version after %YAML, such as 1.1');
  } else if (token.name === 'TAG') {
    cursor.skipSpaces();
    token.handle =
      cursor.peek() === MARK && cursor.peek(1) === SPACE ? cursor.source[cursor.index++] : scanHandle(cursor);
    if (cursor.peek() !== SPACE) cursor.fail('expected a space after the tag handle');
    cursor.skipSpaces();
    token.text = scanUri(cursor);
    if (!isSpaceOrEnd(cursor)) cursor.fail('expected a space after the tag prefix');
  } else cursor.skipLine();
  cursor.skipSpaces();
  if (cursor.peek() === HASH) cursor.skipLine();
  if (!isBreakOrEnd(cursor.peek())) cursor.fail('expected the end of the line after a directive');
  cursor.takeBreak();
  return token;
}

function isSpaceOrEnd(cursor: Cursor): boolean {
  return cursor.peek() === SPACE || isBreakOrEnd(cursor.peek());
}
