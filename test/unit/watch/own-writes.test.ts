import { describe, expect, it } from 'vitest';
import { createOwnWrites } from '../../../src/watch/own-writes.ts';

function start() {
  let now = 1_000;
  const repeating: string[] = [];
  const writes = createOwnWrites(
    (id, paths) => void repeating.push(`${id}: ${paths.join(' ')}`),
    () => now,
  );
  const build = (...written: string[]): boolean => {
    writes.started('F');
    now += 500;
    const during = writes.counts('F', written);
    writes.ended('F');
    now += 100;
    return during;
  };
  return { writes, repeating, build, pass: (ms: number) => void (now += ms) };
}

describe('defect 25: builds that write into their own source', () => {
  it('are repeated a few times and then no more, and that is said once', () => {
    const { build, repeating } = start();
    expect(Array.from({ length: 8 }, () => build('bin/x.dll', 'obj/y'))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(repeating).toEqual(['F: bin/x.dll obj/y']);
  });

  it('count again for what somebody saves between them', () => {
    const { build, writes, pass } = start();
    for (let n = 0; n < 6; n++) build('bin/x.dll');
    expect(build('bin/x.dll')).toBe(false);
    pass(1_000);
    expect(writes.counts('F', ['app.cs'])).toBe(true);
    expect(build('bin/x.dll')).toBe(true);
  });

  it('count if something else was written this time', () => {
    const { build } = start();
    for (let n = 0; n < 6; n++) build('bin/x.dll');
    expect(build('bin/x.dll', 'app.cs')).toBe(true);
  });
});
