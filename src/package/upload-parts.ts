import { createReadStream } from 'node:fs';
import type { AbortMultipartUploadCommand, PutObjectCommandInput } from '@aws-sdk/client-s3';
import type { Aws, Service } from '../aws/aws.ts';
import { requireAnswer } from '../aws/check-answer.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';

/** Files that are larger (bytes) are sent in parts of this size, side by side. */
export const PART_SIZE = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;
/** S3 has so long to begin an upload (ms). */
const BEGIN_WITHIN = 10_000;

/** How parts are sent, and where is reported what cannot be undone. */
interface PartsOptions {
  aws: Aws;
  reporter: Reporter;
}

/** Sends a file in parts. An upload that fails or is interrupted leaves none of them in the bucket. */
export async function uploadInParts(
  options: PartsOptions,
  what: { input: PutObjectCommandInput; file: string; id: string },
): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const body = createReadStream(what.file);
  const upload = new Upload({
    client: await partsClient(options),
    params: { ...what.input, Body: body },
    partSize: PART_SIZE,
    queueSize: PARTS_AT_ONCE,
  });
  upload.on('httpUploadProgress', (progress) =>
    options.reporter.report({ type: 'step-progress', id: what.id, bytes: progress.loaded ?? 0 }),
  );
  const uploading = upload.done().finally(() => body.destroy());
  options.aws.beforeClose(uploading);
  await uploading;
}

/**
 * The client for the SDK's upload, which sends an abort itself when something fails. The abort is sent also after an
 * interruption; the call that begins the upload is not cut off, because without its answer nothing can be aborted.
 */
async function partsClient({ aws, reporter }: PartsOptions): Promise<Service<'s3'>['client']> {
  const s3 = await aws.s3();
  const plainSend = s3.client.send.bind(s3.client) as (command: object, options?: object) => Promise<Answer>;
  const send = async (command: object, options?: object): Promise<unknown> => {
    if (command instanceof s3.AbortMultipartUploadCommand) return abortUpload(s3, command, reporter);
    if (command instanceof s3.CreateMultipartUploadCommand) {
      const begun = await plainSend(command, { abortSignal: AbortSignal.timeout(BEGIN_WITHIN) });
      requireAnswer('S3', 'CreateMultipartUpload', 'UploadId', begun.UploadId);
      return begun;
    }
    const answer = await plainSend(command, options);
    // otherwise the parts are still there
    if (command instanceof s3.CompleteMultipartUploadCommand)
      requireAnswer('S3', 'CompleteMultipartUpload', 'ETag', answer.ETag);
    return answer;
  };
  return Object.create(s3.client, { send: { value: send } }) as typeof s3.client;
}

interface Answer {
  UploadId?: string;
  ETag?: string;
}

/** Parts have no name in any list of objects, and cost money: what cannot be removed is reported. */
async function abortUpload(
  { sendLate, AbortMultipartUploadCommand: Command }: Service<'s3'>,
  { input }: AbortMultipartUploadCommand,
  reporter: Reporter,
): Promise<void> {
  try {
    await sendLate(new Command(input));
    // a part that was being stored at that moment may be there after it (API reference, AbortMultipartUpload)
    await sendLate(new Command(input));
  } catch (error) {
    if (isAwsError(error, 'NoSuchUpload')) return;
    const { Bucket = '', Key = '', UploadId = '' } = input;
    const hint = `Remove them: aws s3api abort-multipart-upload --bucket ${Bucket} --key ${Key} --upload-id ${UploadId}`;
    note(reporter, 'warning', `Parts of an upload that was aborted stay in bucket ${Bucket}: ${Key}`, hint);
  }
}
