import { UsageError } from '../../errors.ts';

/** A key and its value, with quotes and escapes resolved. */
export interface Pair {
  key: string;
  value: string;
}

/**
 * `parameters`: keys are names, spaces separate pairs (a value may contain tabs and line ends), and the AWS CLI's long form
 * is understood. `tags`: keys are any text, and any white space separates pairs.
 */
export type Dialect = 'parameters' | 'tags';

const KEYS = { parameters: /[A-Za-z0-9_.:-]+(?==)/y, tags: /[^\s="']+(?==)/y } as const;
const LONG_FORM = /ParameterKey=("[^"]*"|'[^']*'|[^,\s"']+),ParameterValue=/y;
const KEEP_VALUE = /,UsePreviousValue=true$/;

/**
 * Reads `K=V K2="a b" "K3=c d"`, and `ParameterKey=K,ParameterValue=V` among it. Throws a `UsageError` that names the first
 * word of another form. Quotes count at the start of a word or value; `\ `, `\"` and `\'` escape their second character.
 */
export function parsePairs(text: string, dialect: Dialect, place: string): Pair[] {
  const pairs: Pair[] = [];
  let index = skipWhiteSpace(text, 0);
  while (index < text.length) {
    const { pair, end } = readPair(text, index, { dialect, place });
    if (pair) pairs.push(pair);
    index = skipWhiteSpace(text, end);
  }
  return pairs;
}

/** Removes one pair of quotes around the whole text and resolves `\ `, `\"` and `\'`, as SAM CLI does. */
export function unquote(text: string): string {
  return unescape(isQuoted(text) ? text.slice(1, -1) : text);
}

/** Escapes a text so that `unquote` returns it: the inverse of `unquote`. */
export function protect(text: string): string {
  const escaped = text.replace(/\\(?=[ "'])/g, '\\\\');
  return /^(["'])(.*\1)?$/s.test(escaped) ? `\\${escaped}` : escaped;
}

interface ReadContext {
  dialect: Dialect;
  place: string;
}

interface Read<T> {
  pair: T;
  end: number;
}

function readPair(text: string, start: number, context: ReadContext): Read<Pair | undefined> {
  const long = context.dialect === 'parameters' ? matchAt(LONG_FORM, text, start) : null;
  if (long) return readLongForm(text, start, context, unquote(long[1] ?? ''));
  const quote = quoteAt(text, start);
  if (quote === undefined) {
    const key = matchAt(KEYS[context.dialect], text, start)?.[0];
    if (key === undefined) throw badWord(text, start, context);
    const { value, end } = readValue(text, start + key.length + 1, context);
    return { pair: context.dialect === 'parameters' ? interpret(key, value) : { key, value }, end };
  }
  const close = closingQuote(text, start, quote);
  if (close === undefined) throw unclosed(text, start, context);
  const content = unescape(text.slice(start + 1, close));
  if (text[close + 1] === '=') {
    const { value, end } = readValue(text, close + 2, context);
    return { pair: { key: content, value }, end };
  }
  const split = content.indexOf('=');
  if (split <= 0 || !endsWord(text, close + 1, context)) throw badWord(text, start, context);
  return { pair: { key: content.slice(0, split), value: unquote(content.slice(split + 1)) }, end: close + 1 };
}

/** Reads the AWS CLI's form, whose lists write `\,` for a comma. */
function readLongForm(text: string, start: number, context: ReadContext, key: string): Read<Pair | undefined> {
  const from = start + (matchAt(LONG_FORM, text, start)?.[0].length ?? 0);
  const { value, end } = readValue(text, from, context);
  if (KEEP_VALUE.test(value))
    throw new UsageError(
      `${context.place}: ${key} has both a ParameterValue and UsePreviousValue=true: remove one of them`,
    );
  return { pair: { key, value: value.replace(/,UsePreviousValue=false$/, '').replaceAll('\\,', ',') }, end };
}

/** Recognizes short pairs that are the AWS CLI's form in another order or without a value. */
function interpret(key: string, value: string): Pair | undefined {
  if (key === 'ParameterValue') {
    const reversed = /^(.*),ParameterKey=([^,]+)$/s.exec(value);
    if (reversed) return { key: unquote(reversed[2] ?? ''), value: unquote(reversed[1] ?? '') };
  }
  // a parameter that is not overridden keeps its previous value anyway
  if (key === 'ParameterKey' && KEEP_VALUE.test(value)) return undefined;
  return { key, value };
}

function readValue(text: string, start: number, context: ReadContext): { value: string; end: number } {
  const quote = quoteAt(text, start);
  if (quote === undefined) {
    let end = start;
    while (end < text.length && !isSeparator(text[end], context)) end += text[end] === '\\' ? 2 : 1;
    end = Math.min(end, text.length);
    return { value: unescape(text.slice(start, end)), end };
  }
  const close = closingQuote(text, start, quote);
  if (close === undefined) throw unclosed(text, start, context);
  if (!endsWord(text, close + 1, context)) throw badWord(text, close + 1, context);
  return { value: unescape(text.slice(start + 1, close)), end: close + 1 };
}

function isQuoted(text: string): boolean {
  const quote = quoteAt(text, 0);
  return quote !== undefined && text.length > 1 && closingQuote(text, 0, quote) === text.length - 1;
}

function closingQuote(text: string, start: number, quote: string): number | undefined {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === quote) return index;
  }
  return undefined;
}

function quoteAt(text: string, index: number): string | undefined {
  const character = text[index];
  return character === '"' || character === "'" ? character : undefined;
}

function unescape(text: string): string {
  return text.replace(/\\([ "'])/g, '$1');
}

function isSeparator(character: string | undefined, context: ReadContext): boolean {
  return context.dialect === 'parameters' ? character === ' ' : /\s/.test(character ?? '');
}

function endsWord(text: string, index: number, context: ReadContext): boolean {
  return index >= text.length || isSeparator(text[index], context) || text.slice(index).trim() === '';
}

function skipWhiteSpace(text: string, start: number): number {
  let index = start;
  while (index < text.length && /\s/.test(text[index] ?? '')) index++;
  return index;
}

function matchAt(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

function wordAt(text: string, start: number): string {
  return /^\S*/.exec(text.slice(start))?.[0] ?? '';
}

function badWord(text: string, start: number, context: ReadContext): UsageError {
  return new UsageError(`${context.place}: \`${wordAt(text, start)}\` does not have the form Key=Value`, {
    hint: `Quote a value with spaces so that the quotes reach the program: 'Key="some words"'.`,
  });
}

function unclosed(text: string, start: number, context: ReadContext): UsageError {
  return new UsageError(`${context.place}: the quote at \`${wordAt(text, start)}\` has no closing quote`);
}
