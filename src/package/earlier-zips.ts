import * as fs from 'node:fs/promises';
import { isMissing } from '../support/files.ts';
import { oncePerName } from '../support/once.ts';
import type { CompressedFile, CompressedFiles } from './compressed-files.ts';

/** Compressed files of earlier zips, which stay open until `close`. */
export interface EarlierZips {
  /** Finds the content with this SHA-256 (hex); undefined if unknown or its zip is gone. */
  find(sha256: string): Promise<EarlierFile | undefined>;
  /** Finds the content of a file that is never written to again, by its stamp. */
  findStamp(stamp: string | undefined): Promise<StampedFile | undefined>;
  close(): Promise<void>;
}

/** A compressed file, and the SHA-256 (hex) of its content. */
interface StampedFile {
  sha256: string;
  file: EarlierFile;
}

/** A compressed file of an open zip. */
export interface EarlierFile {
  /** Compressed size in bytes. */
  length: number;
  /** CRC-32 of the content. */
  crc: number;
  /** Zip's method number: 0 stored, 8 deflated. */
  method: 0 | 8;
  /** Reads compressed bytes from `start` to before `end`. */
  read(start: number, end: number): Promise<Buffer>;
}

/** Opens the zips of the cache as they are needed. */
export function openEarlierZips(compressed: CompressedFiles): EarlierZips {
  const zips = new Map<string, Promise<fs.FileHandle | undefined>>();
  const find: EarlierZips['find'] = async (sha256) => {
    const place = await compressed.find(sha256);
    const zip = place && (await oncePerName(zips, place.zip, () => openZip(place.zip)));
    return place && zip && fileAt(zip, place);
  };
  return {
    find,
    findStamp: async (stamp) => {
      const sha256 = stamp === undefined ? undefined : await compressed.hashOf(stamp);
      const file = sha256 === undefined ? undefined : await find(sha256);
      return sha256 === undefined || file === undefined ? undefined : { sha256, file };
    },
    close: async () => {
      for (const zip of await Promise.allSettled(zips.values())) {
        if (zip.status === 'fulfilled') await zip.value?.close();
      }
    },
  };
}

function fileAt(zip: fs.FileHandle, { offset, length, crc, method }: CompressedFile): EarlierFile {
  const read: EarlierFile['read'] = async (start, end) => {
    const bytes = Buffer.alloc(end - start);
    const { bytesRead } = await zip.read(bytes, 0, bytes.length, offset + start);
    if (bytesRead < bytes.length) throw new Error('an earlier zip was changed while it was read');
    return bytes;
  };
  return { length, crc, method, read };
}

async function openZip(zip: string): Promise<fs.FileHandle | undefined> {
  try {
    return await fs.open(zip);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
