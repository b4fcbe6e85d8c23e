import { note } from '../console/reporter.ts';
import { once } from '../support/once.ts';
import { ensureBucketOf, findBucketOf } from '../deploy/managed-stack.ts';
import { createObjectStore } from './object-store.ts';
import type { ObjectStore, ObjectStoreOptions } from './object-store.ts';
import { checkCodeAccess } from './web-function-access.ts';
import { webFunctionStack } from '../deploy/web-function-bucket.ts';

/** Where the code of Web Functions goes. Lambda reads it there whenever it starts one. */
export interface WebFunctionStore {
  objects: ObjectStore;
  prefix: string | undefined;
  /** How templates name the bucket: by its own name, or by the export that holds it. */
  bucket: { name: string; isExport: boolean };
  /** What the first upload would do besides, in a sentence; rejects if it would fail. Changes nothing. */
  lookAhead(): Promise<string | undefined>;
}

/** What the store is opened with. `s3Bucket`: the one that the user named; without it the stack has one of its own. */
export interface WebFunctionStoreOptions extends Omit<ObjectStoreOptions, 'bucket' | 'checkBucket'> {
  stackName: string;
  s3Bucket: string | undefined;
  prefix: string | undefined;
  pollDelayMs?: number | undefined;
}

/** Opens it; nothing is asked, made or checked before it is used. */
export function openWebFunctionStore(options: WebFunctionStoreOptions): WebFunctionStore {
  const { s3Bucket } = options;
  return s3Bucket === undefined ? openOwnBucket(options) : openGivenBucket(options, s3Bucket);
}

function openGivenBucket(options: WebFunctionStoreOptions, bucket: string): WebFunctionStore {
  const { aws, prefix, kmsKeyId, reporter } = options;
  const checkBucket = once(async () => {
    const doubts = await checkCodeAccess(aws, { bucket, prefix, kmsKeyId });
    for (const { text, hint } of doubts) note(reporter, 'warning', text, hint);
  });
  return {
    objects: createObjectStore({ ...options, bucket, checkBucket }),
    prefix,
    bucket: { name: bucket, isExport: false },
    lookAhead: async () => {
      await checkBucket();
      return undefined;
    },
  };
}

/** Its objects have neither prefix nor KMS key, as with SAM CLI: Lambda is let into this bucket as it is. */
function openOwnBucket(options: WebFunctionStoreOptions): WebFunctionStore {
  const { aws, stackName } = options;
  const stack = webFunctionStack(stackName);
  const find = once(() => findBucketOf(aws, stack));
  const open = (bucket: string): ObjectStore => createObjectStore({ ...options, bucket, kmsKeyId: undefined });
  const found = once(async () => {
    const bucket = await find();
    return bucket === undefined ? undefined : open(bucket);
  });
  const ensured = once(async () => (await found()) ?? open(await ensureBucketOf(aws, stack, options)));
  return {
    objects: {
      sent: options.sent ?? { objects: 0, bytes: 0 },
      has: async (key) => (await (await found())?.has(key)) ?? false,
      ensure: async (key, label, make) => (await ensured()).ensure(key, label, make),
    },
    prefix: undefined,
    bucket: { name: stack.exportName, isExport: true },
    lookAhead: async () =>
      (await find()) === undefined
        ? `Stack ${stack.name} with the S3 bucket for the code of Web Functions would be created`
        : undefined,
  };
}
