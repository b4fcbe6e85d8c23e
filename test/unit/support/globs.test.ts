import { expect, test } from 'vitest';
import { compileExcludes, compileFolders, compileNames, escapeGlob } from '../../../src/support/globs.ts';

test.each([
  [['*.pyc'], 'a.pyc', true],
  [['*.pyc'], 'a.py', false],
  [['.env'], '.env', true],
  [['.env'], '.environment', false],
  [['pip-*.txt'], 'pip-log.txt', true],
  [['a?c'], 'abc', true],
  [['a?c'], 'abbc', false],
  [['[ab].txt'], 'b.txt', true],
  [['[!ab].txt'], 'b.txt', false],
  [['a.b'], 'axb', false],
  [['(x)+*'], '(x)+y', true],
  [['+(x)*'], '+(x)y', true],
  [['{a,b}*'], '{a,b}c', true],
  [['*'], '.env', true],
  [['#*#'], '#a#', true],
  [['.*.sw?'], '.app.py.swp', true],
  [['!*'], '!a', true],
  [['?'], '\n', true],
  [['['], '[', true],
])('%j matches %s: %s', (patterns, name, matches) => {
  expect(compileNames(patterns)(name)).toBe(matches);
});

test.each([
  ['packages/a', ['packages/*'], true],
  ['packages/a/b', ['packages/*'], false],
  ['packages/a/b', ['packages/**'], true],
  ['packages', ['packages/**'], false],
  ['apps/x', ['packages/*', './apps/x/'], true],
  ['packages/b', ['packages/*', '!packages/b'], false],
  ['a/b/c', ['**/c'], true],
  ['c', ['**/c'], true],
  ['packages/ab', ['packages/a'], false],
  ['packages/a', ['packages/{a,b}'], true],
  ['packages/b', ['packages/*', '!packages/*', 'packages/b'], true],
])('the workspace member %s by %j: %s', (folder, patterns, matches) => {
  expect(compileFolders(patterns).matches(folder)).toBe(matches);
});

test.each([
  ['packages', ['packages/*'], true],
  ['packages/a', ['packages/*'], false],
  ['other', ['packages/*', '!other/*'], false],
  ['any/depth', ['**/x'], true],
  ['apps/web', ['apps/*/lib'], true],
])('members below %s by %j: %s', (folder, patterns, possible) => {
  expect(compileFolders(patterns).mayMatchBelow(folder)).toBe(possible);
});

test.each([
  [['*.pyc', '/build'], 'a.pyc', false, true],
  [['*.pyc', '/build'], 'build', true, true],
  [['*.pyc', '/build'], 'build', false, false],
  [['/*.log'], 'a.log', true, true],
  [['/*.log'], 'a.log', false, false],
])('%j excludes %s (at the top: %s): %s', (patterns, name, isTop, excluded) => {
  expect(compileExcludes(patterns)(name, isTop)).toBe(excluded);
});

test.each(['[id]', 'a*b', '[', '?', '[!x]y'])('the escaped name %s matches itself alone', (name) => {
  const matches = compileNames([escapeGlob(name)]);
  expect([name, 'i', 'd', 'axb', 'z', 'zy'].filter(matches)).toEqual([name]);
});
