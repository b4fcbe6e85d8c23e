import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { readContent } from '../../support/files.ts';
import { lookAhead } from '../../support/look-ahead.ts';
import { once } from '../../support/once.ts';
import { LEAST_COMPRESSED, PIECE_SIZE } from './compression.ts';
import type { CompressedContent } from './compression.ts';
import type { Compressor } from './compressor.ts';
import type { EarlierFile, EarlierZips } from './earlier-zips.ts';
import type { TreeEntry } from './tree-entries.ts';

/** What compresses, and what is compressed already. */
export interface ContentSources {
  compressor: Pick<Compressor, 'compress'>;
  earlier: EarlierZips | undefined;
}

/** Checksum, size and, if the cache takes the file, SHA-256 (hex) of a content. */
interface ContentSums {
  crc: number;
  size: number;
  sha256: string | undefined;
}

/** A compressed entry, or a piece of a large one. */
export interface EntryPart extends CompressedContent {
  entry: TreeEntry;
  /** Whether the entry has more than one part. */
  isPiece: boolean;
  isFirst: boolean;
  isLast: boolean;
  /** Of the whole entry, complete with the last part. */
  sums: ContentSums;
}

/** How much of the contents is in memory at a time (bytes). */
const AHEAD = 4 * PIECE_SIZE;
/** What a file counts at least (bytes), so that not all small ones are read at once. */
const LEAST = 256 * 1024;

/** Reads and compresses entries, several at a time, and yields them in order. */
export function compressEntries(entries: readonly TreeEntry[], sources: ContentSources): AsyncGenerator<EntryPart> {
  const parts = entries.flatMap((entry): Part[] => {
    if (entry.linkTarget === undefined && entry.size > PIECE_SIZE) return piecesOf(entry, sources);
    return [{ size: entry.size, compress: () => compressWhole(entry, sources) }];
  });
  return lookAhead(parts, { weigh: ({ size }) => Math.max(size, LEAST), most: AHEAD }, ({ compress }) => compress());
}

interface Part {
  size: number;
  compress: () => Promise<EntryPart>;
}

async function compressWhole(entry: TreeEntry, { compressor, earlier }: ContentSources): Promise<EntryPart> {
  const { linkTarget } = entry;
  const part = { entry, isPiece: false, isFirst: true, isLast: true };
  if (linkTarget !== undefined) {
    const body = Buffer.from(linkTarget);
    return { ...part, body, method: 0, sums: { crc: crc32(body), size: body.length, sha256: undefined } };
  }
  const known = await earlier?.findStamp(entry.stamp);
  const knownBody = known?.file.read();
  if (known && knownBody) {
    const { sha256, file } = known;
    return { ...part, body: knownBody, method: file.method, sums: { crc: file.crc, size: entry.size, sha256 } };
  }
  const content = entry.content ?? (await readContent(entry.absolute, entry.size));
  const sha256 = earlier && createHash('sha256').update(content).digest('hex');
  const found = sha256 === undefined ? undefined : await earlier?.find(sha256);
  const body = found?.read();
  const size = content.length;
  if (found && body) return { ...part, body, method: found.method, sums: { crc: found.crc, size, sha256 } };
  const sums = { crc: crc32(content), size, sha256 };
  if (size < LEAST_COMPRESSED) return { ...part, body: content, method: 0, sums };
  return { ...part, ...(await compressor.compress(content, 'file')), sums };
}

function piecesOf(entry: TreeEntry, { compressor, earlier }: ContentSources): Part[] {
  const sums: ContentSums = { crc: 0, size: 0, sha256: undefined };
  const find = once(async () => (earlier === undefined ? undefined : findLarge(entry, earlier, sums)));
  let reading: Promise<unknown> | undefined;
  const count = Math.ceil(entry.size / PIECE_SIZE);
  return Array.from({ length: count }, (_, index) => {
    const part = { entry, isPiece: true, isFirst: index === 0, isLast: index === count - 1, sums };
    const compress = async (): Promise<EntryPart> => {
      // each piece adds to the checksum of those before it
      const piece = (reading ?? find()).then(async () => {
        const found = await find();
        if (found) return { body: readShare(found, index, count), method: found.method };
        return readPiece(entry.absolute, index * PIECE_SIZE, sums);
      });
      reading = piece;
      const content = await piece;
      if ('body' in content) return { ...part, ...content };
      return { ...part, ...(await compressor.compress(content, part.isLast ? 'last piece' : 'piece')) };
    };
    return { size: PIECE_SIZE, compress };
  });
}

/** Looks for the content of a large file; if it must be compressed, its pieces compute the checksum. */
async function findLarge(
  { absolute, size: listed, stamp }: TreeEntry,
  earlier: EarlierZips,
  sums: ContentSums,
): Promise<EarlierFile | undefined> {
  const known = await earlier.findStamp(stamp);
  if (known?.file.isIntact()) {
    Object.assign(sums, { crc: known.file.crc, size: listed, sha256: known.sha256 });
    return known.file;
  }
  const hash = createHash('sha256');
  let size = 0;
  for await (const bytes of createReadStream(absolute, { highWaterMark: 1024 * 1024 })) {
    hash.update(bytes as Buffer);
    size += (bytes as Buffer).length;
  }
  sums.sha256 = hash.digest('hex');
  const found = await earlier.find(sums.sha256);
  if (!found?.isIntact()) return undefined;
  Object.assign(sums, { crc: found.crc, size });
  return found;
}

/** Reads an equal share of the compressed content. */
function readShare({ readPart, length }: EarlierFile, index: number, count: number): Buffer {
  return readPart(Math.floor((length * index) / count), Math.floor((length * (index + 1)) / count));
}

/** Reads a full piece or the rest of the file: the boundaries of pieces must not depend on what a read returns. */
async function readPiece(absolute: string, start: number, sums: ContentSums): Promise<Buffer> {
  const file = await fs.open(absolute);
  try {
    const piece = Buffer.alloc(PIECE_SIZE);
    let filled = 0;
    while (filled < PIECE_SIZE) {
      const { bytesRead } = await file.read(piece, filled, PIECE_SIZE - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    const content = piece.subarray(0, filled);
    sums.crc = crc32(content, sums.crc);
    sums.size += content.length;
    return content;
  } finally {
    await file.close();
  }
}
