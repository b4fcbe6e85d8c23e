import { GLOBSTAR, Minimatch } from 'minimatch';
import type { MinimatchOptions } from 'minimatch';

/** Whether the bare name of a file or folder matches. */
export type NameMatcher = (name: string) => boolean;

/** `*` matches names that begin with a dot too; a `#` or `!` at the beginning is part of the name. */
const LITERAL_START = { dot: true, nocomment: true, nonegate: true } as const satisfies MinimatchOptions;
/** Braces and `+(…)` are part of a name. */
const NAMES = { ...LITERAL_START, nobrace: true, noext: true } as const satisfies MinimatchOptions;

/** Compiles patterns of bare names, e.g. `*.pyc`, `__pycache__`. */
export function compileNames(patterns: readonly string[]): NameMatcher {
  const exact = new Set(patterns.filter((pattern) => !isGlob(pattern)));
  const globs = patterns.filter(isGlob).map((pattern) => toRegExp(pattern, NAMES));
  return (name) => exact.has(name) || globs.some((glob) => glob.test(name));
}

/**
 * Compiles names to leave out below a folder, at any depth; a pattern that begins with `/` counts directly in the folder
 * only (`isTop`).
 */
export function compileExcludes(patterns: readonly string[]): ExcludeMatcher {
  const known = compiled.get(patterns);
  if (known !== undefined) return known;
  const matcher = compileNew(patterns);
  compiled.set(patterns, matcher);
  return matcher;
}

type ExcludeMatcher = (name: string, isTop: boolean) => boolean;

/** By the list itself: workflows pass the same list for each function, several times. */
const compiled = new WeakMap<readonly string[], ExcludeMatcher>();

function compileNew(patterns: readonly string[]): ExcludeMatcher {
  const anywhere = compileNames(patterns.filter((pattern) => !pattern.startsWith('/')));
  const atTop = compileNames(patterns.filter((pattern) => pattern.startsWith('/')).map((pattern) => pattern.slice(1)));
  return (name, isTop) => anywhere(name) || (isTop && atTop(name));
}

/**
 * Compiles a glob as `.gitignore` reads it, for relative paths with `/`: without a slash it matches names at any depth, and
 * everything below a match matches too. `{a,b}` is a choice.
 */
export function compileIgnoreGlob(glob: string): (relative: string) => boolean {
  const plain = glob.replace(/^\.?\/+|\/+$/g, '');
  const anchored = plain.includes('/') ? plain : `**/${plain}`;
  const matchers = [anchored, `${anchored}/**`].map((pattern) => toRegExp(pattern, { ...LITERAL_START, noext: true }));
  return (relative) => matchers.some((matcher) => matcher.test(relative));
}

/** Patterns of folders, for paths relative to the workspace's root, with `/`. */
export interface FolderPatterns {
  matches(relative: string): boolean;
  /** Whether a folder below this one can match. */
  mayMatchBelow(relative: string): boolean;
}

/** Compiles patterns of workspace members, as npm and uv read them; `!pattern` removes folders that an earlier one added. */
export function compileFolders(patterns: readonly string[]): FolderPatterns {
  const compiled = patterns.map((pattern) => {
    const plain = pattern.replace(/^!/, '').replace(/^\.\//, '').replace(/\/+$/, '');
    return { adds: !pattern.startsWith('!'), matcher: new Minimatch(plain, LITERAL_START) };
  });
  return {
    matches: (relative) => compiled.findLast(({ matcher }) => matcher.match(relative))?.adds === true,
    mayMatchBelow: (relative) => {
      const depth = relative.split('/').length;
      return compiled.some(
        ({ adds, matcher }) =>
          adds &&
          matcher.match(relative, true) &&
          matcher.set.some((parts) => parts.length > depth || parts.some((part) => part === GLOBSTAR)),
      );
    },
  };
}

/** Returns the pattern that matches exactly this name. */
export function escapeGlob(name: string): string {
  return name.replace(/[*?[]/g, '[$&]');
}

/** Whether a part of a path is a pattern rather than a name. */
export function isGlob(part: string): boolean {
  return /[*?[]/.test(part);
}

function toRegExp(pattern: string, options: MinimatchOptions): RegExp {
  // what is no pattern at all, such as an empty one, matches nothing
  return new Minimatch(pattern, options).makeRe() || /(?!)/;
}
