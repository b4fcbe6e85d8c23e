import { rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { makeFolderSync, namesIn, readTextIfExists } from '../support/files.ts';
import { fields, parseJson, recordOf, text } from '../support/shapes.ts';
import { temporarySuffix } from '../support/temporary-names.ts';
import { isLeftover } from '../support/temporary.ts';

/** An upload in parts that has begun. */
interface BegunUpload {
  bucket: string;
  key: string;
  uploadId: string;
}

/** Remembers uploads in parts until they end, in a folder: those of a killed run are aborted by a later one. */
export interface UploadRecords {
  /** Records the upload, before it has a part. */
  begun(upload: BegunUpload): Promise<void>;
  /** The upload is complete, or aborted. */
  ended(uploadId: string): void;
}

/** Opens the records of this run. `storeDir`: absolute. */
export function openUploadRecords(storeDir: string, aws: Aws): UploadRecords {
  const files = new Map<string, string>();
  return {
    begun: async (upload) => {
      const file = path.join(recordDir(storeDir), `upload.${temporarySuffix()}${EXTENSION}`);
      const record = JSON.stringify({ ...upload, place: await placeOf(aws) });
      try {
        makeFolderSync(path.dirname(file));
        writeFileSync(file, record);
        files.set(upload.uploadId, file);
      } catch {
        // a full or read-only disk: only a killed run leaves something
      }
    },
    ended: (uploadId) => {
      const file = files.get(uploadId);
      if (file !== undefined) remove(file);
    },
  };
}

/**
 * Aborts the uploads that killed runs recorded in this account and Region. S3 keeps and charges their parts, and no list of
 * objects shows them.
 */
export async function abortLeftUploads(storeDir: string, aws: Aws): Promise<void> {
  const dir = recordDir(storeDir);
  for (const name of namesIn(dir)) {
    const file = path.join(dir, name);
    if (!(await isLeftover(file, EXTENSION))) continue;
    const record = readRecord((await readTextIfExists(file)) ?? '');
    if (record === undefined) remove(file);
    else if (record.place === (await placeOf(aws)) && (await abortUpload(aws, record))) remove(file);
  }
}

/** Without it the names would be those of temporary files, which every run removes. */
const EXTENSION = '.json';

function recordDir(storeDir: string): string {
  return path.join(storeDir, 'uploads');
}

/** Where a bucket name and an upload ID are known. */
async function placeOf(aws: Aws): Promise<string> {
  return (await aws.endpoint('s3')) ?? (await aws.region());
}

function readRecord(json: string): (BegunUpload & { place: string }) | undefined {
  const { bucket, key, uploadId, place } = recordOf(text)(fields(parseJson(json))) ?? {};
  if (bucket === undefined || key === undefined || uploadId === undefined || place === undefined) return undefined;
  return { bucket, key, uploadId, place };
}

/** Returns whether no part is left. */
async function abortUpload(aws: Aws, { bucket, key, uploadId }: BegunUpload): Promise<boolean> {
  const { sendLate, AbortMultipartUploadCommand } = await aws.s3();
  try {
    await sendLate(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
    return true;
  } catch (error) {
    // other credentials, or no connection: a later run tries again
    return isAwsError(error, 'NoSuchUpload') || isAwsError(error, 'NoSuchBucket');
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // the upload is aborted again, which has no effect
  }
}
