import { SourceNumber } from './template.ts';
import type { TemplateValue } from './template.ts';
import { failTooDeep, MAX_DEPTH } from './yaml/limits.ts';

const STRING_OR_BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/g;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
/** Cannot be the beginning of a text in JSON that a user wrote: a lone surrogate. */
const MARK = '\uDC00#';

/**
 * The value if the text is JSON, else undefined. Numbers whose text would change when written again (`2.0`, 20-digit ids)
 * keep it. Throws `LimitError` if it is nested too deep.
 */
export function parseJson(text: string): TemplateValue | undefined {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  let value: TemplateValue;
  try {
    value = JSON.parse(text);
  } catch {
    // YAML in braces, or a mistake that the YAML reader will name with its place
    return undefined;
  }
  const tooDeep = tooDeepAt(text);
  if (tooDeep !== undefined) failTooDeep(tooDeep);
  const kept = keepNumberTexts(text);
  return kept === undefined ? value : JSON.parse(kept, revive);
}

/** Where the text, which is JSON, is nested too deep: what follows a value down needs the call stack. undefined: nowhere. */
export function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(STRING_OR_BRACKET)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_DEPTH) return index;
  }
  return undefined;
}

/** The JSON text with such numbers as marked strings, or undefined if there are none. */
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
