import { note } from '../console/reporter.ts';
import { once } from '../support/once.ts';
import { createObjectStore } from './object-store.ts';
import type { ObjectStore, ObjectStoreOptions } from './object-store.ts';
import { checkCodeAccess } from './web-function-access.ts';

/** Where the code of Web Functions goes. Lambda reads it there whenever it starts one. */
export interface WebFunctionStore {
  objects: ObjectStore;
  prefix: string | undefined;
  /** How templates name the bucket: by its own name, or by the export that holds it. */
  bucket: { name: string; isExport: boolean };
  /** What the first upload would do besides, in a sentence; rejects if it would fail. Changes nothing. */
  lookAhead(): Promise<string | undefined>;
}

/** What either kind is opened with. Nothing is asked, made or checked before it is used. */
export interface WebFunctionStoreOptions extends Omit<ObjectStoreOptions, 'bucket' | 'checkBucket'> {
  prefix: string | undefined;
}

/** The bucket that the user named, once it is known that Lambda can read it. */
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
    lookAhead: async () => {
      await checkBucket();
      return undefined;
    },
  };
}

/** A bucket that the stack has of its own, in a stack beside it. */
export interface CodeBucketStack {
  name: string;
  exportName: string;
  /** The bucket's name; undefined: there is no such stack (yet). */
  find(): Promise<string | undefined>;
  /** The same, but the stack is made if it is not there. */
  ensure(): Promise<string>;
}

/** Its objects have neither prefix nor KMS key, as with SAM CLI: Lambda is let into this bucket as it is. */
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
    lookAhead: async () =>
      (await find()) === undefined
        ? `Stack ${stack.name} with the S3 bucket for the code of Web Functions would be created`
        : undefined,
  };
}
