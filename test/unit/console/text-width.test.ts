import { expect, it } from 'vitest';
import { textWidth } from '../../../src/console/text-width.ts';

it.each([
  ['', 0],
  ['plain text', 10],
  ['\u001B[31mred\u001B[39m', 3],
  ['Grüße', 5],
  // with a combining mark, and an invisible joiner
  ['e\u0301', 1],
  ['\u200B', 0],
  ['日本語', 6],
  ['한국', 4],
  ['✔ done', 6],
  ['🎉', 2],
  ['👩‍💻', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['1️⃣', 2],
  ['█░', 2],
])('%j takes %i columns', (text, columns) => {
  expect(textWidth(text)).toBe(columns);
});
