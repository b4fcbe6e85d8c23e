import type { Aws } from '../aws/aws.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncEnvironment } from './sync-environment.ts';

/** What every way of syncing is given. */
export interface SyncRun {
  options: SyncOptions;
  environment: SyncEnvironment;
  aws: Aws;
}

/** How a run ended. */
export interface SyncReport {
  /** For `--output json`. */
  document: object;
  exitCode: number;
}
