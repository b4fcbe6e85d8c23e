import { note } from '../console/reporter.ts';
import { once } from '../support/once.ts';
import { createObjectStore } from './object-store.ts';
import type { ObjectStore, ObjectStoreOptions } from './object-store.ts';
import { checkCodeAccess } from './web-function-access.ts';

/** The bucket for the code of Web Functions. Lambda reads the code whenever it starts a revision. */
export interface WebFunctionStore {
  objects: ObjectStore;
  prefix: string | undefined;
  /** How templates refer to the bucket: by its name or by an export. */
  bucket: { name: string; isExport: boolean };
  /** Returns the name of the bucket; undefined if it does not exist (yet). */
  findBucket(): Promise<string | undefined>;
  /** Returns the side effect of the first upload, as a sentence. Throws if the upload would fail. Changes nothing. */
  lookAhead(): Promise<string | undefined>;
}

/** Settings of either kind. Nothing is called before the first use. */
export interface WebFunctionStoreOptions extends Omit<ObjectStoreOptions, 'bucket' | 'checkBucket'> {
  prefix: string | undefined;
}

/** Opens the user's bucket, checking before the first upload that Lambda can read it. */
export function openGivenBucket(options: WebFunctionStoreOptions, bucket: string): WebFunctionStore {
  const { aws, prefix, kmsKeyId, reporter } = options;
  const checkBucket = once(async () => {
    const doubts = await checkCodeAccess(aws, { bucket, prefix, kmsKeyId });
    for (const { text, hint } of doubts) note(reporter, 'warning', text, hint);
  });
  return {
    objects: createObjectStore({ ...options, bucket, checkBucket }),
    prefix,
    bucket: { name: bucket, isExport: false },
    findBucket: async () => bucket,
    lookAhead: async () => {
      await checkBucket();
      return undefined;
    },
  };
}

/** The companion stack with the bucket for the code. */
export interface CodeBucketStack {
  name: string;
  exportName: string;
  /** Returns the bucket's name; undefined if the stack does not exist (yet). */
  find(): Promise<string | undefined>;
  /** Returns the bucket's name, creating the stack if needed. */
  ensure(): Promise<string>;
}

/** Opens the bucket of the companion stack. Its objects have no prefix and no KMS key, as in SAM CLI. */
export function openOwnBucket(options: WebFunctionStoreOptions, stack: CodeBucketStack): WebFunctionStore {
  const find = once(() => stack.find());
  const open = (bucket: string): ObjectStore => createObjectStore({ ...options, bucket, kmsKeyId: undefined });
  const found = once(async () => {
    const bucket = await find();
    return bucket === undefined ? undefined : open(bucket);
  });
  const ensured = once(async () => (await found()) ?? open(await stack.ensure()));
  return {
    objects: {
      sent: options.sent ?? { objects: 0, bytes: 0 },
      has: async (key) => (await (await found())?.has(key)) ?? false,
      ensure: async (key, label, make) => (await ensured()).ensure(key, label, make),
    },
    prefix: undefined,
    bucket: { name: stack.exportName, isExport: true },
    findBucket: find,
    lookAhead: async () =>
      (await find()) === undefined
        ? `Stack ${stack.name} with the S3 bucket for the code of Web Functions would be created`
        : undefined,
  };
}
