import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { once, oncePerName } from '../support/once.ts';
import { isBelow } from '../support/places.ts';
import { count, fields, listOf, parseJson, recordOf, text } from '../support/shapes.ts';
import type { Reader } from '../support/shapes.ts';
import { COMPRESSOR } from './compression.ts';

/** The place of a compressed file in an earlier zip. */
export interface CompressedFile {
  /** Absolute. */
  zip: string;
  offset: number;
  /** Compressed size in bytes. */
  length: number;
  /** CRC-32 of the content. */
  crc: number;
  /** Zip's method number: 0 stored, 8 deflated. */
  method: 0 | 8;
}

/** A compressed file of a finished zip. */
export interface WrittenFile extends Omit<CompressedFile, 'zip'> {
  /** Stamps of files with this content. */
  stamps: readonly string[];
}

/**
 * A cache of compressed files. Without dependency layers each change of a line zips everything that the function needs
 * (numpy: 70 MB, 1.4 s to compress). The zip has the same bytes with and without the cache, which holds only what this version's
 * compressor made.
 */
export interface CompressedFiles {
  /** Finds the content with this SHA-256 (hex); undefined if unknown or its zip is gone. */
  find(sha256: string): Promise<CompressedFile | undefined>;
  /**
   * Returns the SHA-256 of the file with this stamp, without reading it; only for files that are never written to again. A stamp
   * has the file's number and its time of creation, so that another file of equal size and date is no match.
   */
  hashOf(stamp: string): Promise<string | undefined>;
  /** Adds the files of an immutable zip, by SHA-256. */
  add(zip: string, size: number, files: ReadonlyMap<string, WrittenFile>): void;
  /** Writes the cache for the next run. */
  save(): Promise<void>;
}

/** SHA-256 → zip (relative to the build cache), its size, and the place in it. The cache file has them under `COMPRESSOR`. */
type Places = Record<string, Place>;
interface Saved {
  places: Places;
  /** Stamp of a file → SHA-256 of its content. */
  stamps: Record<string, string>;
}
type Place = [zip: string, size: number, offset: number, length: number, crc: number, method: 0 | 8];

/** Opens the cache. `storeDir`: the build cache with the zips and the file `compressed.json`. Absolute. */
export function openCompressedFiles(storeDir: string): CompressedFiles {
  const file = path.join(storeDir, 'compressed.json');
  const added: Saved = { places: {}, stamps: {} };
  const sizes = new Map<string, Promise<number | undefined>>();
  const saved = once(() => readSaved(file));
  return {
    find: async (sha256) => {
      const place = added.places[sha256] ?? (await saved()).places[sha256];
      if (place === undefined) return undefined;
      const [name, size, offset, length, crc, method] = place;
      const zip = path.join(storeDir, name);
      if (!isBelow(zip, storeDir)) return undefined;
      return (await oncePerName(sizes, zip, () => sizeOf(zip))) === size
        ? { zip, offset, length, crc, method }
        : undefined;
    },
    hashOf: async (stamp) => added.stamps[stamp] ?? (await saved()).stamps[stamp],
    add: (zip, size, files) => {
      const name = path.relative(storeDir, zip);
      sizes.set(zip, Promise.resolve(size));
      for (const [sha256, { offset, length, crc, method, stamps }] of files) {
        added.places[sha256] = [name, size, offset, length, crc, method];
        for (const stamp of stamps) added.stamps[stamp] = sha256;
      }
    },
    save: async () => {
      if (Object.keys(added.places).length === 0) return;
      const before = await readSaved(file);
      const all = { ...before.places, ...added.places };
      const names = [...new Set(Object.values(all).map(([name]) => name))];
      const sizesNow = await Promise.all(names.map((name) => sizeOf(path.join(storeDir, name))));
      const gone = new Set(names.filter((_, index) => sizesNow[index] === undefined));
      const kept = Object.fromEntries(Object.entries(all).filter(([, [name]]) => !gone.has(name)));
      const allStamps = Object.entries({ ...before.stamps, ...added.stamps });
      const stamps = Object.fromEntries(allStamps.filter(([, sha256]) => kept[sha256] !== undefined));
      await writeFileAtomic(file, JSON.stringify({ [COMPRESSOR]: kept, stamps }));
    },
  };
}

async function readSaved(file: string): Promise<Saved> {
  // a damaged file costs time, not correctness
  const saved = fields(parseJson((await readTextIfExists(file)) ?? '')) ?? {};
  const places = Object.entries(fields(saved[COMPRESSOR]) ?? {}).flatMap(([sha256, value]) => {
    const place = readPlace(value);
    return place === undefined ? [] : [[sha256, place] as const];
  });
  return { places: Object.fromEntries(places), stamps: recordOf(text)(saved['stamps']) ?? {} };
}

const readPlace: Reader<Place> = (value) => {
  const [zip, ...numbers] = Array.isArray(value) ? (value as unknown[]) : [];
  const [size, offset, length, crc, method] = listOf(count)(numbers) ?? [];
  if (size === undefined || offset === undefined || length === undefined) return undefined;
  if (crc === undefined || numbers.length !== 5) return undefined;
  if (typeof zip !== 'string' || offset + length > size || (method !== 0 && method !== 8)) return undefined;
  return [zip, size, offset, length, crc, method];
};

async function sizeOf(zip: string): Promise<number | undefined> {
  return (await fs.stat(zip).catch(() => undefined))?.size;
}
