import * as fs from 'node:fs/promises';
import type { HeadObjectCommandOutput, PutObjectCommandInput } from '@aws-sdk/client-s3';
import type { Aws } from '../aws/aws.ts';
import { requireAnswer } from '../aws/check-answer.ts';
import { isAwsError } from '../aws/service-errors.ts';
import type { Reporter } from '../console/reporter.ts';
import { createGate } from '../support/map-limit.ts';
import { once } from '../support/once.ts';
import { explainBucketError } from './bucket-errors.ts';
import { PART_SIZE, uploadInParts } from './upload-parts.ts';

/** What is to be stored. `sha256` in base64 where it is known. */
export type StoredObject =
  | { kind: 'text'; text: string }
  | { kind: 'file'; path: string; size: number; sha256?: string };

/** A bucket, written to only where something is missing. */
export interface ObjectStore {
  /** Whether the bucket has the key. False also if we may not know: sending it settles that. */
  has(key: string): Promise<boolean>;
  /** Sends what `make` gives unless the bucket has it under `key`. */
  ensure(key: string, label: string, make: () => Promise<StoredObject>): Promise<void>;
  /** What was sent by this run. */
  readonly sent: SentCount;
}

/** How much was sent. */
interface SentCount {
  objects: number;
  bytes: number;
}

/** How objects are written. */
export interface ObjectStoreOptions {
  aws: Aws;
  bucket: string;
  /** `--kms-key-id`; without it S3-managed keys encrypt. */
  kmsKeyId: string | undefined;
  /** `--metadata`. */
  metadata: Readonly<Record<string, string>> | undefined;
  /** Checks, before anything is sent, that the bucket is still the one to use; rejects if it is not. */
  checkBucket?: (() => Promise<void>) | undefined;
  /** Counts for several stores together. */
  sent?: SentCount | undefined;
  reporter: Reporter;
  signal: AbortSignal;
}

/** More connections than this do not make uploads faster and may be refused. */
const UPLOADS_AT_ONCE = 16;
/** Up to this size (bytes) an object is sent without a look whether it is there. */
const SMALL = 16 * 1024;
/** Under this name an object's metadata tells the hash of its bytes: a key names files, not their modes. */
const HASH_METADATA = 'sam-sync-sha256';

export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const gate = createGate(UPLOADS_AT_ONCE);
  const { sent = { objects: 0, bytes: 0 } } = options;
  const checkBucket = once(async () => options.checkBucket?.());
  /** Hash of the bytes → the key under which this run has found, has sent or is sending them. */
  const keys = new Map<string, Promise<string>>();
  const store = async (key: string, label: string, object: StoredObject): Promise<void> => {
    const hash = object.kind === 'file' ? object.sha256 : undefined;
    // asking whether something so small is there costs as much as sending it
    const asking = sizeOf(object) > SMALL ? headObject(options, key) : undefined;
    const [there] = await Promise.all([asking, checkBucket()]);
    if (there && isAsWanted(options, there, hash)) {
      if (hash) keys.set(hash, Promise.resolve(key));
      return;
    }
    const known = hash === undefined ? undefined : keys.get(hash);
    const twin = known && (await known.catch(() => undefined));
    if (twin !== undefined) return copyObject(options, { from: twin, to: key });
    const sending = putObject(options, { key, label, object }).then((bytes) => {
      sent.objects++;
      sent.bytes += bytes;
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

/** In bytes. */
function sizeOf(object: StoredObject): number {
  return object.kind === 'text' ? Buffer.byteLength(object.text) : object.size;
}

/** Whether what is there need not be sent again. */
function isAsWanted(options: ObjectStoreOptions, there: HeadObjectCommandOutput, hash: string | undefined): boolean {
  const { Metadata = {}, ServerSideEncryption, SSEKMSKeyId = '' } = there;
  // an object without our hash is the peer's zip of the same files: its modes may be those of another machine
  if (hash !== undefined && Metadata[HASH_METADATA] !== hash) return false;
  // names of metadata travel as HTTP headers, in lower case
  const wanted = Object.entries(options.metadata ?? {});
  if (wanted.some(([name, value]) => Metadata[name.toLowerCase()] !== value)) return false;
  const { kmsKeyId } = options;
  if (kmsKeyId === undefined) return true;
  // S3 tells the key's ARN, which an alias does not show
  return ServerSideEncryption === 'aws:kms' && (kmsKeyId.includes('alias/') || SSEKMSKeyId.endsWith(kmsKeyId));
}

async function headObject(options: ObjectStoreOptions, key: string): Promise<HeadObjectCommandOutput | undefined> {
  try {
    const { send, HeadObjectCommand } = await options.aws.s3();
    return await send(new HeadObjectCommand({ Bucket: options.bucket, Key: key }));
  } catch (error) {
    const status = isAwsError(error) ? httpStatus(error.cause) : undefined;
    // 403 is what S3 answers for a missing object to whom may not list: the upload tells whether writing is allowed
    if (status === 404 || status === 403) return undefined;
    throw error;
  }
}

function httpStatus(failure: unknown): number | undefined {
  return (failure as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** The same bytes under another name: S3 copies them itself. */
async function copyObject(options: ObjectStoreOptions, names: { from: string; to: string }): Promise<void> {
  const { send, CopyObjectCommand } = await options.aws.s3();
  const { CopyObjectResult } = await send(
    new CopyObjectCommand({
      Bucket: options.bucket,
      Key: names.to,
      CopySource: `${options.bucket}/${names.from.split('/').map(encodeURIComponent).join('/')}`,
      ...encryption(options),
    }),
  );
  requireAnswer('S3', 'CopyObject', 'ETag', CopyObjectResult?.ETag);
}

async function putObject(
  options: ObjectStoreOptions,
  what: { key: string; label: string; object: StoredObject },
): Promise<number> {
  const { key, label, object } = what;
  const size = sizeOf(object);
  const id = `upload:${key}`;
  const started = performance.now();
  options.reporter.report({ type: 'step-started', kind: 'upload', id, label, totalBytes: size });
  try {
    const input: Omit<PutObjectCommandInput, 'Body'> = {
      Bucket: options.bucket,
      Key: key,
      Metadata: {
        ...options.metadata,
        ...(object.kind === 'file' && object.sha256 ? { [HASH_METADATA]: object.sha256 } : {}),
      },
      ...encryption(options),
    };
    if (object.kind === 'file' && size > PART_SIZE) await uploadInParts(options, { input, file: object.path, id });
    else {
      const body = object.kind === 'text' ? object.text : await fs.readFile(object.path);
      const { send, PutObjectCommand } = await options.aws.s3();
      const { ETag } = await send(new PutObjectCommand({ ...input, Body: body }));
      requireAnswer('S3', 'PutObject', 'ETag', ETag);
    }
  } catch (error) {
    options.reporter.report({ type: 'step-finished', id, outcome: 'failed', ms: performance.now() - started });
    throw error;
  }
  options.reporter.report({ type: 'step-finished', id, outcome: 'done', ms: performance.now() - started });
  return size;
}

function encryption(options: ObjectStoreOptions): Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'> {
  return options.kmsKeyId === undefined
    ? { ServerSideEncryption: 'AES256' }
    : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: options.kmsKeyId };
}
