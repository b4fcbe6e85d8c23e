import { assert, jsonValue, property } from 'fast-check';
import { expect, it } from 'vitest';
import { count, either, fields, flag, listOf, parseJson, recordOf, text } from '../../../src/support/shapes.ts';

it('readers give what has the shape, and nothing else', () => {
  expect([text('a'), text(''), text(1), text(null)]).toEqual(['a', '', undefined, undefined]);
  expect([flag(false), flag('false'), count(3), count(-1), count(1.5)]).toEqual([
    false,
    undefined,
    3,
    undefined,
    undefined,
  ]);
  expect([listOf(text)(['a']), listOf(text)(['a', 1]), listOf(text)('a'), listOf(text)([])]).toEqual([
    ['a'],
    undefined,
    undefined,
    [],
  ]);
  expect([recordOf(text)({ a: 'b' }), recordOf(text)({ a: 1 }), recordOf(text)(['a'])]).toEqual([
    { a: 'b' },
    undefined,
    undefined,
  ]);
  expect([either(text, flag)(true), either(text, flag)(1)]).toEqual([true, undefined]);
  expect([fields(null), fields([]), fields({ a: 1 })]).toEqual([undefined, undefined, { a: 1 }]);
  expect([parseJson('\uFEFF[1]'), parseJson('{'), parseJson('')]).toEqual([[1], undefined, undefined]);
});

it('readers throw for nothing that JSON can hold', () => {
  const readers = [text, flag, count, fields, listOf(text), recordOf(either(text, listOf(count)))];
  assert(
    property(jsonValue(), (value) => {
      for (const read of readers) read(value);
    }),
  );
});
