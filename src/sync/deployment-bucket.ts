import type { Aws } from '../aws/aws.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import {
  ensureManagedBucket,
  findManagedBucket,
  MANAGED_STACK_NAME,
  managedBucketIn,
} from '../deploy/managed-bucket.ts';
import { UserError } from '../errors.ts';
import type { ArtifactBucket } from './open-stores.ts';
import type { SyncRun } from './sync-run.ts';

/** The managed bucket was replaced after the last deployment: open the application again, with `askForBucket`. */
export class ManagedBucketMovedError extends UserError {
  constructor() {
    super('The managed bucket was replaced after the stack was deployed', { hint: 'Sync again.' });
  }
}

/**
 * Chooses the bucket for artifacts: `--s3-bucket`, else the managed bucket that the deployed template names (checked before
 * the first upload), else the managed bucket that CloudFormation names, created if it is missing. A dry run creates nothing.
 */
export async function chooseBucket(
  run: SyncRun,
  deployed: DeployedState,
  { askForBucket = false }: { askForBucket?: boolean | undefined },
): Promise<ArtifactBucket> {
  const named = run.options.s3Bucket === undefined && !askForBucket ? managedBucketIn(deployed.template) : undefined;
  return named === undefined
    ? { bucket: await requireBucket(run) }
    : { bucket: named, checkBucket: () => checkManaged(run.aws, named) };
}

/** Finds the name of the bucket for artifacts; the managed stack's name stands in for a managed bucket not created yet. */
export async function findBucket({ options, aws }: Pick<SyncRun, 'options' | 'aws'>): Promise<string> {
  return options.s3Bucket ?? (await findManagedBucket(aws)) ?? MANAGED_STACK_NAME;
}

/** Finds the bucket for artifacts without reading deployed templates; creates a missing managed bucket, except in a dry run. */
export async function requireBucket(run: SyncRun): Promise<string> {
  const { options, environment, aws } = run;
  if (options.s3Bucket !== undefined || options.dryRun) return findBucket(run);
  const { reporter, signal } = environment;
  return ensureManagedBucket(aws, { reporter, signal });
}

async function checkManaged(aws: Aws, bucket: string): Promise<void> {
  if ((await findManagedBucket(aws)) !== bucket) throw new ManagedBucketMovedError();
}
