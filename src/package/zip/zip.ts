import * as path from 'node:path';
import { crc32 } from 'node:zlib';
import { UserError } from '../../errors.ts';
import { makeFolder } from '../../support/files.ts';
import { addPath } from '../../system-errors.ts';
import type { CompressedFiles, WrittenFile } from './compressed-files.ts';
import { isSmallTree } from './compression.ts';
import type { Compressor } from './compressor.ts';
import { openEarlierZips } from './earlier-zips.ts';
import type { ObjectOrigin } from '../object-store.ts';
import type { TreeEntry } from './tree-entries.ts';
import { compressEntries } from './zip-contents.ts';
import type { EntryPart } from './zip-contents.ts';
import { ZipOutput } from './zip-output.ts';
import { centralRecord, descriptorOf, endRecords, localHeader, SIZES_FOLLOW, UTF8_NAMES } from './zip-records.ts';
import type { EntrySums } from './zip-records.ts';

/** A finished zip file. */
export interface ZipFile {
  path: string;
  size: number;
  /** Base64 SHA-256 of the bytes, the form of Lambda's `CodeSha256`. */
  sha256: string;
  /** An object with the same bytes, in a bucket of a shared build cache. */
  origin?: ObjectOrigin | undefined;
}

/** What a zip is made with. */
export interface ZipTools {
  compressor: Compressor;
  signal?: AbortSignal;
  compressed?: CompressedFiles;
}

const MAX_SIZE = 0xffff_ffff;

/**
 * Writes the zip of a tree: entries in the given order, fixed dates, modes 755 or 644, links kept. The same entries give the
 * same bytes on every machine: libdeflate compresses as WebAssembly, fflate in JavaScript, because the output of native zlib differs between builds
 * (Node's own, a distribution's, SIMD variants), and so would Lambda's `CodeSha256`. The file appears complete or not at
 * all. With the cache `compressed`, which adds its files, the zip must not change afterwards.
 */
export async function writeZip(entries: readonly TreeEntry[], target: string, tools: ZipTools): Promise<ZipFile> {
  await makeFolder(path.dirname(target));
  const output = new ZipOutput(target);
  const written = new Map<string, WrittenFile>();
  try {
    tools.signal?.throwIfAborted();
    const directory = isSmallTree(entries)
      ? await (await import('./small-tree.ts')).writeSmallTree(entries, output)
      : await writeLargeTree(entries, { output, written }, tools);
    const start = output.size;
    const records = Buffer.concat(directory);
    await output.write(records);
    await output.write(endRecords(directory.length, records.length, start));
    const result = await output.close();
    if (written.size > 0) tools.compressed?.add(target, result.size, written);
    return { path: target, ...result };
  } catch (error) {
    await output.discard();
    throw addPath(error, target);
  }
}

/** Writes the entries of a large tree, and returns their records for the directory. */
async function writeLargeTree(
  entries: readonly TreeEntry[],
  to: Pick<ZipWriter, 'output' | 'written'>,
  { compressor, compressed, signal }: ZipTools,
): Promise<Buffer[]> {
  const earlier = compressed && openEarlierZips(compressed);
  const writing: ZipWriter = { ...to, directory: [] };
  try {
    for await (const part of compressEntries(entries, { compressor, earlier })) {
      signal?.throwIfAborted();
      await writePart(writing, part);
    }
    return writing.directory;
  } finally {
    earlier?.close();
  }
}

/** An unfinished zip. */
interface ZipWriter {
  output: ZipOutput;
  /** The entry that is being written. */
  current?: { sums: EntrySums; header: number; content: number; bodyCrc: number };
  /** Records of the entries so far. */
  directory: Buffer[];
  /** Compressed files in it, by SHA-256 of the content. */
  written: Map<string, WrittenFile>;
}

/** Writes an entry or, of a large one, a piece. */
async function writePart(writing: ZipWriter, { entry, sums, body, method, ...part }: EntryPart): Promise<void> {
  const { output, directory, written } = writing;
  if (part.isFirst) {
    const known = part.isPiece ? { crc: 0, size: 0, compressedSize: 0 } : { ...sums, compressedSize: body.length };
    const flags = part.isPiece ? UTF8_NAMES | SIZES_FOLLOW : UTF8_NAMES;
    const header = output.size;
    const before: EntrySums = { ...known, method, flags };
    await output.write(localHeader(entry, before));
    writing.current = { sums: before, header, content: output.size, bodyCrc: 0 };
  }
  const { current } = writing;
  if (current === undefined) throw new Error(`${entry.path} has no first part`);
  if (sums.sha256 !== undefined) current.bodyCrc = crc32(body, current.bodyCrc);
  await output.write(body);
  if (!part.isLast) return;
  const { crc, size, sha256 } = sums;
  Object.assign(current.sums, { crc, size, compressedSize: output.size - current.content });
  if (sha256 !== undefined) {
    const stamps = [...(written.get(sha256)?.stamps ?? []), ...(entry.stamp === undefined ? [] : [entry.stamp])];
    const { content: offset, bodyCrc } = current;
    written.set(sha256, { offset, length: current.sums.compressedSize, crc, method, bodyCrc, stamps });
  }
  if (part.isPiece) await output.write(descriptorOf(current.sums));
  if (output.size > MAX_SIZE) throw tooLarge(entry);
  directory.push(centralRecord(entry, current.sums, current.header));
}

function tooLarge({ absolute }: TreeEntry): UserError {
  return new UserError(`${absolute}: the package is larger than 4 GiB`, {
    hint: 'Lambda accepts 250 MB unzipped: exclude files the function does not need.',
  });
}
