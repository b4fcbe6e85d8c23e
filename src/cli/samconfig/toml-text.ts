/** A statement of a TOML text. Positions count from 0; `end` is after the line end. */
export type TomlStatement =
  | { kind: 'table' | 'array-table'; path: readonly string[]; start: number; end: number }
  | {
      kind: 'key';
      /** Path of its table. */
      table: readonly string[];
      path: readonly string[];
      start: number;
      end: number;
      valueStart: number;
      valueEnd: number;
    };

/** The structure of a TOML text, as far as an edit needs it. */
export interface TomlOutline {
  statements: readonly TomlStatement[];
  /** The comments, without trailing white space. */
  comments: readonly string[];
}

/** Finds the statements and comments of a valid TOML text. */
export function outlineToml(text: string): TomlOutline {
  const statements: TomlStatement[] = [];
  const comments: string[] = [];
  let table: readonly string[] = [];
  let index = 0;
  while (index < text.length) {
    index = skipBlank(text, index, comments);
    if (index >= text.length) break;
    const start = lineStart(text, index);
    if (text[index] === '[') {
      const double = text[index + 1] === '[';
      const { path, next } = readKey(text, index + (double ? 2 : 1));
      table = path;
      const end = endOfLine(text, next + (double ? 2 : 1), comments);
      statements.push({ kind: double ? 'array-table' : 'table', path, start, end });
      index = end;
    } else {
      const { path, next } = readKey(text, index);
      const valueStart = skipSpaces(text, next + 1);
      const valueEnd = endOfValue(text, valueStart, comments);
      const end = endOfLine(text, valueEnd, comments);
      statements.push({ kind: 'key', table, path, start, end, valueStart, valueEnd });
      index = end;
    }
  }
  return { statements, comments };
}

/** Skips empty lines and comment lines. */
function skipBlank(text: string, start: number, comments: string[]): number {
  let index = start;
  for (;;) {
    while (/\s/.test(text[index] ?? '')) index++;
    if (text[index] !== '#') return index;
    index = skipComment(text, index, comments);
  }
}

function skipSpaces(text: string, start: number): number {
  let index = start;
  while (text[index] === ' ' || text[index] === '\t') index++;
  return index;
}

function skipComment(text: string, start: number, comments: string[]): number {
  const lineEnd = text.indexOf('\n', start);
  const end = lineEnd < 0 ? text.length : lineEnd;
  comments.push(text.slice(start, end).trimEnd());
  return end;
}

function lineStart(text: string, index: number): number {
  return text.lastIndexOf('\n', index - 1) + 1;
}

/** Returns the position after the line end, and collects a comment at the end of the line. */
function endOfLine(text: string, start: number, comments: string[]): number {
  let index = skipSpaces(text, start);
  if (text[index] === '#') index = skipComment(text, index, comments);
  const lineEnd = text.indexOf('\n', index);
  return lineEnd < 0 ? text.length : lineEnd + 1;
}

/** Reads a dotted key; `next` is the position of the following `=` or `]`. */
function readKey(text: string, start: number): { path: string[]; next: number } {
  const path: string[] = [];
  let index = start;
  for (;;) {
    index = skipSpaces(text, index);
    const quote = text[index];
    if (quote === '"' || quote === "'") {
      const end = endOfString(text, index);
      const raw = text.slice(index, end);
      path.push(quote === '"' ? (JSON.parse(jsonEscapes(raw)) as string) : raw.slice(1, -1));
      index = end;
    } else {
      const bare = /^[A-Za-z0-9_-]*/.exec(text.slice(index, index + 256))?.[0] ?? '';
      path.push(bare);
      index += bare.length;
    }
    index = skipSpaces(text, index);
    if (text[index] !== '.') return { path, next: index };
    index++;
  }
}

/** Converts TOML's `\UXXXXXXXX` and `\e`, which JSON lacks. */
function jsonEscapes(raw: string): string {
  return raw.replace(
    /\\(?:U([0-9A-Fa-f]{8})|(e)|[^])/g,
    (match, code: string | undefined, escape: string | undefined) => {
      if (code !== undefined) return JSON.stringify(String.fromCodePoint(Number.parseInt(code, 16))).slice(1, -1);
      return escape === undefined ? match : '\\u001b';
    },
  );
}

function endOfValue(text: string, start: number, comments: string[]): number {
  let index = start;
  let depth = 0;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (character === '"' || character === "'") {
      index = endOfString(text, index);
      continue;
    }
    if (character === '#') {
      if (depth === 0) break;
      index = skipComment(text, index, comments);
      continue;
    }
    if (character === '[' || character === '{') depth++;
    if (character === ']' || character === '}') depth--;
    if (character === '\n' && depth === 0) break;
    index++;
  }
  return start + text.slice(start, index).trimEnd().length;
}

function endOfString(text: string, start: number): number {
  const quote = text[start] ?? '';
  const triple = quote.repeat(3);
  const long = text.startsWith(triple, start);
  const close = long ? triple : quote;
  let index = start + close.length;
  while (index < text.length && !text.startsWith(close, index)) index += text[index] === '\\' && quote === '"' ? 2 : 1;
  index += close.length;
  // the text of a long string may end with one or two quotes
  if (long) while (text[index] === quote) index++;
  return index;
}
