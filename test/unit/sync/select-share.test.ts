import { expect, it } from 'vitest';
import { orderSlowestFirst, selectShare } from '../../../src/sync/cache/select-share.ts';

const candidates = ['e', 'b', 'a', 'd', 'c', 'g', 'f'].map((key) => ({ key }));
const keys = (share: readonly { key: string }[]): string => share.map(({ key }) => key).join('');

it('shares have every build once and differ by one at most, in whatever order the builds come', () => {
  const shares = [1, 2, 3].map((index) => selectShare(candidates, { index, count: 3 }));
  expect(shares.map(({ length }) => length)).toEqual([3, 2, 2]);
  expect(keys(shares.flat().sort((a, b) => (a.key < b.key ? -1 : 1)))).toBe('abcdefg');
  const reversed = selectShare([...candidates].reverse(), { index: 1, count: 3 });
  expect(new Set(reversed)).toEqual(new Set(shares[0]));
  expect(selectShare(candidates, { index: 9, count: 9 })).toEqual([]);
});

it('the slowest builds come first, before them those whose time is unknown', () => {
  const builds = [10, undefined, 30, 20, undefined].map((durationMs) => ({ durationMs }));
  expect(orderSlowestFirst(builds).map(({ durationMs }) => durationMs)).toEqual([undefined, undefined, 30, 20, 10]);
});
