import { expect, it } from 'vitest';
import { createMemoryRelease } from '../../../src/watch/memory.ts';

it('memory is released once, when nothing runs any more', async () => {
  let [isIdle, asked, released] = [false, 0, 0];
  const memory = createMemoryRelease(
    () => (asked++, isIdle),
    () => void released++,
  );
  memory.request();
  memory.request();
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(released).toBe(0);
  isIdle = true;
  await expect.poll(() => released, { timeout: 20_000 }).toBe(1);
  memory.close();
});
