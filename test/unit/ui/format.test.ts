import { expect, it } from 'vitest';
import { prettyJson } from '../../../src/ui/page/format.ts';

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
