import { closeSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { isMissing, readAtLeast } from '../../support/files.ts';
import type { CompressedFile, CompressedFiles } from './compressed-files.ts';

/** Compressed files of earlier zips, which stay open until `close`. */
export interface EarlierZips {
  /** Finds the content with this SHA-256 (hex); undefined if unknown or its zip is gone. */
  find(sha256: string): Promise<EarlierFile | undefined>;
  /** Finds the content of a file that is never written to again, by its stamp. */
  findStamp(stamp: string | undefined): Promise<StampedFile | undefined>;
  close(): void;
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
  /**
   * Reads the compressed bytes; undefined if they are not those that were written: the zip is damaged, or was replaced by another
   * one of the same size. They share memory with others and must not be changed.
   */
  read(): Buffer | undefined;
  /** Whether `read` would find the bytes. For large files: keeps little in memory. */
  isIntact(): boolean;
  /** Reads compressed bytes from `start` to before `end`, of a file that is intact. */
  readPart(start: number, end: number): Buffer;
}

/** Opens the zips of the cache as they are needed. */
export function openEarlierZips(compressed: CompressedFiles): EarlierZips {
  const zips = new Map<string, OpenZip | undefined>();
  const find: EarlierZips['find'] = async (sha256) => {
    const place = await compressed.find(sha256);
    if (place === undefined) return undefined;
    if (!zips.has(place.zip)) zips.set(place.zip, OpenZip.open(place.zip));
    const zip = zips.get(place.zip);
    return zip && fileAt(zip, place);
  };
  return {
    find,
    findStamp: async (stamp) => {
      const sha256 = stamp === undefined ? undefined : await compressed.hashOf(stamp);
      const file = sha256 === undefined ? undefined : await find(sha256);
      return sha256 === undefined || file === undefined ? undefined : { sha256, file };
    },
    close: () => {
      for (const zip of zips.values()) zip?.close();
    },
  };
}

function fileAt(zip: OpenZip, { offset, length, crc, method, bodyCrc }: CompressedFile): EarlierFile {
  return {
    length,
    crc,
    method,
    read: () => {
      const body = zip.read(offset, offset + length);
      return body !== undefined && crc32(body) === bodyCrc ? body : undefined;
    },
    isIntact: () => {
      let sum = 0;
      for (let at = 0; at < length; at += CHECKED) {
        const body = zip.read(offset + at, offset + Math.min(length, at + CHECKED));
        if (body === undefined) return false;
        sum = crc32(body, sum);
      }
      return sum === bodyCrc;
    },
    readPart: (start, end) => {
      const body = zip.read(offset + start, offset + end);
      if (body === undefined) throw new Error('an earlier zip was changed while it was read');
      return body;
    },
  };
}

/** How much of a large file is checked at a time (bytes). */
const CHECKED = 1024 * 1024;

/** What is read at a time (bytes): as much as a file counts at least while files wait for their turn. */
const WINDOW = 256 * 1024;

/**
 * An earlier zip. The next file wanted usually follows the last one in it, so it is read a window at a time, and synchronously:
 * with a read of its own, each of a thousand small files takes a trip through Node's thread pool.
 */
class OpenZip {
  private window: { at: number; bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) };
  private readonly descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  static open(file: string): OpenZip | undefined {
    try {
      return new OpenZip(openSync(file, 'r'));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Returns undefined if the zip ends before. */
  read(start: number, end: number): Buffer | undefined {
    const { at, bytes } = this.window;
    if (start < at || end > at + bytes.length) {
      const found = this.readAt(start, end - start);
      if (found === undefined) return undefined;
      this.window = { at: start, bytes: found };
    }
    const from = start - this.window.at;
    return this.window.bytes.subarray(from, from + end - start);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** Reads at least `needed` bytes, more if there are. */
  private readAt(start: number, needed: number): Buffer | undefined {
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, WINDOW));
    const filled = readAtLeast(this.descriptor, bytes, start, needed);
    return filled < needed ? undefined : bytes.subarray(0, filled);
  }
}
