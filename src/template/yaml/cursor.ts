/** A YAML syntax error and its offset. */
export class YamlError extends Error {
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.name = new.target.name;
    this.offset = offset;
  }
}

/** A position in a YAML text. A NUL follows the last character; the text itself contains none. */
export class Cursor {
  readonly source: string;
  index = 0;
  line = 0;
  lineStart = 0;

  constructor(text: string) {
    this.source = `${text}\0`;
  }

  /** The code of the character here, or of one further ahead. */
  peek(ahead = 0): number {
    return this.source.charCodeAt(this.index + ahead);
  }

  /** Counts from 0. */
  get column(): number {
    return this.index - this.lineStart;
  }

  /** The text between an earlier position and this one. */
  since(start: number): string {
    return this.source.slice(start, this.index);
  }

  /** Skips spaces, but not tabs. */
  skipSpaces(): void {
    while (this.peek() === SPACE) this.index++;
  }

  /** Moves to the line break or the end of the text. */
  skipLine(): void {
    while (!isBreakOrEnd(this.peek())) this.index++;
  }

  /** Skips a line break, if there is one, and returns what it means: a newline, or itself. */
  takeBreak(): string {
    const code = this.peek();
    if (!isBreak(code)) return '';
    this.index += code === CR && this.peek(1) === LF ? 2 : 1;
    this.line++;
    this.lineStart = this.index;
    return code === LS || code === PS ? String.fromCharCode(code) : '\n';
  }

  /** Skips the characters that `pattern` (sticky) matches here, and returns them. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.index;
    const text = pattern.exec(this.source)?.[0] ?? '';
    this.index += text.length;
    return text;
  }

  /** Whether `---` or `...` is here as a word; at the start of a line it separates documents. */
  isDocumentMark(): boolean {
    const code = this.peek();
    return (
      (code === MINUS || code === DOT) && this.peek(1) === code && this.peek(2) === code && isBlankOrEnd(this.peek(3))
    );
  }

  /** Throws a syntax error for this position, or for `offset`. */
  fail(reason: string, offset = this.index): never {
    throw new YamlError(reason, offset);
  }
}

export const NUL = 0;
export const TAB = 9;
const LF = 10;
const CR = 13;
export const SPACE = 32;
export const DOUBLE_QUOTE = 34;
export const HASH = 35;
export const SINGLE_QUOTE = 39;
const MINUS = 45;
const DOT = 46;
export const COLON = 58;
export const BACKSLASH = 92;
const NEXT_LINE = 0x85;
const LS = 0x2028;
const PS = 0x2029;

/** Whether the character ends a line for YAML 1.1. */
export function isBreak(code: number): boolean {
  return code <= CR ? code === LF || code === CR : code === NEXT_LINE || code === LS || code === PS;
}

/** A line break or the end of the text. */
export function isBreakOrEnd(code: number): boolean {
  return code === NUL || isBreak(code);
}

/** A space, a tab, a line break or the end of the text. */
export function isBlankOrEnd(code: number): boolean {
  return code === SPACE || code === TAB || isBreakOrEnd(code);
}
