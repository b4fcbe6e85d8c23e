import { afterAll } from 'vitest';
import { FULL_SIZE, recordReliability } from '../reliability.ts';

/** Signals for builds that a container engine runs. */
interface ContainerInterruptions {
  signals: readonly NodeJS.Signals[];
  /** Called by each test when it begins and when it has passed. */
  begun(): void;
  passed(): void;
}

/** Counts the interruptions of a test file (or of one `describe`), and reports them at its end. */
export function countInterruptions(file: string, injected: string): ContainerInterruptions {
  let begun = 0;
  let passed = 0;
  afterAll(() => {
    if (begun === 0) return;
    const notes = [
      'A container engine runs the build. In the middle of it, a signal ends sam-sync: no container is left.',
    ];
    recordReliability(file, { class: 'Interruption', injected, times: begun, lost: begun - passed, notes });
  });
  return {
    signals: FULL_SIZE ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] : ['SIGINT', 'SIGKILL'],
    begun: () => void begun++,
    passed: () => void passed++,
  };
}
