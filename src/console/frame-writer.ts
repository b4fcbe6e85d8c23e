import { textWidth } from './text-width.ts';

const ESCAPE = '\u001B[';
/** The terminal shows what is between the two at once, if it knows them (synchronized output); others ignore them. */
const BEGIN = `${ESCAPE}?2026h`;
const END = `${ESCAPE}?2026l`;
const ERASE_REST_OF_LINE = `${ESCAPE}K`;
const ERASE_BELOW = `${ESCAPE}J`;

/** Redraws the last lines of a terminal. Each change is one write that erases nothing it draws again: it does not flicker. */
export interface FrameWriter {
  /** Draws the lines, which must fit into the width, in place of those before. `above`: permanent lines to print first. */
  draw(lines: readonly string[], above?: readonly string[]): void;
  /** The same after the terminal has another width, and has wrapped the lines that are too long for it. */
  redraw(lines: readonly string[]): void;
}

/** Creates the writer; the cursor stays below the frame. */
export function createFrameWriter(terminal: Pick<NodeJS.WriteStream, 'write' | 'columns'>): FrameWriter {
  let drawn: readonly string[] = [];
  const write = (sequence: string): void => {
    if (sequence !== '') terminal.write(`${BEGIN}${sequence}${END}`);
  };
  return {
    draw(lines, above = []) {
      const isSame = lines.length === drawn.length && lines.every((line, index) => line === drawn[index]);
      if (isSame && above.length === 0) return;
      const kept = above.length === 0 ? drawn : [];
      const parts = [
        up(drawn.length),
        ...above.map((line) => `${line}${ERASE_REST_OF_LINE}\n`),
        ...lines.map((line, index) => (line === kept[index] ? '\n' : `${line}${ERASE_REST_OF_LINE}\n`)),
        ERASE_BELOW,
      ];
      drawn = [...lines];
      write(parts.join(''));
    },
    redraw(lines) {
      const columns = terminal.columns ?? 80;
      const height = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
      drawn = [...lines];
      write(`${up(height)}${ERASE_BELOW}${lines.map((line) => `${line}\n`).join('')}`);
    },
  };
}

function up(lines: number): string {
  return lines === 0 ? '' : `${ESCAPE}${lines}A\r`;
}
