import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace, createWaits } from '../../../src/support/pace.ts';

const LIMIT = { perSecond: 10, burst: 3 };

/** When calls that come after these pauses begin. */
function beginnings(pauses: readonly number[]): number[] {
  const nextWait = createWaits(LIMIT);
  let now = 5_000;
  return pauses.map((pause) => (now += pause) + nextWait(now));
}

describe('the pace of calls', () => {
  it.each([
    ['the first ones at once, the others in turn', [0, 0, 0, 0, 0], [5_000, 5_000, 5_000, 5_100, 5_200]],
    ['no faster than the limit: none waits', [0, 100, 100, 100, 100], [5_000, 5_100, 5_200, 5_300, 5_400]],
    ['after a while as many at once again', [0, 0, 0, 300, 0, 0, 0], [5_000, 5_000, 5_000, 5_300, 5_300, 5_300, 5_400]],
    ['never more at once, however long it was quiet', [0, 90_000, 0, 0, 0], [5_000, 95_000, 95_000, 95_000, 95_100]],
  ])('%s', (_, pauses, expected) => {
    expect(beginnings(pauses).map(Math.round)).toEqual(expected);
  });

  it('in no second begin more than may, and none before one that came earlier', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(0), fc.nat(40), fc.nat(900)), { maxLength: 80 }), (pauses) => {
        const times = beginnings(pauses);
        expect(times).toEqual(times.toSorted((one, other) => one - other));
        // a tenth of a millisecond for what adding fractions loses
        for (const start of times) {
          const within = times.filter((time) => time >= start && time < start + 999.9).length;
          expect(within).toBeLessThanOrEqual(LIMIT.burst + LIMIT.perSecond);
        }
      }),
    );
  });

  it('a call that waits ends with the run', async () => {
    const controller = new AbortController();
    const turn = createPace({ perSecond: 0.001, burst: 1 }, controller.signal);
    await turn();
    const waiting = expect(turn()).rejects.toThrow('Interrupted');
    controller.abort(new Error('Interrupted'));
    await waiting;
  });
});
