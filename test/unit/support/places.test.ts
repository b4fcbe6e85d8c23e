import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { asSegment, isBelow, isSegment, placeBelow, quoted } from '../../../src/support/places.ts';

describe('one segment of a path', () => {
  it.each(['a', 'A-1_b.c', '...', '.a', 'ü', 'a b', 'a'.repeat(255)])('is %j', (name) => {
    expect(isSegment(name, 'linux')).toBe(true);
    expect(asSegment(name, 'It')).toBe(name);
  });

  it.each(['', '.', '..', 'a/b', '/', 'a\\b', '../x', 'a\0b', 'ü'.repeat(128)])('is not %j', (name) => {
    expect(isSegment(name, 'linux')).toBe(false);
    expect(() => asSegment(name, 'The ID')).toThrow(/^The ID is not a valid file name: "/);
  });

  it.each(['con', 'NUL', 'com1', 'aux.txt', 'a:', 'C:', 'a.', 'a ', 'a?', '<'])('on Windows is not %j', (name) => {
    expect({ linux: isSegment(name, 'linux'), win32: isSegment(name, 'win32') }).toEqual({ linux: true, win32: false });
  });
});

describe('a place below a folder', () => {
  const folder = path.resolve('/base/folder');

  it.each(['a', 'a/b', './a', 'a/../b', '..a', '...'])('is %j', (relative) => {
    expect(placeBelow(folder, relative, 'It')).toBe(path.resolve(folder, relative));
  });

  it.each(['', '.', '..', '../folder', '../folder2', 'a/../..', '/etc/passwd', 'a\0'])('is not %j', (relative) => {
    expect(() => placeBelow(folder, relative, 'The file')).toThrow(/^The file leads out of its folder: "/);
  });

  it('is not the folder itself', () => {
    expect(isBelow(folder, folder)).toBe(false);
    expect(isBelow(path.join(folder, 'x'), folder)).toBe(true);
  });
});

it('texts of others are shown without control characters, and not longer than can be read', () => {
  expect(quoted('a\u001b[31m\n')).toBe(String.raw`"a\u001b[31m\n"`);
  expect(quoted('x'.repeat(300))).toBe(`"${'x'.repeat(80)}…"`);
});
