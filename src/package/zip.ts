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

/** Larger files are compressed piece by piece instead of being held in memory. */
const STREAM_ABOVE = 16 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** Smaller files are compressed in less time than it takes to look for them. */
const LOOKED_FOR_ABOVE = 16 * 1024;
const MAX_SIZE = 0xffff_ffff;

/**
 * Writes the zip of a tree: entries in the order given, fixed dates, modes 755 or 644, links kept. The same entries
 * give the same bytes on every machine: compression is fflate's, in JavaScript, because the output of native zlib
 * differs between builds (Node's own, a distribution's, SIMD variants), and with it Lambda's `CodeSha256` would.
 * The file appears whole or not at all. `compressed`: what need not be compressed again; it learns what is in this zip, which
 * then must not change.
 */
export async function writeZip(
  entries: readonly TreeEntry[],
  target: string,
  { signal, compressed }: { signal?: AbortSignal; compressed?: CompressedFiles } = {},
): Promise<ZipFile> {
  await makeFolder(path.dirname(target));
  const temporary = `${target}.${temporarySuffix()}`;
  const output = await ZipOutput.open(temporary);
  const writing: Writing = { output, compressed, written: new Map() };
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
    compressed?.learn(target, result.size, writing.written);
    return { path: target, ...result };
  } catch (error) {
    await output.discard();
    await discard(temporary);
    throw addPath(error, target);
  }
}

/** A zip under way. */
interface Writing {
  output: ZipOutput;
  compressed: CompressedFiles | undefined;
  /** What lies where in it, by SHA-256 of the content. */
  written: Map<string, Omit<CompressedFile, 'zip'>>;
}

/** Sequential writer with a buffer and a running hash. */
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
    await this.file.close().catch(() => {}); // closed already
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
async function writeEntry(writing: Writing, entry: TreeEntry): Promise<Buffer> {
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
      hint: 'Lambda takes 250 MB unzipped; exclude what the function does not need.',
    });
  }
  return centralRecord(entry, sums, offset);
}

async function writeSmall(writing: Writing, entry: TreeEntry, content: Buffer): Promise<EntrySums> {
  const { output, compressed, written } = writing;
  const isLookedFor = compressed !== undefined && entry.linkTarget === undefined && content.length > LOOKED_FOR_ABOVE;
  const sha256 = isLookedFor ? createHash('sha256').update(content).digest('hex') : '';
  const found = isLookedFor ? await compressed.find(sha256) : undefined;
  const { body, method } = (found && (await readCompressed(found))) ?? deflateWhole(entry, content);
  const sums: EntrySums = {
    crc: crc32(content),
    size: content.length,
    compressedSize: body.length,
    method,
    flags: UTF8_NAMES,
  };
  await output.write(localHeader(entry, sums));
  if (isLookedFor) written.set(sha256, { offset: output.size, length: body.length, method });
  await output.write(body);
  return sums;
}

function deflateWhole(entry: TreeEntry, content: Buffer): { body: Uint8Array; method: 0 | 8 } {
  const deflated = entry.linkTarget === undefined && content.length > 0 ? deflateSync(content, { level: 6 }) : content;
  return deflated.length < content.length ? { body: deflated, method: 8 } : { body: content, method: 0 };
}

/** The zip in which a content lies compressed; undefined if it was removed meanwhile: then it is compressed again. */
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

async function readCompressed(found: CompressedFile): Promise<{ body: Buffer; method: 0 | 8 } | undefined> {
  const file = await openCompressed(found);
  if (file === undefined) return undefined;
  try {
    const { buffer } = await file.read(Buffer.alloc(found.length), 0, found.length, found.offset);
    return { body: buffer, method: found.method };
  } finally {
    await file.close();
  }
}

async function writeLargeFile(writing: Writing, entry: TreeEntry): Promise<EntrySums> {
  const { output, compressed, written } = writing;
  const sha256 = compressed === undefined ? '' : await hashFile(entry.absolute, 'sha256', 'hex');
  const found = await compressed?.find(sha256);
  const sums: EntrySums = { crc: 0, size: 0, compressedSize: 0, method: 8, flags: UTF8_NAMES | SIZES_FOLLOW };
  await output.write(localHeader(entry, { ...sums }));
  const offset = output.size;
  const file = found && (await openCompressed(found));
  if (found === undefined || file === undefined) await deflateFile(output, entry, sums);
  else await copyCompressed(output, entry, { file, found, sums });
  if (compressed !== undefined) written.set(sha256, { offset, length: sums.compressedSize, method: 8 });
  await output.write(descriptorOf(sums));
  return sums;
}

/** What a large file was compressed to before; its checksum and size are counted anew. */
async function copyCompressed(
  output: ZipOutput,
  entry: TreeEntry,
  { file, found, sums }: { file: fs.FileHandle; found: CompressedFile; sums: EntrySums },
): Promise<void> {
  try {
    for await (const piece of createReadStream(entry.absolute, { highWaterMark: PIECE })) {
      sums.crc = crc32(piece as Buffer, sums.crc);
      sums.size += (piece as Buffer).length;
    }
    const { offset, length } = found;
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

/** A full piece, or what is left: the pieces' borders must not depend on how much a read returns. */
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
