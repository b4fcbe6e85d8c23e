import { compileIgnoreGlob } from '../support/globs.ts';

/** Whether a path matches. `below`: the path relative to the resource's code, with `/`. */
export type PathMatcher = (absolute: string, below: string) => boolean;

/**
 * Compiles values of `--watch-exclude`. SAM CLI searches the absolute path for each as a regular expression; a value that
 * only makes sense as a glob (`*.db`, `logs/**`) is matched as one, below the resource's code. Pure.
 */
export function compilePathPatterns(patterns: readonly string[]): PathMatcher {
  const matchers = patterns.map(compilePattern);
  return (absolute, below) => matchers.some((matches) => matches(absolute, below));
}

function compilePattern(pattern: string): PathMatcher {
  const regExp = isGlob(pattern) ? undefined : asRegExp(pattern);
  if (regExp === undefined) {
    const matches = compileIgnoreGlob(pattern);
    return (_absolute, below) => matches(below);
  }
  // on Windows the pattern may be written with `/` or `\`
  return (absolute) => regExp.test(absolute) || regExp.test(absolute.replaceAll('\\', '/'));
}

/** A regular expression has no `*` at its start or after `/`, and no choice in braces. */
function isGlob(pattern: string): boolean {
  return /(^|\/)\*/.test(pattern) || /\{[^{}]*,[^{}]*[^\d,{}][^{}]*\}/.test(pattern);
}

function asRegExp(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
