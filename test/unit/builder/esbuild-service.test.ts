import * as esbuild from 'esbuild';
import { expect, it } from 'vitest';
import { useEsbuild, wakeEsbuild } from '../../../src/builder/tools/esbuild-service.ts';

it('the process of esbuild ends without work, not during it, and starts again when a file is saved', async () => {
  let [stops, transforms] = [0, 0];
  const counted: typeof esbuild = {
    ...esbuild,
    stop: async () => {
      stops++;
      await esbuild.stop();
    },
    transform: ((input: string) => {
      transforms++;
      return esbuild.transform(input);
    }) as typeof esbuild.transform,
  };
  const use = async (input: string): Promise<string> =>
    useEsbuild(counted, async () => (await counted.transform(input, { loader: 'ts' })).code);
  let finish = (): void => {};
  const held = useEsbuild(counted, () => new Promise<void>((resolve) => (finish = resolve)));
  expect(await use('let a = 1')).toBe('let a = 1;\n');
  expect(stops).toBe(0);
  wakeEsbuild();
  expect(transforms).toBe(1);
  finish();
  await held;
  await expect.poll(() => stops, { timeout: 20_000 }).toBe(1);
  wakeEsbuild();
  wakeEsbuild();
  expect(transforms).toBe(2);
  expect(await use('let b = 2')).toBe('let b = 2;\n');
  await expect.poll(() => stops, { timeout: 20_000 }).toBe(2);
});
