import type { SyncEvent } from '../console/reporter.ts';

/** A note to report as soon as there is a reporter. */
export type Notice = Omit<Extract<SyncEvent, { type: 'note' }>, 'type'>;
