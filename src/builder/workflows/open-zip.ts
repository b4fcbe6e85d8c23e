import { closeSync, fstatSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fromBufferPromise, fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl';
import type { ZipFile } from 'yauzl';
import { readAtLeast } from '../../support/files.ts';

const HOW = { lazyEntries: true, autoClose: false } as const;
/** What a stream of an entry reads at once (bytes). */
const CHUNK = 256 * 1024;

/** An archive that is open for reading. */
export interface OpenZip {
  zip: ZipFile;
  /** Bytes of the archive itself. */
  readAt: (position: number, length: number) => Buffer;
  close: () => void;
}

/** Opens an archive that was read already. */
export async function openZipBytes(bytes: Buffer): Promise<OpenZip> {
  const zip = await fromBufferPromise(bytes, HOW);
  return {
    zip,
    readAt: (position, length) => bytes.subarray(position, position + length),
    close: () => zip.close(),
  };
}

/** Opens an archive. */
export async function openZipFile(file: string): Promise<OpenZip> {
  const reader = new FileReader(file);
  try {
    const zip = await fromRandomAccessReaderPromise(reader, reader.size, HOW);
    return { zip, readAt: (position, length) => reader.readAt(position, length), close: () => reader.closeFile() };
  } catch (error) {
    reader.closeFile();
    throw error;
  }
}

/**
 * Reads an archive synchronously. The files of wheels are small: with promises, and a stream for each, a thousand files take
 * twice the processor time.
 */
class FileReader extends RandomAccessReader {
  readonly size: number;
  private readonly descriptor: number;

  constructor(file: string) {
    super();
    this.descriptor = openSync(file, 'r');
    this.size = fstatSync(this.descriptor).size;
  }

  readAt(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    this.fill(bytes, position);
    return bytes;
  }

  closeFile(): void {
    closeSync(this.descriptor);
  }

  override read(...[buffer, offset, length, position, callback]: Parameters<RandomAccessReader['read']>): void {
    let failure: Error | null = null;
    try {
      this.fill(buffer.subarray(offset, offset + length), position);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    callback(failure);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.chunks(start, end));
  }

  private *chunks(start: number, end: number): Generator<Buffer> {
    for (let at = start; at < end; at += CHUNK) yield this.readAt(at, Math.min(CHUNK, end - at));
  }

  private fill(bytes: Buffer, position: number): void {
    if (readAtLeast(this.descriptor, bytes, position) < bytes.length) throw new Error('it ends too early');
  }
}
