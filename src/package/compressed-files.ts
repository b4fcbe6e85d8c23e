import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { once, oncePerName } from '../support/once.ts';
import { isBelow } from '../support/places.ts';
import { count, fields, listOf, parseJson } from '../support/shapes.ts';
import type { Reader } from '../support/shapes.ts';

/** Where a content lies in a zip that was made before, compressed. */
export interface CompressedFile {
  /** Absolute. */
  zip: string;
  offset: number;
  /** Bytes, compressed. */
  length: number;
  /** 0: stored as it is; 8: deflated (zip's numbers). */
  method: 0 | 8;
}

/**
 * What was compressed once and need not be again: without dependency layers each change of a line makes a zip of everything
 * that the function needs (numpy: 60 MB, 2.4 s to compress). The same content gives the same bytes either way.
 */
export interface CompressedFiles {
  /** `sha256` of the content, hex; undefined if there is none, or the zip that it was in is not there any more. */
  find(sha256: string): Promise<CompressedFile | undefined>;
  /** A zip that stays as it is as long as it is there: what lies where in it, by SHA-256. */
  learn(zip: string, size: number, files: ReadonlyMap<string, Omit<CompressedFile, 'zip'>>): void;
  /** Keeps it for the next run. */
  save(): Promise<void>;
}

/** In the file: SHA-256 → zip (relative to the store) with its size, and where in it. */
type Known = Record<string, Place>;
type Place = [zip: string, size: number, offset: number, length: number, method: 0 | 8];

/** `storeDir`: the build's store, which holds the zips and the file `compressed.json`. Absolute. */
export function openCompressedFiles(storeDir: string): CompressedFiles {
  const file = path.join(storeDir, 'compressed.json');
  const learned: Known = {};
  const sizes = new Map<string, Promise<number | undefined>>();
  const known = once(() => readKnown(file));
  return {
    find: async (sha256) => {
      const found = learned[sha256] ?? (await known())[sha256];
      if (found === undefined) return undefined;
      const [name, size, offset, length, method] = found;
      const zip = path.join(storeDir, name);
      if (!isBelow(zip, storeDir)) return undefined;
      return (await oncePerName(sizes, zip, () => sizeOf(zip))) === size ? { zip, offset, length, method } : undefined;
    },
    learn: (zip, size, files) => {
      const name = path.relative(storeDir, zip);
      sizes.set(zip, Promise.resolve(size));
      for (const [sha256, { offset, length, method }] of files) {
        learned[sha256] = [name, size, offset, length, method];
      }
    },
    save: async () => {
      if (Object.keys(learned).length === 0) return;
      const all = { ...(await readKnown(file)), ...learned };
      const names = [...new Set(Object.values(all).map(([name]) => name))];
      const there = await Promise.all(names.map((name) => sizeOf(path.join(storeDir, name))));
      const gone = new Set(names.filter((_, index) => there[index] === undefined));
      const kept = Object.fromEntries(Object.entries(all).filter(([, [name]]) => !gone.has(name)));
      await writeFileAtomic(file, JSON.stringify(kept));
    },
  };
}

async function readKnown(file: string): Promise<Known> {
  // what is damaged is compressed again, nothing is wrong
  const entries = Object.entries(fields(parseJson((await readTextIfExists(file)) ?? '')) ?? {});
  return Object.fromEntries(
    entries.flatMap(([sha256, value]) => {
      const place = readPlace(value);
      return place === undefined ? [] : [[sha256, place] as const];
    }),
  );
}

const readPlace: Reader<Place> = (value) => {
  const [zip, ...numbers] = Array.isArray(value) ? (value as unknown[]) : [];
  const [size, offset, length, method] = listOf(count)(numbers) ?? [];
  if (size === undefined || offset === undefined || length === undefined || numbers.length !== 4) return undefined;
  if (typeof zip !== 'string' || offset + length > size || (method !== 0 && method !== 8)) return undefined;
  return [zip, size, offset, length, method];
};

async function sizeOf(zip: string): Promise<number | undefined> {
  return (await fs.stat(zip).catch(() => undefined))?.size;
}
