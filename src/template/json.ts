import { SourceNumber } from './template.ts';
import type { TemplateValue } from './template.ts';
import { failTooDeep, MAX_DEPTH } from './yaml/limits.ts';

const STRING_OR_BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/g;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
/** A lone surrogate, with which no text of a user's JSON begins. */
const MARK = '\uDC00#';

/**
 * Parses JSON; undefined if the text is no JSON. Numbers whose text would change when written again (`2.0`, 20-digit IDs) keep
 * it. Throws `LimitError` for excessive nesting.
 */
export function parseJson(text: string): TemplateValue | undefined {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  let value: TemplateValue;
  try {
    value = JSON.parse(text);
  } catch {
    // YAML in braces, or a syntax error that the YAML reader reports with its position
    return undefined;
  }
  const tooDeep = tooDeepAt(text);
  if (tooDeep !== undefined) failTooDeep(tooDeep);
  const kept = keepNumberTexts(text);
  return kept === undefined ? value : JSON.parse(kept, revive);
}

/** Returns the offset at which valid JSON is nested too deep for recursive functions, if any. */
export function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(STRING_OR_BRACKET)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_DEPTH) return index;
  }
  return undefined;
}

/** Replaces such numbers by marked strings; undefined if there are none. */
function keepNumberTexts(text: string): string | undefined {
  let found = false;
  const kept = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"') || String(Number(token)) === token) return token;
    found = true;
    return `"${MARK}${token}"`;
  });
  return found ? kept : undefined;
}

function revive(_key: string, value: TemplateValue): TemplateValue {
  if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
  const text = value.slice(MARK.length);
  return new SourceNumber(Number(text), text);
}
