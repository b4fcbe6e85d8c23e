import * as v8 from 'node:v8';
import { note } from '../console/reporter.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { WatchSession } from './watch-session.ts';

/** After Ctrl-C what can be given up has so long to end (ms). */
const END_WITHIN = 1_500;

/**
 * Syncs the application, then each change as it is saved, until the signal. Failures are shown and do not end it, except
 * those before the cloud was reached for the first time: those reject.
 */
export async function watchApplication(run: SyncRun): Promise<void> {
  const { signal, reporter } = run.outside;
  keepMemorySmall();
  const session = new WatchSession(run);
  try {
    if (await session.begin()) await aborted(signal);
    else note(reporter, 'info', 'Nothing was done.');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await session.end(END_WITHIN);
  }
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
