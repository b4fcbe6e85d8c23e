import { redraw } from './store.ts';

/** Rows to add in a frame. */
const PORTION = 60;

/** How much of a long list is drawn. */
export interface Portions {
  /** Returns how many of these rows to draw now, and draws the rest in the next frames. */
  next(total: number): number;
}

/** Draws a long list in portions, one a frame: 500 new rows at once would hold up the page. */
export function createPortions(): Portions {
  let drawn = 0;
  return {
    next(total) {
      drawn = Math.min(total, drawn + PORTION);
      if (drawn < total) redraw();
      return drawn;
    },
  };
}
