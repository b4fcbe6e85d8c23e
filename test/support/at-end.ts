import { afterAll, onTestFinished } from 'vitest';

/** Of what was not made in a test. */
const cleanups: (() => unknown)[] = [];

/**
 * Cleans up at the end of each test file. For vitest's `setupFiles`, which run once per file: a hook cannot register a hook
 * (what `beforeAll` makes would stay), and files of test/unit share this module.
 */
export function cleanUpAfterFile(): void {
  afterAll(async () => {
    for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
  });
}

/** Cleans up when the running test ends, or outside a test (also in `beforeAll`) when its file ends; the latest first. */
export function atEnd(cleanUp: () => unknown): void {
  try {
    onTestFinished(async () => void (await cleanUp()));
  } catch {
    cleanups.push(cleanUp);
  }
}
