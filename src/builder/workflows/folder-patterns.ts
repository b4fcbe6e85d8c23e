import { GLOBSTAR, Minimatch } from 'minimatch';

/** Patterns of folders, relative to the workspace's root and with `/`. */
export interface FolderPatterns {
  matches(relative: string): boolean;
  /** Whether a folder below this one can match. */
  mayMatchBelow(relative: string): boolean;
}

/** Patterns with `*` and `**`; those that begin with `!` take folders away again. */
export function compilePatterns(patterns: readonly string[]): FolderPatterns {
  const compiled = patterns.map((pattern) => {
    const plain = pattern.replace(/^!/, '').replace(/^\.\//, '').replace(/\/+$/, '');
    const matcher = new Minimatch(plain, { dot: true, nocomment: true, nonegate: true });
    return { adds: !pattern.startsWith('!'), matcher };
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
