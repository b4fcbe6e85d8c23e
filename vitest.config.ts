import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
    fileParallelism: true,
    setupFiles: ['test/support/setup.ts'],
    // no test needs the one before it. The order is the same in each run, so that a failure can be repeated:
    // `--sequence.seed=N` gives another one
    sequence: { shuffle: { tests: true }, seed: 1 },
    globalSetup: ['test/support/global-setup.ts'],
  },
});
