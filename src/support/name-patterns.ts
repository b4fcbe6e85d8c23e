/** Tells whether a file's or folder's bare name matches one of the patterns (`*`, `?`, `[…]` as in a shell). */
export type NameMatcher = (name: string) => boolean;

/** Compiles patterns of bare names, e.g. `*.pyc`, `__pycache__`. */
export function compileNames(patterns: readonly string[]): NameMatcher {
  const exact = new Set(patterns.filter((pattern) => !/[*?[]/.test(pattern)));
  const wild = patterns.filter((pattern) => /[*?[]/.test(pattern)).map(toRegExp);
  return (name) => exact.has(name) || wild.some((regExp) => regExp.test(name));
}

function toRegExp(pattern: string): RegExp {
  const text = pattern.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return part.replace(/^\[!/, '[^').replace(/\\/g, '\\\\');
    return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${text}$`, 's');
}

/** `a.b.ts` has the stems `a.b.ts`, `a.b` and `a`. */
export function stemsOf(name: string): string[] {
  const parts = name.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
