import type { SyncEvent } from '../console/reporter.ts';

/** A sentence for the user that is shown once there is a reporter. */
export type Notice = Omit<Extract<SyncEvent, { type: 'note' }>, 'type'>;
