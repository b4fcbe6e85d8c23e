import { afterAll, onTestFinished } from 'vitest';

/** Of what was not made in a test. */
const cleanups: (() => unknown)[] = [];

// each test file loads this module for itself. A hook cannot register a hook: what `beforeAll` makes would stay for ever
afterAll(async () => {
  for (const cleanUp of cleanups.reverse()) await cleanUp();
});

/** Cleans up when the running test ends, or outside a test (also in `beforeAll`) when its file ends; the latest first. */
export function atEnd(cleanUp: () => unknown): void {
  try {
    onTestFinished(async () => void (await cleanUp()));
  } catch {
    cleanups.push(cleanUp);
  }
}
