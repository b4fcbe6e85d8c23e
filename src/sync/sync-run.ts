import type { Aws } from '../aws/aws.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncOutside } from './sync-outside.ts';

/** What every way of syncing is given. */
export interface SyncRun {
  options: SyncOptions;
  outside: SyncOutside;
  aws: Aws;
}

/** How a run ended. */
export interface SyncReport {
  /** For `--output json`. */
  document: object;
  exitCode: number;
}
