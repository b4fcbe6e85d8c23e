import { describe, expect, it } from 'vitest';
import { compilePathPatterns } from '../../../src/files/path-patterns.ts';

const CODE = '/home/me/app/fn';
const matches = (pattern: string, below: string): boolean => compilePathPatterns([pattern])(`${CODE}/${below}`, below);

describe('--watch-exclude', () => {
  it.each<[string, string, boolean]>([
    // as the peer reads them: regular expressions anywhere in the absolute path
    ['data.db', 'data.db', true],
    ['data.db', 'sub/data.db', true],
    ['data.db', 'data.db-journal', true],
    ['data.db', 'data/db', true],
    ['tests', 'tests/x.py', true],
    ['app/fn/local', 'local/x', true],
    ['.*\\.log$', 'a/b.log', true],
    ['.*\\.log$', 'b.log.txt', false],
    ['\\d{2,3}', 'x123', true],
    ['(a|b)/c', 'b/c', true],
    ['nothing', 'app.py', false],
    // what only makes sense as a glob
    ['*.db', 'data.db', true],
    ['*.db', 'sub/data.db', true],
    ['*.db', 'data.dbx', false],
    ['**/*.tmp', 'a/b/c.tmp', true],
    ['**/*.tmp', 'c.tmp', true],
    ['logs/*', 'logs/today', true],
    ['logs/*', 'other/logs/today', false],
    ['logs/**', 'logs/a/b', true],
    ['./logs/*', 'logs/a', true],
    ['src/*.log', 'src/blog.py', false],
    ['src/*.log', 'src/b.log', true],
    ['*.{db,sqlite}', 'x.sqlite', true],
    ['*.{db,sqlite}', 'x.sql', false],
    ['*[0-9].txt', 'a1.txt', true],
    // no regular expression at all
    ['[', '[', true],
    ['a(b', 'a(b', true],
  ])('%s and %s: %s', (pattern, below, expected) => expect(matches(pattern, below)).toBe(expected));
});
