import { existsSync, readFileSync, statSync } from 'node:fs';
import { hashFile, isMissing, statIfExists, writeFileAtomic } from '../../support/files.ts';
import { createGate } from '../../support/map-limit.ts';
import { fields, parseJson, recordOf, text } from '../../support/shapes.ts';
import type { CountedFile } from '../../model/built-stack.ts';
import { COMPRESSOR } from './compression.ts';
import type { ObjectOrigin } from '../object-store.ts';
import type { ZipFile } from './zip.ts';

/** Names beside the content of an entry of the build cache: its zip, and what is known of it. */
export const ZIP_FILE = 'package.zip';
export const ZIP_RECORD = 'package.json';

/** Returns the name under which a record has the S3 key of the content, with a counted file or without one. */
export function keyName(counted?: CountedFile): string {
  return counted ? `key:${counted.text}` : 'key';
}

/** What is known of a zip and of the folder it is made of. */
export type ZipRecord = Readonly<Record<string, string>>;

const readZipRecord = recordOf(text);

/** Reads a record. A damaged one costs time, not correctness. */
export async function readRecord(file: string): Promise<ZipRecord> {
  // new entries have none: to ask costs a tenth of the error
  if (!existsSync(file)) return {};
  try {
    return readZipRecord(parseJson(readFileSync(file, 'utf8'))) ?? {};
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
}

/** Returns what a record says of the zip; undefined if there is none by this version. */
export function zipOfRecord(record: ZipRecord): Omit<ZipFile, 'path'> | undefined {
  const { sha256, size, compressor, origin } = record;
  if (sha256 === undefined || compressor !== COMPRESSOR) return undefined;
  return { sha256, size: Number(size), origin: readOrigin(origin) };
}

/** Returns what to record of the zip in `file`. */
export function zipRecord({ sha256, size, origin }: Omit<ZipFile, 'path'>, file: string): ZipRecord {
  const writtenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  const from = origin === undefined ? {} : { origin: JSON.stringify(origin) };
  return { sha256, size: String(size), compressor: COMPRESSOR, writtenAt: String(writtenAt), ...from };
}

/**
 * Finds the recorded zip, if it still is what was recorded: one that was written to since then, or comes from elsewhere, is
 * hashed, once.
 */
export async function findRecorded(
  { file, record }: { file: string; record: ZipRecord },
  update: (values: ZipRecord) => Promise<void>,
): Promise<ZipFile | undefined> {
  const zip = zipOfRecord(record);
  const stat = zip && (await statIfExists(file));
  if (zip === undefined || stat?.size !== zip.size) return undefined;
  if (record['writtenAt'] !== String(stat.mtimeMs)) {
    if ((await hashFile(file, 'sha256', 'base64')) !== zip.sha256) return undefined;
    await update(zipRecord(zip, file)).catch(() => {}); // on a read-only disk it is hashed each time
  }
  return { path: file, ...zip };
}

function readOrigin(json: string | undefined): ObjectOrigin | undefined {
  const origin = fields(parseJson(json ?? ''));
  const [bucket, key, etag] = ['bucket', 'key', 'etag'].map((name) => text(origin?.[name]));
  return bucket !== undefined && key !== undefined && etag !== undefined ? { bucket, key, etag } : undefined;
}

/** Adds values to the record in a file. */
export type RecordWriter = (file: string, values: ZipRecord) => Promise<void>;

/** Creates a writer of records. One write takes all that waits for a file: a layer of dozens of functions has as many S3 keys. */
export function createRecordWriter(): RecordWriter {
  const gate = createGate(1);
  const waiting = new Map<string, ZipRecord>();
  return async (file, values) => {
    waiting.set(file, { ...waiting.get(file), ...values });
    await gate(async () => {
      const added = waiting.get(file);
      if (added === undefined) return;
      waiting.delete(file);
      await writeFileAtomic(file, JSON.stringify({ ...(await readRecord(file)), ...added }));
    });
  };
}
