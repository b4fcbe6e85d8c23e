/**
 * What decides the bytes of a zip besides its content, part of what is remembered of zips and of compressed files. Change it with
 * the versions of libdeflate and fflate, the level and the sizes here, so that no zip of an older sam-sync is taken for one of this.
 */
export const COMPRESSOR = 'libdeflate 0.1.0, level 6, pieces of 8 MiB; fflate 0.8.3, level 6, to 64 KiB; from 64 bytes';

/** Smaller files are stored (bytes): a zip has more to say about each of them than compression could save. */
export const LEAST_COMPRESSED = 64;

/** Larger files are compressed in pieces of this size (bytes): in parallel, and with little memory. */
export const PIECE_SIZE = 8 * 1024 * 1024;

/**
 * fflate compresses trees up to this size (bytes): JavaScript that is compiled already. Loading libdeflate takes 8 ms of processor
 * time longer, a twentieth of a code sync of one function.
 */
const SMALL_TREE = 64 * 1024;

/** Whether a tree is at most that large. */
export function isSmallTree(entries: readonly { size: number }[]): boolean {
  return entries.reduce((sum, { size }) => sum + size, 0) <= SMALL_TREE;
}

/** The content of an entry as it is in a zip. */
export interface CompressedContent {
  body: Uint8Array;
  /** Zip's method number: 0 stored, 8 deflated. */
  method: 0 | 8;
}

/** What to compress: a whole file, or a piece of one. The compressed pieces of a file are one stream. */
export type DeflatePart = 'file' | 'piece' | 'last piece';

/** A task of a thread. */
export interface DeflateTask {
  content: Uint8Array;
  part: DeflatePart;
}

/** Its answer. */
export type DeflateAnswer = CompressedContent | { failure: string };

/** Returns the bytes in a buffer of their own, which can be transferred to a thread. Copies them if they share it with others. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) return new Uint8Array(buffer);
  return Uint8Array.from(bytes);
}
