import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { crc32 } from 'node:zlib';
import { Deflate, deflateSync } from 'fflate/browser';
import { UserError } from '../errors.ts';
import { discard, hashFile, isMissing, makeFolder } from '../support/files.ts';
import { temporarySuffix } from '../support/temporary-names.ts';
import { addPath } from '../system-errors.ts';
import type { CompressedFile, CompressedFiles } from './compressed-files.ts';
import type { TreeEntry } from './tree-entries.ts';
import { centralRecord, descriptorOf, endRecords, localHeader, SIZES_FOLLOW, UTF8_NAMES } from './zip-records.ts';
import type { EntrySums } from './zip-records.ts';

/** A finished zip file. */
export interface ZipFile {
  path: string;
  size: number;
  /** Base64 SHA-256 of the bytes, the form of Lambda's `CodeSha256`. */
  sha256: string;
}

/** Larger files are compressed in chunks instead of in memory. */
const STREAM_ABOVE = 16 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** Smaller files compress faster than the cache finds them. */
const CACHED_ABOVE = 16 * 1024;
const MAX_SIZE = 0xffff_ffff;

/**
 * Writes the zip of a tree: entries in the given order, fixed dates, modes 755 or 644, links kept. The same entries give the
 * same bytes on every machine: fflate compresses in JavaScript, because the output of native zlib differs between builds
 * (Node's own, a distribution's, SIMD variants), and so would Lambda's `CodeSha256`. The file appears complete or not at
 * all. With the cache `compressed`, which adds its files, the zip must not change afterwards.
 */
export async function writeZip(
  entries: readonly TreeEntry[],
  target: string,
  { signal, compressed }: { signal?: AbortSignal; compressed?: CompressedFiles } = {},
): Promise<ZipFile> {
  await makeFolder(path.dirname(target));
  const temporary = `${target}.${temporarySuffix()}`;
  const output = await ZipOutput.open(temporary);
  const writing: ZipWriter = { output, compressed, written: new Map() };
  try {
    const directory: Buffer[] = [];
    for (const entry of entries) {
      signal?.throwIfAborted();
      directory.push(await writeEntry(writing, entry));
    }
    const start = output.size;
    for (const record of directory) await output.write(record);
    await output.write(endRecords(directory.length, output.size - start, start));
    const result = await output.close();
    await fs.rename(temporary, target);
    compressed?.add(target, result.size, writing.written);
    return { path: target, ...result };
  } catch (error) {
    await output.discard();
    await discard(temporary);
    throw addPath(error, target);
  }
}

/** An unfinished zip. */
interface ZipWriter {
  output: ZipOutput;
  compressed: CompressedFiles | undefined;
  /** Compressed files in it, by SHA-256 of the content. */
  written: Map<string, Omit<CompressedFile, 'zip'>>;
}

/** A sequential writer with a buffer and a running hash. */
class ZipOutput {
  size = 0;
  private readonly file: fs.FileHandle;
  private readonly hash = createHash('sha256');
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;

  private constructor(file: fs.FileHandle) {
    this.file = file;
  }

  static async open(file: string): Promise<ZipOutput> {
    return new ZipOutput(await fs.open(file, 'w'));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    this.size += bytes.length;
    if (this.pendingBytes > PIECE) await this.flush();
  }

  async close(): Promise<{ size: number; sha256: string }> {
    await this.flush();
    await this.file.close();
    return { size: this.size, sha256: this.hash.digest('base64') };
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => {}); // already closed
  }

  private async flush(): Promise<void> {
    const bytes = Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    let done = 0;
    while (done < bytes.length) done += (await this.file.write(bytes, done)).bytesWritten;
  }
}

/** Writes an entry and returns its record for the central directory. */
async function writeEntry(writing: ZipWriter, entry: TreeEntry): Promise<Buffer> {
  const { output } = writing;
  const offset = output.size;
  const sums =
    entry.linkTarget === undefined && entry.size > STREAM_ABOVE
      ? await writeLargeFile(writing, entry)
      : await writeSmall(
          writing,
          entry,
          entry.linkTarget === undefined ? await fs.readFile(entry.absolute) : Buffer.from(entry.linkTarget),
        );
  if (output.size > MAX_SIZE) {
    throw new UserError(`${entry.absolute}: the package is larger than 4 GiB`, {
      hint: 'Lambda accepts 250 MB unzipped: exclude files the function does not need.',
    });
  }
  return centralRecord(entry, sums, offset);
}

async function writeSmall(writing: ZipWriter, entry: TreeEntry, content: Buffer): Promise<EntrySums> {
  const { output, compressed, written } = writing;
  const isCached = compressed !== undefined && entry.linkTarget === undefined && content.length > CACHED_ABOVE;
  const sha256 = isCached ? createHash('sha256').update(content).digest('hex') : '';
  const earlier = isCached ? await compressed.find(sha256) : undefined;
  const { body, method } = (earlier && (await readCompressed(earlier))) ?? deflateWhole(entry, content);
  const sums: EntrySums = {
    crc: crc32(content),
    size: content.length,
    compressedSize: body.length,
    method,
    flags: UTF8_NAMES,
  };
  await output.write(localHeader(entry, sums));
  if (isCached) written.set(sha256, { offset: output.size, length: body.length, method });
  await output.write(body);
  return sums;
}

function deflateWhole(entry: TreeEntry, content: Buffer): { body: Uint8Array; method: 0 | 8 } {
  const deflated = entry.linkTarget === undefined && content.length > 0 ? deflateSync(content, { level: 6 }) : content;
  return deflated.length < content.length ? { body: deflated, method: 8 } : { body: content, method: 0 };
}

/** Opens the zip with a compressed file; undefined if the zip was removed. */
async function openCompressed({ zip, offset, length }: CompressedFile): Promise<fs.FileHandle | undefined> {
  try {
    const file = await fs.open(zip);
    if ((await file.stat()).size >= offset + length) return file;
    await file.close();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return undefined;
}

async function readCompressed(place: CompressedFile): Promise<{ body: Buffer; method: 0 | 8 } | undefined> {
  const file = await openCompressed(place);
  if (file === undefined) return undefined;
  try {
    const { buffer } = await file.read(Buffer.alloc(place.length), 0, place.length, place.offset);
    return { body: buffer, method: place.method };
  } finally {
    await file.close();
  }
}

async function writeLargeFile(writing: ZipWriter, entry: TreeEntry): Promise<EntrySums> {
  const { output, compressed, written } = writing;
  const sha256 = compressed === undefined ? '' : await hashFile(entry.absolute, 'sha256', 'hex');
  const earlier = await compressed?.find(sha256);
  const sums: EntrySums = { crc: 0, size: 0, compressedSize: 0, method: 8, flags: UTF8_NAMES | SIZES_FOLLOW };
  await output.write(localHeader(entry, { ...sums }));
  const offset = output.size;
  const file = earlier && (await openCompressed(earlier));
  if (earlier === undefined || file === undefined) await deflateFile(output, entry, sums);
  else await copyCompressed(output, entry, { file, place: earlier, sums });
  if (compressed !== undefined) written.set(sha256, { offset, length: sums.compressedSize, method: 8 });
  await output.write(descriptorOf(sums));
  return sums;
}

/** Copies the compressed bytes of a large file from an earlier zip and computes its checksum and size again. */
async function copyCompressed(
  output: ZipOutput,
  entry: TreeEntry,
  { file, place, sums }: { file: fs.FileHandle; place: CompressedFile; sums: EntrySums },
): Promise<void> {
  try {
    for await (const piece of createReadStream(entry.absolute, { highWaterMark: PIECE })) {
      sums.crc = crc32(piece as Buffer, sums.crc);
      sums.size += (piece as Buffer).length;
    }
    const { offset, length } = place;
    const range = { start: offset, end: offset + length - 1, highWaterMark: PIECE, autoClose: false };
    for await (const piece of file.createReadStream(range)) {
      sums.compressedSize += (piece as Buffer).length;
      await output.write(piece as Buffer);
    }
  } finally {
    await file.close();
  }
}

async function deflateFile(output: ZipOutput, entry: TreeEntry, sums: EntrySums): Promise<void> {
  const file = await fs.open(entry.absolute);
  try {
    let compressed: Uint8Array[] = [];
    const deflate = new Deflate({ level: 6 }, (bytes) => compressed.push(bytes));
    for (let last = false; !last;) {
      const piece = await readPiece(file);
      last = piece.length < PIECE;
      sums.crc = crc32(piece, sums.crc);
      sums.size += piece.length;
      deflate.push(piece, last);
      for (const bytes of compressed) {
        sums.compressedSize += bytes.length;
        await output.write(bytes);
      }
      compressed = [];
    }
  } finally {
    await file.close();
  }
}

/** Reads a full piece or the rest of the file: the boundaries of pieces must not depend on what a read returns. */
async function readPiece(file: fs.FileHandle): Promise<Buffer> {
  const piece = Buffer.alloc(PIECE);
  let filled = 0;
  while (filled < PIECE) {
    const { bytesRead } = await file.read(piece, filled, PIECE - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return piece.subarray(0, filled);
}
