import { expect, it, test } from 'vitest';
import { keyOf, withoutLoginLines, withoutLogins } from '../../../src/builder/build-key.ts';

it('keys differ where any part does, and only there', () => {
  expect(keyOf('a', { x: 1, y: [2] })).toBe(keyOf('a', { y: [2], x: 1 }));
  const keys = [
    keyOf('a'),
    keyOf('b'),
    keyOf('a', undefined),
    keyOf(['a']),
    keyOf('a', { x: 1 }),
    keyOf('a', { x: '1' }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyOf('a')).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  ['https://aws:token1@example.com/simple', 'https://aws:token2@example.com/simple'],
  ['//registry.example.com/:_authToken=abc', '//registry.example.com/:_authToken=def'],
  ['_auth = abc', '_auth = def'],
  ['npmAuthToken: abc', 'npmAuthToken: def'],
])('a renewed login is no other setting: %s', (one, two) => {
  expect(withoutLoginLines(one)).toBe(withoutLoginLines(two));
});

test.each([
  ['https://a.example.com/simple', 'https://b.example.com/simple'],
  ['some-token==1', 'some-token==2'],
  ['csrf_auth==1', 'csrf_auth==2'],
  ['  csrf-token: 1.0.0', '  csrf-token: 2.0.0'],
])('another registry or version is another manifest: %s', (one, two) => {
  expect(withoutLogins(one)).not.toBe(withoutLogins(two));
});
