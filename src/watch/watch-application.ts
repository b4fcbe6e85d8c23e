import * as v8 from 'node:v8';
import { note } from '../console/reporter.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { WatchSession } from './session.ts';
import { describeFailure } from './work/watch-failures.ts';

/** After Ctrl-C what can be given up has so long to end (ms). */
const END_WITHIN = 1_500;

/**
 * Syncs the application, then each change as it is saved, until the signal. Failures are shown and do not end it, except
 * those before the cloud was reached for the first time: those reject.
 */
export async function watchApplication(run: SyncRun): Promise<void> {
  const { signal, reporter } = run.environment;
  keepMemorySmall();
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

/** A library that throws in a callback must not end the watch. Each such error is reported once. */
function createStrayErrorReport({ environment: { reporter, version } }: SyncRun): (error: unknown) => void {
  const reported = new Set<string>();
  return (error) => {
    const { message, output = message } = describeFailure(error);
    if (reported.has(output)) return;
    reported.add(output);
    const hint = `The watch goes on. This is a defect of sam-sync ${version}: please report it with the lines above.`;
    note(reporter, 'error', output, hint);
  };
}

/** V8's young generation stays as it begins: growing by tens of megabytes pays for servers, not for what mostly waits. */
function keepMemorySmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
