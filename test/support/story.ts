import { it } from 'vitest';

/** Long enough for the longest story (ms). */
const PATIENCE = 15 * 60_000;

/**
 * One test of several steps, each of which goes on where the one before ended:
 *
 * ```ts
 * const step = story('an application through its life');
 * step('is deployed', async () => { … });
 * step('is watched', async () => { … });
 * ```
 *
 * `afterEach`: what is done after each step.
 */
export function story(
  name: string,
  { afterEach = () => {} }: { afterEach?: () => unknown } = {},
): (name: string, act: () => unknown) => void {
  const steps: { name: string; act: () => unknown }[] = [];
  it(name, { timeout: PATIENCE }, async () => {
    for (const [index, step] of steps.entries()) {
      try {
        await step.act();
        await afterEach();
      } catch (error) {
        if (error instanceof Error) error.message = `step ${index + 1} (${step.name}): ${error.message}`;
        throw error;
      }
    }
  });
  return (stepName, act) => void steps.push({ name: stepName, act });
}
