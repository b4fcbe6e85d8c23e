import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createChangeBatches } from '../../../src/files/change-batches.ts';
import type { PathChange } from '../../../src/files/path-change.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function collect() {
  const batches: string[] = [];
  const { add, close } = createChangeBatches((changes, notifications) => {
    batches.push(`${changes.map(({ path, folder }) => path + (folder ? '/' : '')).join(' ')} (${notifications})`);
  });
  return { batches, close, add: (path: string, folder = false) => add({ path, folder }) };
}

it('gives what comes close together as one, 50 ms after the last', () => {
  const { batches, add } = collect();
  add('a');
  vi.advanceTimersByTime(40);
  add('b');
  add('a');
  vi.advanceTimersByTime(49);
  expect(batches).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(batches).toEqual(['a b (3)']);
  add('c');
  add('c', true);
  vi.advanceTimersByTime(50);
  expect(batches).toEqual(['a b (3)', 'c/ (2)']);
});

it('waits no longer than half a second for somebody who never stops', () => {
  const { batches, add } = collect();
  for (let n = 0; n < 100; n++) {
    add('a');
    vi.advanceTimersByTime(10);
  }
  expect(batches.length).toBeGreaterThanOrEqual(1);
  expect(batches.length).toBeLessThanOrEqual(2);
});

it('a path that was new with its first change stays so, and one that was there does too', () => {
  const batches: (readonly PathChange[])[] = [];
  const { add } = createChangeBatches((changes) => void batches.push(changes));
  add({ path: 'new', folder: false, isNew: true });
  add({ path: 'new', folder: false, isNew: false });
  add({ path: 'old', folder: false, isNew: false });
  add({ path: 'old', folder: false, isNew: true });
  vi.advanceTimersByTime(50);
  expect(batches).toEqual([
    [
      { path: 'new', folder: false, isNew: true },
      { path: 'old', folder: false, isNew: false },
    ],
  ]);
});

it('says nothing more when it is closed', () => {
  const { batches, add, close } = collect();
  add('a');
  close();
  vi.advanceTimersByTime(1_000);
  expect(batches).toEqual([]);
});
