import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 240_000,
    pool: 'forks',
    // for two processor cores: a test waits for a third of its time
    maxWorkers: 3,
    fileParallelism: true,
    setupFiles: ['test/support/setup.ts'],
    // no test needs the one before it. The order is the same in each run, so that a failure can be repeated:
    // `--sequence.seed=N` gives another one
    sequence: { shuffle: { tests: true }, seed: 1, sequencer: LongestFirst },
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      // tests of pure functions: their files share a process and its modules, which takes less than half the processor time
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      { extends: true, test: { name: 'system', include: ['test/!(unit)/**/*.test.ts'] } },
    ],
  },
});
