import { expect, it } from 'vitest';
import { once, oncePerName } from '../../../src/support/once.ts';

it('once runs its work on the first call, and again after a reset', async () => {
  let runs = 0;
  const count = once(async () => ++runs);
  expect(await Promise.all([count(), count()])).toEqual([1, 1]);
  count.reset();
  expect(await count()).toBe(2);
});

it('oncePerName keeps what was made under each name, but no failure', async () => {
  const memo = new Map<string, Promise<string>>();
  const made: string[] = [];
  const ask = (name: string, works: boolean): Promise<string> =>
    oncePerName(memo, name, async () => {
      made.push(name);
      if (!works) throw new Error(name);
      return name;
    });
  await expect(Promise.all([ask('a', false), ask('a', false)])).rejects.toThrow('a');
  expect(await Promise.all([ask('a', true), ask('a', true), ask('b', true)])).toEqual(['a', 'a', 'b']);
  expect(made).toEqual(['a', 'a', 'b']);
});
