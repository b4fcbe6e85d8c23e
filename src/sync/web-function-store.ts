import { ensureBucketOf, findBucketOf } from '../deploy/managed-stack.ts';
import { webFunctionStack } from '../deploy/web-function-bucket.ts';
import { openGivenBucket, openOwnBucket } from '../package/web-function-store.ts';
import type { WebFunctionStore, WebFunctionStoreOptions } from '../package/web-function-store.ts';

/** Whose Web Functions, and where the user wants their code. */
interface CodePlace {
  stackName: string;
  /** `--s3-bucket`; without it the stack has a bucket of its own. */
  s3Bucket: string | undefined;
  pollDelayMs: number | undefined;
}

/** Opens the store for the code of the stack's Web Functions; nothing is asked, made or checked before it is used. */
export function openWebFunctionStore(options: WebFunctionStoreOptions, place: CodePlace): WebFunctionStore {
  const { stackName, s3Bucket, pollDelayMs } = place;
  if (s3Bucket !== undefined) return openGivenBucket(options, s3Bucket);
  const { aws, reporter, signal } = options;
  const stack = webFunctionStack(stackName);
  return openOwnBucket(options, {
    name: stack.name,
    exportName: stack.exportName,
    find: () => findBucketOf(aws, stack),
    ensure: () => ensureBucketOf(aws, stack, { reporter, signal, pollDelayMs }),
  });
}
