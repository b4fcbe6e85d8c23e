import { describe, expect, it } from 'vitest';
import { MODES } from '../support/interruption/bench.ts';
import { interruptMode } from '../support/interruption/cases.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();

describe('a watch that a signal ends, at everything that it does', () => {
  const modes = MODES.filter(({ args }) => args.includes('--watch'));
  it.each(modes)('$name: it leaves nothing, and the next run is right', async (mode) => {
    expect(await interruptMode({ cloud, proxy, mode }, 'test/reliability/interruption-watch.test.ts')).toEqual([]);
  });
});
