import * as fs from 'node:fs/promises';
import * as path from 'node:path';

/** An error that a source file makes for the user. */
export interface ErrorMessage {
  /** Below `src/`. */
  file: string;
  line: number;
  /** The literal parts of the message, in order: what is filled in stands between them. */
  parts: readonly string[];
}

const MADE = /\bnew (?:User|Usage|Template|Build)Error\(/g;
/** So many words in a row are a part of a message that no other text has by accident. */
const WORDS = 4;

/** The messages of errors in all source files whose text stands where the error is made. */
export async function readErrorMessages(src: string): Promise<ErrorMessage[]> {
  const messages: ErrorMessage[] = [];
  for (const file of (await fs.readdir(src, { recursive: true })).filter((name) => name.endsWith('.ts')).sort()) {
    const text = await fs.readFile(path.join(src, file), 'utf8');
    for (const match of text.matchAll(MADE)) {
      const parts = literalParts(text, match.index + match[0].length);
      const line = text.slice(0, match.index).split('\n').length;
      if (parts.length > 0) messages.push({ file: file.split(path.sep).join('/'), line, parts });
    }
  }
  return messages;
}

/** Those of which no part is among the tests' texts. A part that another message has as well does not count, if it has others. */
export function untestedMessages(messages: readonly ErrorMessage[], tests: string): ErrorMessage[] {
  const haystack = simplify(tests);
  const phrases = messages.map(({ parts }) => new Set(parts.flatMap(phrasesOf)));
  const counts = new Map<string, number>();
  for (const phrase of phrases.flatMap((own) => [...own])) counts.set(phrase, (counts.get(phrase) ?? 0) + 1);
  return messages.filter((_, index) => {
    const own = [...(phrases[index] ?? [])];
    const distinctive = own.filter((phrase) => counts.get(phrase) === 1);
    return !(distinctive.length > 0 ? distinctive : own).some((phrase) => haystack.includes(phrase));
  });
}

/** Runs of words; a shorter text is one run. */
function phrasesOf(part: string): string[] {
  const words = simplify(part)
    .split(' ')
    .filter((word) => /\w/.test(word));
  if (words.length <= WORDS) return words.join('').length < 5 ? [] : [words.join(' ')];
  return words.slice(WORDS - 1).map((_, start) => words.slice(start, start + WORDS).join(' '));
}

/** Words with one space between them: without punctuation, and what regular expressions are made of. */
function simplify(text: string): string {
  return text.replaceAll(/\\[nsdSw]/g, ' ').replaceAll(/[^\p{L}\p{N}_-]+/gu, ' ');
}

/** The literals of an argument that begins at `start`, and of what it is made of; it ends with a comma or parenthesis. */
function literalParts(text: string, start: number): string[] {
  const parts: string[] = [];
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) {
      if (depth-- === 0) break;
    } else if (character === ',' && depth === 0) break;
    else if (`'"\``.includes(character)) at = readLiteral(text, at, parts);
  }
  return parts.filter((part) => /[a-z]{2}/i.test(part));
}

/** Adds the parts of the literal at `start`; gives where it ends. */
function readLiteral(text: string, start: number, parts: string[]): number {
  const quote = text[start] ?? '';
  let part = '';
  let at = start + 1;
  for (; text[at] !== quote; at++) {
    if (text[at] === '\\') part += text[++at] ?? '';
    else if (quote === '`' && text.startsWith('${', at)) {
      parts.push(part);
      part = '';
      at = endOfHole(text, at + 2);
    } else part += text[at] ?? '';
  }
  parts.push(part);
  return at;
}

/** Where the brace is that ends what is filled in. */
function endOfHole(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '{') depth++;
    else if (character === '}' && depth-- === 0) return at;
    else if (`'"\``.includes(character)) at = readLiteral(text, at, []);
  }
  return text.length;
}
