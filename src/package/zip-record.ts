import { existsSync, readFileSync } from 'node:fs';
import { isMissing } from '../support/files.ts';
import { fields, parseJson, recordOf, text } from '../support/shapes.ts';
import { COMPRESSOR } from './compression.ts';
import type { ObjectOrigin } from './object-store.ts';
import type { ZipFile } from './zip.ts';

/** Names beside the content of an entry of the build cache: its zip, and what is known of it. */
export const ZIP_FILE = 'package.zip';
export const ZIP_RECORD = 'package.json';

/** Reads a record. A damaged one costs time, not correctness. */
export async function readRecord(file: string): Promise<Record<string, string>> {
  // new entries have none: to ask costs a tenth of the error
  if (!existsSync(file)) return {};
  try {
    return recordOf(text)(parseJson(readFileSync(file, 'utf8'))) ?? {};
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
}

/** Returns what a record says of the zip; undefined if there is none by this version. */
export function zipOfRecord(record: Readonly<Record<string, string>>): Omit<ZipFile, 'path'> | undefined {
  const { sha256, size, compressor, origin } = record;
  if (sha256 === undefined || compressor !== COMPRESSOR) return undefined;
  return { sha256, size: Number(size), origin: readOrigin(origin) };
}

/** Returns what to record of a zip. */
export function zipRecord({ sha256, size, origin }: Omit<ZipFile, 'path'>): Record<string, string> {
  const from = origin === undefined ? {} : { origin: JSON.stringify(origin) };
  return { sha256, size: String(size), compressor: COMPRESSOR, ...from };
}

function readOrigin(json: string | undefined): ObjectOrigin | undefined {
  const origin = fields(parseJson(json ?? ''));
  const [bucket, key, etag] = ['bucket', 'key', 'etag'].map((name) => text(origin?.[name]));
  return bucket !== undefined && key !== undefined && etag !== undefined ? { bucket, key, etag } : undefined;
}
