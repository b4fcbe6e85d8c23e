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
  return new Date(at).toLocaleTimeString([], { hour12: false });
}

/** JSON with indentation; other text as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

/** `Function` for `AWS::Serverless::Function`. */
export function shortType(type: string): string {
  return type.split('::').at(-1) ?? type;
}
