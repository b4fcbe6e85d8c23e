import type { Span } from '../model/spans.ts';

/** A duration with as many digits as help: `8 ms`, `0.42 s`, `12 s`, `3 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 100) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** How long ago, in one unit. */
export function formatAgo(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds - (seconds % 5)} s ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** The time of day. */
export function formatTime(at: number): string {
  // `hour12: false` has an hour 24 in English
  return new Date(at).toLocaleTimeString([], { hourCycle: 'h23' });
}

/** A string, a bracket, a colon, a comma, or a number or word. */
const JSON_TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;

/** JSON with indentation; other text as it is. Only the space between tokens changes: JavaScript rounds large numbers. */
export function prettyJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const parts: string[] = [];
  let depth = 0;
  let isEmpty = false;
  const newLine = (): string => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(JSON_TOKENS)) {
    const isStart = token === '{' || token === '[';
    if (token === '}' || token === ']') {
      depth--;
      parts.push(isEmpty ? token : newLine() + token);
    } else {
      if (isEmpty) parts.push(newLine());
      if (isStart) depth++;
      parts.push(token === ',' ? token + newLine() : token === ':' ? ': ' : token);
    }
    isEmpty = isStart;
  }
  return parts.join('');
}

/** The colour of a kind of span, as page.css has it for light and dark. */
export function colorOf(kind: Span['kind']): string {
  return `var(--k-${kind})`;
}

/** `Function` for `AWS::Serverless::Function`. */
export function shortType(type: string): string {
  return type.split('::').at(-1) ?? type;
}
