import { stripVTControlCharacters } from 'node:util';
import { eastAsianWidth } from 'get-east-asian-width';

/**
 * Returns the columns a text occupies in a terminal. Packages for this build the set of all emoji sequences on load (30 ms),
 * and nearly all our output is ASCII.
 */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  const plain = stripVTControlCharacters(text);
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(plain)) width += clusterWidth(segment);
  return width;
}

/** Returns the columns of one grapheme cluster. */
function clusterWidth(cluster: string): number {
  if (/^[\p{Control}\p{Format}\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u.test(cluster)) return 0;
  // drawn as an emoji: by itself, by the selector for it, or as a keycap
  if (/\p{Emoji_Presentation}|\uFE0F|\u20E3/u.test(cluster)) return 2;
  return eastAsianWidth(cluster.codePointAt(0) ?? 0);
}
