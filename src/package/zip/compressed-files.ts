import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../../support/files.ts';
import { ownValue } from '../../support/own-value.ts';
import { once, oncePerName } from '../../support/once.ts';
import { isBelow } from '../../support/places.ts';
import { count, fields, listOf, parseJson, text } from '../../support/shapes.ts';
import type { Reader } from '../../support/shapes.ts';
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
  /** CRC-32 of the compressed bytes. */
  bodyCrc: number;
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

/** The content of the cache file, whose values are checked when they are used: there are thousands, and few are needed. */
interface Saved {
  /** SHA-256 → `Place`. The file has them under `COMPRESSOR`. */
  places: Readonly<Record<string, unknown>>;
  /** Stamp of a file → SHA-256 of its content. */
  stamps: Readonly<Record<string, unknown>>;
}
/** A zip (relative to the build cache), its size, and the place in it. */
type Place = [zip: string, size: number, offset: number, length: number, crc: number, method: 0 | 8, bodyCrc: number];

/** How many stamps the cache keeps for a compressed file, on average. */
const STAMPS_PER_FILE = 4;

/** Opens the cache. `storeDir`: the build cache with the zips and the file `compressed.json`. Absolute. */
export function openCompressedFiles(storeDir: string): CompressedFiles {
  const file = path.join(storeDir, 'compressed.json');
  const added = { places: new Map<string, Place>(), stamps: new Map<string, string>() };
  const sizes = new Map<string, Promise<number | undefined>>();
  const saved = once(() => readSaved(file));
  return {
    find: async (sha256) => {
      const place = added.places.get(sha256) ?? readPlace(ownValue((await saved()).places, sha256));
      if (place === undefined) return undefined;
      const [name, size, offset, length, crc, method, bodyCrc] = place;
      const zip = path.join(storeDir, name);
      if (!isBelow(zip, storeDir)) return undefined;
      return (await oncePerName(sizes, zip, () => sizeOf(zip))) === size
        ? { zip, offset, length, crc, method, bodyCrc }
        : undefined;
    },
    hashOf: async (stamp) => added.stamps.get(stamp) ?? text(ownValue((await saved()).stamps, stamp)),
    add: (zip, size, files) => {
      const name = path.relative(storeDir, zip);
      sizes.set(zip, Promise.resolve(size));
      for (const [sha256, { offset, length, crc, method, bodyCrc, stamps }] of files) {
        added.places.set(sha256, [name, size, offset, length, crc, method, bodyCrc]);
        for (const stamp of stamps) added.stamps.set(stamp, sha256);
      }
    },
    save: async () => {
      if (added.places.size === 0) return;
      const before = await readSaved(file);
      const places = new Map<string, unknown>([...Object.entries(before.places), ...added.places]);
      const zips = new Set([...places.values()].map(zipOf));
      for (const name of zips) {
        if (name === undefined || (await sizeOf(path.join(storeDir, name))) === undefined) zips.delete(name);
      }
      for (const [sha256, place] of places) if (!zips.has(zipOf(place))) places.delete(sha256);
      const stamps = [...Object.entries(before.stamps), ...added.stamps].filter(([, sha256]) =>
        places.has(text(sha256) ?? ''),
      );
      // installing the same packages again gives their files other stamps: the newest are last
      const newest = stamps.slice(-STAMPS_PER_FILE * places.size);
      const content = { [COMPRESSOR]: Object.fromEntries(places), stamps: Object.fromEntries(newest) };
      await writeFileAtomic(file, JSON.stringify(content));
    },
  };
}

async function readSaved(file: string): Promise<Saved> {
  // a damaged file costs time, not correctness
  const saved = fields(parseJson((await readTextIfExists(file)) ?? '')) ?? {};
  return { places: fields(saved[COMPRESSOR]) ?? {}, stamps: fields(saved['stamps']) ?? {} };
}

function zipOf(place: unknown): string | undefined {
  return Array.isArray(place) ? text(place[0]) : undefined;
}

const readPlace: Reader<Place> = (value) => {
  const [zip, ...numbers] = Array.isArray(value) ? (value as unknown[]) : [];
  const [size, offset, length, crc, method, bodyCrc] = listOf(count)(numbers) ?? [];
  if (size === undefined || offset === undefined || length === undefined) return undefined;
  if (crc === undefined || bodyCrc === undefined || numbers.length !== 6) return undefined;
  if (typeof zip !== 'string' || offset + length > size || (method !== 0 && method !== 8)) return undefined;
  return [zip, size, offset, length, crc, method, bodyCrc];
};

async function sizeOf(zip: string): Promise<number | undefined> {
  return (await fs.stat(zip).catch(() => undefined))?.size;
}
