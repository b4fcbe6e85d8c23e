import { expect, it } from 'vitest';
import { createFrameWriter } from '../../../src/console/frame-writer.ts';

/** A writer, and what it writes: one entry a write. */
function writer(columns = 80) {
  const writes: string[] = [];
  const terminal = { columns, write: (text: string) => writes.push(text) > 0 };
  return { frames: createFrameWriter(terminal), writes, terminal };
}

const frame = (text: string): string => `\u001B[?2026h${text}\u001B[?2026l`;

it('a frame is one write of the lines that changed; the same frame is none', () => {
  const { frames, writes } = writer();
  frames.draw(['a', 'b', 'c']);
  frames.draw(['a', 'b', 'c']);
  frames.draw(['a', 'B', 'c']);
  expect(writes).toEqual([
    frame('a\u001B[K\nb\u001B[K\nc\u001B[K\n\u001B[J'),
    frame('\u001B[3A\r\nB\u001B[K\n\n\u001B[J'),
  ]);
});

it('permanent lines take the place of the frame, which moves below them in the same write', () => {
  const { frames, writes } = writer();
  frames.draw(['a']);
  frames.draw(['a'], ['printed']);
  expect(writes.at(-1)).toBe(frame('\u001B[1A\rprinted\u001B[K\na\u001B[K\n\u001B[J'));
});

it('a shorter frame leaves nothing of the longer one, and none leaves nothing', () => {
  const { frames, writes } = writer();
  frames.draw(['a', 'b']);
  frames.draw(['a']);
  frames.draw([]);
  expect(writes.slice(1)).toEqual([frame('\u001B[2A\r\n\u001B[J'), frame('\u001B[1A\r\u001B[J')]);
});

it('after a change of the width it erases as many rows as the terminal made of the lines', () => {
  const { frames, writes, terminal } = writer();
  frames.draw(['x'.repeat(50), 'y']);
  terminal.columns = 20;
  frames.redraw(['z']);
  expect(writes.at(-1)).toBe(frame('\u001B[4A\r\u001B[Jz\n'));
});

it('sixty changing rows are sixty lines of one write', () => {
  const { frames, writes } = writer();
  for (const spinner of ['-', '+']) frames.draw(Array.from({ length: 60 }, (_, n) => `${spinner} Fn${n}`));
  expect(writes).toHaveLength(2);
});
