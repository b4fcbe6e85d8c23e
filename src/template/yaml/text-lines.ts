/** A position in a text. Both count from 1. */
export interface TextPosition {
  line: number;
  column: number;
}

/** The lines of a text, as editors count them. */
export class TextLines {
  /** Offset of each line's first character. */
  private readonly starts = [0];

  constructor(text: string) {
    for (const { index, 0: lineBreak } of text.matchAll(/\r\n|\r|\n/g)) this.starts.push(index + lineBreak.length);
  }

  /** Returns line and column of an offset. */
  positionOf(offset: number): TextPosition {
    let line = 0;
    let behind = this.starts.length;
    while (behind - line > 1) {
      const middle = (line + behind) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) line = middle;
      else behind = middle;
    }
    return { line: line + 1, column: offset - (this.starts[line] ?? 0) + 1 };
  }
}
