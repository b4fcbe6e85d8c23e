import { describe, expect, it } from 'vitest';
import { openCloud } from '../support/open-cloud.ts';
import { FULL_SIZE, recordReliability } from '../support/reliability.ts';
import { openSharedBench, SHARED_MODES } from '../support/two-at-once/bench.ts';
import type { Meeting, SharedMode } from '../support/two-at-once/bench.ts';
import { OTHERS } from '../support/two-at-once/others.ts';
import type { Other } from '../support/two-at-once/others.ts';

const { cloud, proxy } = await openCloud();

/** The others with whom this mode can meet; in a sample every third one. */
function othersOf(mode: SharedMode): readonly Other[] {
  const possible = OTHERS.filter(({ needs }) => needs === undefined || needs === (mode.isNew ? 'new' : 'deployed'));
  const turn = SHARED_MODES.indexOf(mode);
  return FULL_SIZE ? possible : possible.filter((_, at) => (at + turn) % 3 === 0);
}

describe('two who change the same stack at once', () => {
  it.each(SHARED_MODES)('$name: nobody claims what is not, and the next run is right', async (mode) => {
    const bench = await openSharedBench({ cloud, proxy, mode });
    const calls = await bench.record();
    const failures: string[] = [];
    for (const [index, other] of othersOf(mode).entries()) {
      const middle = calls[Math.floor(((index + 1) / 8) * calls.length)];
      const meetings: Meeting[] = FULL_SIZE ? [undefined, ...calls] : [middle];
      let times = 0;
      let lost = 0;
      for (const at of meetings) {
        const { met, problems } = await bench.meet(other, at);
        if (met) times++;
        if (problems.length > 0) lost++;
        const found = problems.map((text) => `${mode.name}, ${other.name}, ${at?.label ?? 'both start'}: ${text}`);
        failures.push(...found);
        for (const text of found) console.error(text.slice(0, 2_000));
      }
      recordReliability('test/reliability/two-at-once.test.ts', {
        class: 'Two at once',
        injected: `${mode.name}: ${other.name}`,
        times,
        lost,
      });
    }
    expect(failures).toEqual([]);
  });
});
