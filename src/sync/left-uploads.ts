import type { Aws } from '../aws/aws.ts';
import { buildStoreDir } from '../builder/build-options.ts';
import { abortLeftUploads } from '../package/unfinished-uploads.ts';
import type { SyncOptions } from './sync-options.ts';

/** Starts to abort what killed runs of this project left in S3. A failure is no failure of this run: the next one tries again. */
export function cleanUpUploads({ projectDir, dryRun }: SyncOptions, aws: Aws): void {
  if (!dryRun) aws.beforeClose(abortLeftUploads(buildStoreDir(projectDir), aws));
}
