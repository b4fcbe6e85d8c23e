import { createReadStream } from 'node:fs';
import type {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import type { Aws, Service } from '../aws/aws.ts';
import { requireAnswer } from '../aws/check-answer.ts';
import { createOnce } from '../aws/create-once.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { UploadRecords } from './unfinished-uploads.ts';

/** Larger files (bytes) are uploaded in parallel parts of this size. */
export const PART_SIZE = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;
/** Timeout of the call that begins an upload (ms). */
const BEGIN_WITHIN = 10_000;

/** What an upload in parts needs from its caller. */
interface PartsOptions {
  aws: Aws;
  reporter: Reporter;
  uploads: UploadRecords;
}

/** Uploads a file in parts. A failed or interrupted upload leaves no parts in the bucket. */
export async function uploadInParts(
  options: PartsOptions,
  { input, file, id }: { input: PutObjectCommandInput; file: string; id: string },
): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const body = createReadStream(file);
  const upload = new Upload({
    client: await partsClient(options),
    params: { ...input, Body: body },
    partSize: PART_SIZE,
    queueSize: PARTS_AT_ONCE,
  });
  upload.on('httpUploadProgress', (progress) =>
    options.reporter.report({ type: 'step-progress', id, bytes: progress.loaded ?? 0 }),
  );
  const uploading = upload.done().finally(() => body.destroy());
  options.aws.beforeClose(uploading);
  await uploading;
}

/**
 * Creates the client for the SDK's upload, which aborts the upload when it fails. This client sends the abort even after an
 * interruption, and never cuts off the call that begins the upload: an abort needs its answer.
 */
async function partsClient({ aws, reporter, uploads }: PartsOptions): Promise<Service<'s3'>['client']> {
  const s3 = await aws.s3();
  const plainSend = s3.client.send.bind(s3.client) as (command: object, options?: object) => Promise<Answer>;
  const send = async (command: object, options?: object): Promise<unknown> => {
    if (command instanceof s3.AbortMultipartUploadCommand) {
      if (await abortUpload(s3, command, reporter)) uploads.ended(command.input.UploadId ?? '');
      return {};
    }
    if (command instanceof s3.CreateMultipartUploadCommand) {
      const begun = await beginUpload(s3, command, Math.min(BEGIN_WITHIN, aws.requestTimeout));
      const { Bucket: bucket = '', Key: key = '' } = command.input;
      await uploads.begun({ bucket, key, uploadId: begun.UploadId ?? '' });
      return begun;
    }
    const answer = await plainSend(command, options);
    // without an ETag the parts were not assembled
    if (command instanceof s3.CompleteMultipartUploadCommand) {
      requireAnswer('S3', 'CompleteMultipartUpload', 'ETag', answer.ETag);
      uploads.ended(command.input.UploadId ?? '');
    }
    return answer;
  };
  return Object.create(s3.client, { send: { value: send } }) as typeof s3.client;
}

/** Begins an upload; after a lost answer, continues the one that S3 has begun. */
async function beginUpload(s3: Service<'s3'>, command: CreateMultipartUploadCommand, timeout: number): Promise<Answer> {
  const { Bucket, Key } = command.input;
  const sendOnce = s3.sendOnce as (command: object, options?: object) => Promise<Answer>;
  const send = async (): Promise<Answer> => {
    const begun = await sendOnce(command, { abortSignal: AbortSignal.timeout(timeout) });
    requireAnswer('S3', 'CreateMultipartUpload', 'UploadId', begun.UploadId);
    return begun;
  };
  const find = async (): Promise<Answer | undefined> => {
    try {
      // also after an interruption: what S3 has begun is aborted then
      const { Uploads = [] } = await s3.sendLate(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
      const own = Uploads.filter((upload) => upload.Key === Key).at(-1);
      return own?.UploadId === undefined ? undefined : { Bucket, Key, UploadId: own.UploadId };
    } catch (error) {
      // without permission to list, an upload without parts may remain, which costs nothing
      if (isAwsError(error) && error.kind === 'access-denied') return undefined;
      throw error;
    }
  };
  return createOnce({ send, find }, undefined);
}

interface Answer {
  Bucket?: string | undefined;
  Key?: string | undefined;
  UploadId?: string;
  ETag?: string;
}

/** Removes the parts and returns whether none is left. Reports those that remain: they cost money and no list of objects shows them. */
async function abortUpload(
  { sendLate, AbortMultipartUploadCommand: Command }: Service<'s3'>,
  { input }: AbortMultipartUploadCommand,
  reporter: Reporter,
): Promise<boolean> {
  try {
    await sendLate(new Command(input));
    // a part that was being uploaded may survive the first abort (API reference, AbortMultipartUpload)
    await sendLate(new Command(input));
    return true;
  } catch (error) {
    if (isAwsError(error, 'NoSuchUpload')) return true;
    const { Bucket = '', Key = '', UploadId = '' } = input;
    const hint = `Remove them with \`aws s3api abort-multipart-upload --bucket ${Bucket} --key ${Key} --upload-id ${UploadId}\``;
    note(reporter, 'warning', `Parts of an aborted upload remain in bucket ${Bucket}: ${Key}`, hint);
    return false;
  }
}
