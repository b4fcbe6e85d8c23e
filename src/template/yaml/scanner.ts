import { Cursor, isBlankOrEnd, isBreak, NUL, SPACE, HASH, TAB } from './cursor.ts';
import { failTooDeep, MAX_DEPTH } from './limits.ts';
import { scanBlock } from './scan-block.ts';
import { scanDirective, scanName, scanTag } from './scan-properties.ts';
import { scanPlain, scanQuoted } from './scan-scalars.ts';
import type { MarkToken, Token } from './tokens.ts';

/** The maximum distance between the start of a key and its `:`, which is on the same line. */
const LONGEST_KEY = 1024;
// what YAML 1.1 calls printable
const NOT_PRINTABLE = /[^\t\n\r\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
/** ASCII characters with a meaning at the start of a token. */
const INDICATORS = new Set(Array.from('-?:,[]{}#&*!|>\'"%@`', (character) => character.charCodeAt(0)));

/** A position that turns out to be a key if a `:` follows. */
interface PossibleKey {
  /** The number of its first token. */
  token: number;
  index: number;
  line: number;
  column: number;
  /** Only a key is allowed at this position. */
  required: boolean;
}

/**
 * Splits a YAML 1.1 text into tokens exactly as PyYAML does, because AWS SAM CLI reads templates with it: indentation matters in
 * block collections only, not inside brackets or quotes. Throws `YamlError`.
 */
export class Scanner {
  private readonly cursor: Cursor;
  /** Tokens not returned yet: a `key` token may still have to go before the first of them. */
  private readonly waiting: Token[] = [];
  private returned = 0;
  /** The number of open brackets and braces. */
  private flowLevel = 0;
  /** The column of the innermost block collection (-1: none), and those of the outer ones. */
  private indent = -1;
  private readonly indents: number[] = [];
  /** Whether a key (in block context also a block collection) may start here. */
  private mayStartKey = true;
  /** The possible key of each flow level. */
  private readonly keys: (PossibleKey | undefined)[] = [undefined];

  constructor(text: string) {
    this.cursor = new Cursor(text);
    const wrong = NOT_PRINTABLE.exec(text);
    if (wrong !== null) this.cursor.fail('unprintable characters must be escaped in double quotes', wrong.index);
  }

  /** The next token; after the last one always `end`. */
  next(): Token {
    while (this.waiting.length === 0 || this.mayBecomeKey()) this.scan();
    this.returned++;
    return this.waiting.shift() ?? { type: 'end', start: this.cursor.index };
  }

  private mayBecomeKey(): boolean {
    this.dropStaleKeys();
    // the outermost possible key comes first
    for (let level = 0; level <= this.flowLevel; level++) {
      const key = this.keys[level];
      if (key !== undefined) return key.token === this.returned;
    }
    return false;
  }

  /** Adds the next token and the tokens that it implies. */
  private scan(): void {
    const { cursor } = this;
    this.skipToToken();
    this.dropStaleKeys();
    this.closeBlocks(cursor.column);
    const code = cursor.peek();
    if (!INDICATORS.has(code) && !isBlankOrEnd(code)) {
      if (cursor.column === 0 && this.scanDocumentPart()) return;
      this.scanPlain();
    } else if (code === NUL) this.scanEnd();
    else if (cursor.column > 0 || !this.scanDocumentPart()) this.scanIndicator(cursor.source.charAt(cursor.index));
  }

  /** Skips spaces, comments and line breaks, but not tabs. */
  private skipToToken(): void {
    const { cursor } = this;
    for (;;) {
      while (cursor.peek() === SPACE) cursor.index++;
      if (cursor.peek() === HASH) cursor.skipLine();
      if (!isBreak(cursor.peek())) return;
      cursor.takeBreak();
      if (this.flowLevel === 0) this.mayStartKey = true;
    }
  }

  private scanEnd(): void {
    this.closeBlocks(-1);
    this.removePossibleKey();
    this.keys.fill(undefined);
    this.mark('end');
  }

  private scanDocumentPart(): boolean {
    const character = this.cursor.source.charAt(this.cursor.index);
    const isDirective = character === '%';
    if (!isDirective && !this.cursor.isDocumentMark()) return false;
    this.closeBlocks(-1);
    this.removePossibleKey();
    this.mayStartKey = false;
    if (isDirective) this.waiting.push(scanDirective(this.cursor));
    else this.mark(character === '-' ? 'document-start' : 'document-end', 3);
    return true;
  }

  private scanIndicator(character: string): void {
    const { cursor } = this;
    const inFlow = this.flowLevel > 0;
    const isAlone = isBlankOrEnd(cursor.peek(1));
    if (character === "'" || character === '"') this.addNode(scanQuoted);
    else if (character === '!') this.addNode(scanTag);
    else if (character === '-' && isAlone) this.scanItem();
    else if (character === ':' && (inFlow || isAlone)) this.scanValue();
    else if (character === '[' || character === '{') this.openFlow(character);
    else if (character === ']' || character === '}') this.closeFlow(character);
    else if (character === ',') this.scanSeparator();
    else if (character === '?' && (inFlow || isAlone)) this.scanExplicitKey();
    else if (character === '*' || character === '&') this.addNode(scanName);
    else if ((character === '|' || character === '>') && !inFlow) this.scanBlock();
    else if (!isAlone && (character === '-' || (!inFlow && (character === '?' || character === ':')))) this.scanPlain();
    else if (cursor.peek() === TAB) cursor.fail('tabs are not allowed here; indent with spaces');
    else cursor.fail(`a value cannot start with ${character}; put it in quotes`);
  }

  private scanPlain(): void {
    this.savePossibleKey();
    const token = scanPlain(this.cursor, this.flowLevel > 0, this.indent);
    this.mayStartKey = this.cursor.lineStart > token.end;
    this.waiting.push(token);
  }

  private scanBlock(): void {
    this.removePossibleKey();
    this.mayStartKey = true;
    this.waiting.push(scanBlock(this.cursor, this.indent));
  }

  /** Adds a token that may be a key, or the start of one. */
  private addNode(scan: (cursor: Cursor) => Token): void {
    this.savePossibleKey();
    this.mayStartKey = false;
    this.waiting.push(scan(this.cursor));
  }

  private openFlow(type: '[' | '{'): void {
    this.savePossibleKey();
    this.flowLevel++;
    this.checkDepth();
    this.keys[this.flowLevel] = undefined;
    this.mayStartKey = true;
    this.mark(type, 1);
  }

  private closeFlow(type: ']' | '}'): void {
    if (this.flowLevel === 0) this.cursor.fail(`this ${type} closes nothing`);
    this.removePossibleKey();
    this.flowLevel--;
    this.mayStartKey = false;
    this.mark(type, 1);
  }

  private scanSeparator(): void {
    this.removePossibleKey();
    this.mayStartKey = true;
    this.mark(',', 1);
  }

  private scanItem(): void {
    if (this.flowLevel === 0) this.openBlock('block-sequence', 'a list item is not allowed here');
    this.removePossibleKey();
    this.mayStartKey = true;
    this.mark('item', 1);
  }

  private scanExplicitKey(): void {
    if (this.flowLevel === 0) this.openBlock('block-mapping', 'a key is not allowed here');
    this.removePossibleKey();
    this.mayStartKey = this.flowLevel === 0;
    this.mark('key', 1);
  }

  private scanValue(): void {
    const key = this.keys[this.flowLevel];
    if (key !== undefined) {
      this.keys[this.flowLevel] = undefined;
      const at = key.token - this.returned;
      this.waiting.splice(at, 0, { type: 'key', start: key.index });
      if (this.flowLevel === 0 && this.addIndent(key.column))
        this.waiting.splice(at, 0, { type: 'block-mapping', start: key.index });
      this.mayStartKey = false;
    } else {
      if (this.flowLevel === 0)
        this.openBlock('block-mapping', 'unexpected ":"; check the indentation, or put the text in quotes');
      this.mayStartKey = this.flowLevel === 0;
    }
    this.mark('value', 1);
  }

  private savePossibleKey(): void {
    if (!this.mayStartKey) return;
    this.removePossibleKey();
    const { index, line, column } = this.cursor;
    const required = this.flowLevel === 0 && this.indent === column;
    this.keys[this.flowLevel] = { token: this.returned + this.waiting.length, index, line, column, required };
  }

  private removePossibleKey(): void {
    const key = this.keys[this.flowLevel];
    if (key !== undefined) this.dropKey(key, this.flowLevel);
  }

  /** A key and its `:` are on the same line and close to each other. */
  private dropStaleKeys(): void {
    const { line, index } = this.cursor;
    for (let level = 0; level <= this.flowLevel; level++) {
      const key = this.keys[level];
      if (key !== undefined && (key.line !== line || index - key.index > LONGEST_KEY)) this.dropKey(key, level);
    }
  }

  private dropKey(key: PossibleKey, level: number): void {
    if (key.required) this.cursor.fail('expected a key here, but no ":" follows', key.index);
    this.keys[level] = undefined;
  }

  /** Opens a block collection at this column unless it is open already. */
  private openBlock(type: 'block-sequence' | 'block-mapping', complaint: string): void {
    if (!this.mayStartKey) this.cursor.fail(complaint);
    if (this.addIndent(this.cursor.column)) this.mark(type);
  }

  private addIndent(column: number): boolean {
    if (this.indent >= column) return false;
    this.indents.push(this.indent);
    this.indent = column;
    this.checkDepth();
    return true;
  }

  /** Closes the block collections that are indented deeper than `column`. Inside brackets indentation is ignored. */
  private closeBlocks(column: number): void {
    if (this.flowLevel > 0) return;
    while (this.indent > column) {
      this.indent = this.indents.pop() ?? -1;
      this.mark('block-end');
    }
  }

  private mark(type: MarkToken['type'], length = 0): void {
    this.waiting.push({ type, start: this.cursor.index });
    this.cursor.index += length;
  }

  private checkDepth(): void {
    if (this.flowLevel + this.indents.length > MAX_DEPTH) failTooDeep(this.cursor.index);
  }
}
