import { expect, it } from 'vitest';
import { formatTime, prettyJson } from '../../../src/ui/page/format.ts';

it.each([
  // JavaScript would round the numbers, and would sort the names
  ['{"b":12345678901234567890,"10":1.0,"2":1e400}', '{\n  "b": 12345678901234567890,\n  "10": 1.0,\n  "2": 1e400\n}'],
  [
    ' {"a":[],"b":{ },"c":[1,{"d":null}]} ',
    '{\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": null\n    }\n  ]\n}',
  ],
  [String.raw`["a\"[{:,", "\\", "ü<b>"]`, String.raw`[?  "a\"[{:,",?  "\\",?  "ü<b>"?]`.replaceAll('?', '\n')],
  ['"text"', '"text"'],
  ['-0', '-0'],
  ['{"a": ', '{"a": '],
  ['', ''],
])('%s: indents JSON and changes no value', (text, pretty) => {
  expect(prettyJson(text)).toBe(pretty);
  expect(prettyJson(pretty)).toBe(pretty);
});

// time that grows with the square of the length takes minutes here
it('a response of megabytes is indented', () => {
  const names = Array.from({ length: 40_000 }, (_, index) => ({ name: `order ${index}` }));
  expect(prettyJson(JSON.stringify(names))).toBe(JSON.stringify(names, undefined, 2));
  const image = JSON.stringify({ body: 'ab\\n'.repeat(500_000) });
  expect(prettyJson(image).length).toBe(image.length + '\n  '.length + ' '.length + '\n'.length);
});

it('the first hour of a day is 0', () => {
  expect(formatTime(new Date(2026, 0, 1, 0, 5, 9).getTime())).toMatch(/^0?0.05.09$/);
});
