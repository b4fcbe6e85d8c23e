import type { Aws } from '../aws/aws.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncEnvironment } from './sync-environment.ts';

/** The inputs of every kind of sync. */
export interface SyncRun {
  options: SyncOptions;
  environment: SyncEnvironment;
  aws: Aws;
}

/** The result of a run. */
export interface SyncReport {
  /** For `--output json`. */
  document: object;
  exitCode: number;
}
