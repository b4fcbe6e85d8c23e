import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Aws } from '../aws/aws.ts';
import { requireAnswer } from '../aws/check-answer.ts';
import type { PutPlace } from '../aws/put-object.ts';
import { isAwsError, type AwsError } from '../aws/service-errors.ts';
import type { Reporter } from '../console/reporter.ts';
import { readContent } from '../support/files.ts';
import { createGate } from '../support/map-limit.ts';
import { once } from '../support/once.ts';
import { bucketRegion, explainBucketError } from './bucket-errors.ts';
import type { UploadRecords } from './unfinished-uploads.ts';
import { PART_SIZE, uploadInParts } from './upload-parts.ts';

/** An object with these bytes, from which S3 can copy them. */
export interface ObjectOrigin {
  bucket: string;
  key: string;
  /** Of the content that was verified. */
  etag: string;
}

/** The content of an object. `sha256`: base64, if known. */
export type StoredObject =
  | { kind: 'text'; text: string }
  | { kind: 'file'; path: string; size: number; sha256?: string; origin?: ObjectOrigin | undefined };

/** A bucket that receives only missing objects. */
export interface ObjectStore {
  /** Returns whether the bucket has the key; false also without permission to look. */
  has(key: string): Promise<boolean>;
  /** Uploads the object from `make` unless the bucket has it under `key`. */
  ensure(key: string, label: string, make: () => Promise<StoredObject>): Promise<void>;
  /** Uploads of this run. */
  readonly sent: SentCount;
}

/** A number of uploads. */
interface SentCount {
  objects: number;
  bytes: number;
}

/** Settings of the store. */
export interface ObjectStoreOptions {
  aws: Aws;
  bucket: string;
  /** `--kms-key-id`; undefined: S3-managed keys. */
  kmsKeyId: string | undefined;
  /** `--metadata`. */
  metadata: Readonly<Record<string, string>> | undefined;
  /** Throws if the bucket is no longer the one to use. Called before the first upload. */
  checkBucket?: (() => Promise<void>) | undefined;
  /** A count shared by several stores. */
  sent?: SentCount | undefined;
  uploads: UploadRecords;
  reporter: Reporter;
  signal: AbortSignal;
}

/** More connections make uploads no faster and may be refused. */
const UPLOADS_AT_ONCE = 16;
/** Objects up to this size (bytes) are uploaded without asking whether the bucket has them. */
const SMALL = 16 * 1024;
/** Metadata key with the hash of an object's bytes: an S3 key depends on files, not on their modes. */
const HASH_METADATA = 'sam-sync-sha256';

/** State of the store. */
interface StoreContext extends ObjectStoreOptions {
  place: PutPlace;
}

/** Creates the store. */
export function createObjectStore(given: ObjectStoreOptions): ObjectStore {
  const options: StoreContext = { ...given, place: { Bucket: given.bucket, ...encryption(given) } };
  const gate = createGate(UPLOADS_AT_ONCE);
  const { sent = { objects: 0, bytes: 0 } } = options;
  const checkBucket = once(async () => options.checkBucket?.());
  /** Hash of the bytes → the key under which this run found, uploaded or is uploading them. */
  const keys = new Map<string, Promise<string>>();
  const store = async (key: string, label: string, object: StoredObject): Promise<void> => {
    const hash = object.kind === 'file' ? object.sha256 : undefined;
    // for a small object HeadObject costs as much as the upload
    const lookup = sizeOf(object) > SMALL ? headObject(options, key) : undefined;
    const [existing] = await Promise.all([lookup, checkBucket()]);
    if (existing && isUpToDate(options, existing, hash)) {
      if (hash) keys.set(hash, Promise.resolve(key));
      return;
    }
    const sameBytes = hash === undefined ? undefined : keys.get(hash);
    const twin = sameBytes && (await sameBytes.catch(() => undefined));
    if (twin !== undefined) return copyObject(options, { from: twin, to: key });
    const sending = copyOrPut(options, { key, label, object }).then((bytes) => {
      if (bytes !== undefined) sent.objects++;
      sent.bytes += bytes ?? 0;
      return key;
    });
    if (hash) keys.set(hash, sending);
    await sending;
  };
  return {
    sent,
    has: (key) => gate(async () => (await explained(options, headObject(options, key))) !== undefined),
    ensure: (key, label, make) =>
      gate(async () => {
        options.signal.throwIfAborted();
        await explained(options, store(key, label, await make()));
      }),
  };
}

async function explained<T>(options: ObjectStoreOptions, access: Promise<T>): Promise<T> {
  try {
    return await access;
  } catch (error) {
    throw explainBucketError(error, { ...options, region: await options.aws.region() });
  }
}

/** Returns the size in bytes. */
function sizeOf(object: StoredObject): number {
  return object.kind === 'text' ? Buffer.byteLength(object.text) : object.size;
}

/** Returns whether an existing object has the wanted bytes, metadata and encryption. */
function isUpToDate(options: ObjectStoreOptions, existing: HeadObjectCommandOutput, hash: string | undefined): boolean {
  const { Metadata = {}, ServerSideEncryption, SSEKMSKeyId = '' } = existing;
  // an object without our hash is SAM CLI's zip of the same files, perhaps with other file modes
  if (hash !== undefined && Metadata[HASH_METADATA] !== hash) return false;
  // metadata names are HTTP headers, in lower case
  const wanted = Object.entries(options.metadata ?? {});
  if (wanted.some(([name, value]) => Metadata[name.toLowerCase()] !== value)) return false;
  const { kmsKeyId } = options;
  if (kmsKeyId === undefined) return true;
  // S3 reports the key's ARN, which cannot be compared with an alias
  return ServerSideEncryption === 'aws:kms' && (kmsKeyId.includes('alias/') || SSEKMSKeyId.endsWith(kmsKeyId));
}

async function headObject(options: ObjectStoreOptions, key: string): Promise<HeadObjectCommandOutput | undefined> {
  try {
    const { send, HeadObjectCommand } = await options.aws.s3();
    return await send(new HeadObjectCommand({ Bucket: options.bucket, Key: key }));
  } catch (error) {
    const status = isAwsError(error) ? httpStatus(error.cause) : undefined;
    // without ListBucket permission S3 answers 403 for a missing object; the upload shows whether writing is allowed
    if (status === 404 || status === 403) return undefined;
    // an answer to HEAD has no reason: the upload gets one, for example expired credentials
    if (status === 400 && isAwsError(error) && !(await isElsewhere(error, options))) return undefined;
    throw error;
  }
}

async function isElsewhere(error: AwsError, { aws }: ObjectStoreOptions): Promise<boolean> {
  const region = bucketRegion(error);
  return region !== undefined && region !== (await aws.region());
}

function httpStatus(failure: unknown): number | undefined {
  return (failure as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** Copies an object within the bucket. */
async function copyObject(options: ObjectStoreOptions, names: { from: string; to: string }): Promise<void> {
  const { send, CopyObjectCommand } = await options.aws.s3();
  const { CopyObjectResult } = await send(
    new CopyObjectCommand({
      Bucket: options.bucket,
      Key: names.to,
      CopySource: copySource(options.bucket, names.from),
      ...encryption(options),
    }),
  );
  requireAnswer('S3', 'CopyObject', 'ETag', CopyObjectResult?.ETag);
}

/** Lets S3 copy the bytes from where they came from, else uploads them. Returns the uploaded bytes; undefined if S3 copied. */
async function copyOrPut(
  options: StoreContext,
  upload: { key: string; label: string; object: StoredObject },
): Promise<number | undefined> {
  const { key, object } = upload;
  // a small upload costs no more than the copy
  const origin = object.kind === 'file' && object.size > SMALL ? object.origin : undefined;
  const isCopied = origin !== undefined && (await copyFrom(options, { ...origin, to: key, object }));
  return isCopied ? undefined : putObject(options, upload);
}

/** Returns whether S3 copied the object: it may be gone by now, or readable with other credentials only. */
async function copyFrom(
  options: ObjectStoreOptions,
  from: ObjectOrigin & { to: string; object: StoredObject },
): Promise<boolean> {
  try {
    const { send, CopyObjectCommand } = await options.aws.s3();
    const { CopyObjectResult } = await send(
      new CopyObjectCommand({
        Bucket: options.bucket,
        Key: from.to,
        CopySource: copySource(from.bucket, from.key),
        CopySourceIfMatch: from.etag,
        MetadataDirective: 'REPLACE',
        Metadata: metadataOf(options, from.object),
        ...encryption(options),
      }),
    );
    return CopyObjectResult?.ETag !== undefined;
  } catch (error) {
    options.signal.throwIfAborted();
    if (isAwsError(error)) return false;
    throw error;
  }
}

function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

function metadataOf({ metadata }: ObjectStoreOptions, object: StoredObject): Record<string, string> {
  const hash = object.kind === 'file' && object.sha256 ? { [HASH_METADATA]: object.sha256 } : {};
  return { ...metadata, ...hash };
}

async function putObject(
  options: StoreContext,
  { key, label, object }: { key: string; label: string; object: StoredObject },
): Promise<number> {
  const size = sizeOf(object);
  const id = `upload:${key}`;
  const started = performance.now();
  options.reporter.report({ type: 'step-started', kind: 'upload', id, label, totalBytes: size });
  try {
    const { place } = options;
    const metadata = metadataOf(options, object);
    if (object.kind === 'file' && size > PART_SIZE)
      await uploadInParts(options, { input: { ...place, Key: key, Metadata: metadata }, file: object.path, id });
    else {
      const body = object.kind === 'text' ? Buffer.from(object.text) : await readContent(object.path, size);
      const s3 = await options.aws.s3();
      const { ETag } = await s3.putObject(place, { key, body, metadata });
      requireAnswer('S3', 'PutObject', 'ETag', ETag);
    }
  } catch (error) {
    options.reporter.report({ type: 'step-finished', id, outcome: 'failed', ms: performance.now() - started });
    throw error;
  }
  options.reporter.report({ type: 'step-finished', id, outcome: 'done', ms: performance.now() - started });
  return size;
}

function encryption(options: ObjectStoreOptions): Pick<PutPlace, 'ServerSideEncryption' | 'SSEKMSKeyId'> {
  return options.kmsKeyId === undefined
    ? { ServerSideEncryption: 'AES256' }
    : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: options.kmsKeyId };
}
