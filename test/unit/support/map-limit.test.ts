import { expect, it } from 'vitest';
import { mapLimit } from '../../../src/support/map-limit.ts';

it('a failure rejects when the calls under way have ended, and no other call begins', async () => {
  const seen: string[] = [];
  let release = (): void => {};
  const slow = new Promise<void>((resolve) => (release = resolve));
  const mapped = mapLimit(['slow', 'wrong', 'late'], 2, async (name) => {
    seen.push(`${name} began`);
    if (name === 'wrong') {
      setImmediate(release);
      throw new Error('wrong');
    }
    await slow;
    seen.push(`${name} ended`);
  });
  await expect(mapped).rejects.toThrow('wrong');
  expect(seen).toEqual(['slow began', 'wrong began', 'slow ended']);
});

it('calls that only compute let the rest of the process have its turn', async () => {
  let ended = 0;
  const seen = new Promise<number>((resolve) => setImmediate(() => resolve(ended)));
  await mapLimit([1, 2, 3, 4], 1, async () => {
    for (const until = performance.now() + 6; performance.now() < until;);
    ended++;
  });
  expect(await seen).toBeLessThan(4);
});
