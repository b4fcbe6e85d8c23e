import type { Aws } from '../aws/aws.ts';
import type { SharedBuilds } from '../builder/shared-builds.ts';
import type { ImagePlaces } from '../shared-cache/shared-images.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncEnvironment } from './sync-environment.ts';

/** The inputs of every kind of sync. */
export interface SyncRun {
  options: SyncOptions;
  environment: SyncEnvironment;
  aws: Aws;
  /** With `--build-cache`: builds of other machines. */
  sharedBuilds?: (SharedBuilds & { placeImages(places: ImagePlaces): void }) | undefined;
}

/** The result of a run. */
export interface SyncReport {
  /** For `--output json`. */
  document: object;
  exitCode: number;
}
