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
    // no test needs the one before it; the seed is printed at the beginning: `--sequence.seed=N` repeats an order
    sequence: { shuffle: { tests: true } },
    globalSetup: ['test/support/global-setup.ts'],
  },
});
