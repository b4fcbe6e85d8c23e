// The blocks of a raw deflate stream (RFC 1951): how streams of one file's pieces become one stream.

/** Order in which the lengths of the code of code lengths are given. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_CODE = 15;
const END_OF_BLOCK = 256;

/** An entry of a table: the bits of code and extra bits, and what the symbol is. */
const BITS = 0x1f;
const IS_MATCH = 0x20;
const IS_END = 0x40;

/**
 * Turns a complete stream into one that another stream can follow: its last block becomes an ordinary one, and an empty stored
 * block fills the last byte, as zlib's `Z_SYNC_FLUSH` does. libdeflate itself only makes complete streams.
 */
export function openEnded(stream: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(stream.length + 8); // a reader looks at four bytes
  bytes.set(stream);
  const { start, end } = findLastBlock(bytes);
  bytes.writeUInt8(bytes.readUInt8(start >>> 3) & ~(1 << (start & 7)), start >>> 3);
  const afterHeader = (end + 3 + 7) >>> 3; // the three bits of the header are zeros, as is the rest of the byte
  bytes.set([0, 0, 0xff, 0xff], afterHeader);
  return bytes.subarray(0, afterHeader + 4);
}

/** Returns where the last block starts and ends, in bits. */
function findLastBlock(bytes: Buffer): { start: number; end: number } {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0 };
  for (;;) {
    const start = reader.at;
    const isLast = read(reader, 1) === 1;
    skipBlock(reader, read(reader, 2));
    if (isLast) return { start, end: reader.at };
  }
}

interface BitReader {
  readonly view: DataView;
  /** Position in bits. */
  at: number;
}

function skipBlock(reader: BitReader, type: number): void {
  if (type === 0) {
    reader.at = (reader.at + 7) & ~7;
    const length = read(reader, 16);
    reader.at += 16 + length * 8;
  } else if (type === 1) skipSymbols(reader, ...fixedTables());
  else skipSymbols(reader, ...readTables(reader));
}

function skipSymbols(reader: BitReader, literals: Uint16Array, distances: Uint16Array): void {
  const { view } = reader;
  let { at } = reader;
  for (;;) {
    const symbol = literals[peek(view, at, literals)] ?? 0;
    at += symbol & BITS;
    if ((symbol & IS_MATCH) !== 0) {
      const distance = distances[peek(view, at, distances)] ?? 0;
      if (distance === 0) throw new Error('not a deflate stream: unknown distance');
      at += distance & BITS;
    } else if ((symbol & IS_END) !== 0) break;
    else if (symbol === 0) throw new Error('not a deflate stream: unknown symbol');
  }
  reader.at = at;
}

function fixedTables(): [Uint16Array, Uint16Array] {
  const lengths = Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8));
  return [literalTable(lengths), distanceTable(Array.from({ length: 30 }, () => 5))];
}

function readTables(reader: BitReader): [Uint16Array, Uint16Array] {
  const literals = read(reader, 5) + 257;
  const distances = read(reader, 5) + 1;
  const ofLengths: number[] = Array.from({ length: LENGTH_ORDER.length }, () => 0);
  const given = read(reader, 4) + 4;
  for (const symbol of LENGTH_ORDER.slice(0, given)) ofLengths[symbol] = read(reader, 3);
  const lengths = readLengths(
    reader,
    tableOf(ofLengths, (symbol, bits) => (symbol << 5) | bits),
    literals + distances,
  );
  return [literalTable(lengths.slice(0, literals)), distanceTable(lengths.slice(literals))];
}

/** Reads the lengths of codes, of which runs are shortened. */
function readLengths(reader: BitReader, table: Uint16Array, count: number): number[] {
  const lengths: number[] = [];
  while (lengths.length < count) {
    const entry = table[peek(reader.view, reader.at, table)] ?? 0;
    reader.at += entry & BITS;
    const symbol = entry >>> 5;
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 16) repeat(lengths, lengths.at(-1) ?? 0, 3 + read(reader, 2));
    else if (symbol === 17) repeat(lengths, 0, 3 + read(reader, 3));
    else repeat(lengths, 0, 11 + read(reader, 7));
  }
  return lengths;
}

function repeat(lengths: number[], value: number, times: number): void {
  for (let n = 0; n < times; n += 1) lengths.push(value);
}

/** Of the 29 symbols of match lengths, all but the first eight and the last have extra bits. */
function literalTable(lengths: readonly number[]): Uint16Array {
  return tableOf(lengths, (symbol, bits) => {
    if (symbol < END_OF_BLOCK) return bits;
    if (symbol === END_OF_BLOCK) return bits | IS_END;
    const length = symbol - 257;
    const extra = length < 8 || length === 28 ? 0 : (length >>> 2) - 1;
    return (bits + extra) | IS_MATCH;
  });
}

function distanceTable(lengths: readonly number[]): Uint16Array {
  return tableOf(lengths, (symbol, bits) => bits + (symbol < 4 ? 0 : (symbol >>> 1) - 1));
}

/** Makes a table, whose index is the next bits of the stream, from the lengths of a canonical Huffman code. */
function tableOf(lengths: readonly number[], entryOf: (symbol: number, bits: number) => number): Uint16Array {
  const table = new Uint16Array(1 << Math.max(...lengths));
  const next = firstCodes(lengths);
  for (let symbol = 0; symbol < lengths.length; symbol += 1) {
    const bits = lengths[symbol] ?? 0;
    if (bits === 0) continue;
    const code = next[bits] ?? 0;
    next[bits] = code + 1;
    const entry = entryOf(symbol, bits);
    const step = 1 << bits;
    for (let index = reversed(code, bits); index < table.length; index += step) table[index] = entry;
  }
  return table;
}

/** Returns the first code of each length. */
function firstCodes(lengths: readonly number[]): number[] {
  const counts = Array.from({ length: LONGEST_CODE + 1 }, () => 0);
  for (const bits of lengths) if (bits > 0) counts[bits] = (counts[bits] ?? 0) + 1;
  let code = 0;
  return counts.map((_, bits) => (code = (code + (counts[bits - 1] ?? 0)) << 1));
}

/** Codes are in the stream with their highest bit first, everything else with the lowest. */
function reversed(code: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit += 1) result |= ((code >>> bit) & 1) << (bits - 1 - bit);
  return result;
}

/** Returns the index of a table: as many of the next bits as it has. */
function peek(view: DataView, at: number, table: Uint16Array): number {
  return (view.getUint32(at >>> 3, true) >>> (at & 7)) & (table.length - 1);
}

function read(reader: BitReader, bits: number): number {
  const value = (reader.view.getUint32(reader.at >>> 3, true) >>> (reader.at & 7)) & ((1 << bits) - 1);
  reader.at += bits;
  return value;
}
