import { crc32 } from 'node:zlib';
import { readContent } from '../../support/files.ts';
import { compressSmall } from './compress-small.ts';
import { LEAST_COMPRESSED } from './compression.ts';
import type { CompressedContent } from './compression.ts';
import type { TreeEntry } from './tree-entries.ts';
import type { ZipOutput } from './zip-output.ts';
import { centralRecord, localHeader, UTF8_NAMES } from './zip-records.ts';

/**
 * Writes the entries of a small tree and returns their records for the directory: the same bytes as entry by entry with promises,
 * in half the time.
 */
export async function writeSmallTree(entries: readonly TreeEntry[], output: ZipOutput): Promise<Buffer[]> {
  const directory: Buffer[] = [];
  for (const entry of entries) {
    const { linkTarget, absolute, size } = entry;
    const content =
      linkTarget === undefined ? (entry.content ?? (await readContent(absolute, size))) : Buffer.from(linkTarget);
    const isStored = linkTarget !== undefined || content.length < LEAST_COMPRESSED;
    const { body, method }: CompressedContent = isStored ? { body: content, method: 0 } : compressSmall(content);
    const known = { crc: crc32(content), size: content.length, compressedSize: body.length };
    const sums = { ...known, method, flags: UTF8_NAMES };
    directory.push(centralRecord(entry, sums, output.size));
    const flushing = output.write(Buffer.concat([localHeader(entry, sums), body]));
    if (flushing !== undefined) await flushing;
  }
  return directory;
}
