import type { TreeEntry } from './tree-entries.ts';

// The records of a zip file, byte by byte (PKWARE's APPNOTE.TXT).

/** 1980-01-01 00:00, the earliest date of zips. */
const DOS_DATE = (1 << 5) | 1;
/** Flag: names are UTF-8. */
export const UTF8_NAMES = 1 << 11;
/** Flag: checksum and sizes follow the content, in a descriptor. */
export const SIZES_FOLLOW = 1 << 3;
const MADE_BY_UNIX = (3 << 8) | 20;

/** Checksum, sizes and encoding of an entry's content. */
export interface EntrySums {
  crc: number;
  size: number;
  compressedSize: number;
  method: 0 | 8;
  flags: number;
}

/** Creates the descriptor that follows the content of an entry with `SIZES_FOLLOW`. */
export function descriptorOf(sums: EntrySums): Buffer {
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(sums.crc, 4);
  descriptor.writeUInt32LE(sums.compressedSize, 8);
  descriptor.writeUInt32LE(sums.size, 12);
  return descriptor;
}

/** Creates the header before an entry's content. */
export function localHeader(entry: TreeEntry, sums: EntrySums): Buffer {
  const nameLength = Buffer.byteLength(entry.path);
  const header = Buffer.alloc(30 + nameLength);
  const known = (sums.flags & SIZES_FOLLOW) === 0;
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(sums.flags, 6);
  header.writeUInt16LE(sums.method, 8);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt32LE(known ? sums.crc : 0, 14);
  header.writeUInt32LE(known ? sums.compressedSize : 0, 18);
  header.writeUInt32LE(known ? sums.size : 0, 22);
  header.writeUInt16LE(nameLength, 26);
  header.write(entry.path, 30);
  return header;
}

/** Creates an entry's record in the central directory. */
export function centralRecord(entry: TreeEntry, sums: EntrySums, offset: number): Buffer {
  const nameLength = Buffer.byteLength(entry.path);
  const mode = entry.linkTarget !== undefined ? 0o120777 : entry.executable ? 0o100755 : 0o100644;
  const record = Buffer.alloc(46 + nameLength);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(MADE_BY_UNIX, 4);
  record.writeUInt16LE(20, 6);
  record.writeUInt16LE(sums.flags, 8);
  record.writeUInt16LE(sums.method, 10);
  record.writeUInt16LE(DOS_DATE, 14);
  record.writeUInt32LE(sums.crc, 16);
  record.writeUInt32LE(sums.compressedSize, 20);
  record.writeUInt32LE(sums.size, 24);
  record.writeUInt16LE(nameLength, 28);
  record.writeUInt32LE((mode << 16) >>> 0, 38);
  record.writeUInt32LE(offset, 42);
  record.write(entry.path, 46);
  return record;
}

/** Creates the end of the central directory, preceded by its zip64 form for more than 65,534 entries. */
export function endRecords(count: number, directorySize: number, directoryStart: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, 0xffff), 8);
  end.writeUInt16LE(Math.min(count, 0xffff), 10);
  end.writeUInt32LE(directorySize, 12);
  end.writeUInt32LE(directoryStart, 16);
  if (count < 0xffff) return end;
  const zip64 = Buffer.alloc(56 + 20);
  zip64.writeUInt32LE(0x06064b50, 0);
  zip64.writeBigUInt64LE(44n, 4);
  zip64.writeUInt16LE(MADE_BY_UNIX, 12);
  zip64.writeUInt16LE(45, 14);
  zip64.writeBigUInt64LE(BigInt(count), 24);
  zip64.writeBigUInt64LE(BigInt(count), 32);
  zip64.writeBigUInt64LE(BigInt(directorySize), 40);
  zip64.writeBigUInt64LE(BigInt(directoryStart), 48);
  zip64.writeUInt32LE(0x07064b50, 56);
  zip64.writeBigUInt64LE(BigInt(directoryStart + directorySize), 64);
  zip64.writeUInt32LE(1, 72);
  return Buffer.concat([zip64, end]);
}
