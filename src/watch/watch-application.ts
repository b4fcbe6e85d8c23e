import { note } from '../console/reporter.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { WatchSession } from './session.ts';
import { describeFailure } from './work/watch-failures.ts';

/** Time for work to end after Ctrl-C (ms). */
const END_WITHIN = 1_500;

/**
 * Syncs the application, then each saved change, until the signal aborts. Failures are reported and do not end the watch;
 * only those before the cloud was reached for the first time reject.
 */
export async function watchApplication(run: SyncRun): Promise<void> {
  const { signal, reporter } = run.environment;
  const session = new WatchSession(run);
  const leaveStrayErrors = run.environment.watch?.catchStrayErrors(createStrayErrorReport(run));
  try {
    if (await session.begin()) await aborted(signal);
    else note(reporter, 'info', 'Nothing was done.');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await session.end(END_WITHIN);
    leaveStrayErrors?.();
  }
}

/** Reports each error once that a library throws in a callback; it must not end the watch. */
function createStrayErrorReport({ environment: { reporter, version } }: SyncRun): (error: unknown) => void {
  const reported = new Set<string>();
  return (error) => {
    const { message, output = message } = describeFailure(error);
    if (reported.has(output)) return;
    reported.add(output);
    const hint = `The watch continues. This is a defect of sam-sync ${version}: please report it with the lines above.`;
    note(reporter, 'error', output, hint);
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
