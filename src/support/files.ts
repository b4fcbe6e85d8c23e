import { createHash } from 'node:crypto';
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { BigIntStats, Dirent, Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { withPath } from '../system-errors.ts';
import { readTextFile } from './regular-file.ts';
import { temporarySuffix } from './temporary-names.ts';

/** Reads a small text file; undefined if it is missing. Throws for pipes and devices. */
export async function readTextIfExists(file: string): Promise<string | undefined> {
  try {
    return readTextFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Up to here (bytes), synchronous reads and writes are several times faster than promises, which matters for hundreds of files. */
const SMALL_BYTES = 64 * 1024;

/** Reads a file of about this size (bytes). */
export async function readContent(file: string, size: number): Promise<Buffer> {
  return size > SMALL_BYTES ? fs.readFile(file) : readFileSync(file);
}

/**
 * Fills a buffer from a position of an open file, at least the first `needed` bytes of it. Returns how many there are: fewer if
 * the file ends before.
 */
export function readAtLeast(descriptor: number, bytes: Buffer, position: number, needed = bytes.length): number {
  let filled = 0;
  while (filled < needed) {
    const count = readSync(descriptor, bytes, filled, bytes.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** Hashes a file of any size as a stream. */
export async function hashFile(
  file: string,
  algorithm: 'md5' | 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
): Promise<string> {
  const hash = createHash(algorithm);
  await withPath(file, () => pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash));
  return hash.digest(encoding);
}

/** Returns whether the path exists. Follows links. */
export async function exists(file: string): Promise<boolean> {
  return (await statIfExists(file)) !== undefined;
}

/** Calls `stat`, synchronously inside; undefined if the path does not exist. */
export async function statIfExists(file: string): Promise<Stats | undefined> {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a regular file is there (links are followed). */
export async function isFile(file: string): Promise<boolean> {
  return (await statIfExists(file))?.isFile() === true;
}

/** Resolves the links of a path; undefined if it does not exist, or cannot be read. */
export function realPathNow(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}

/** Calls `stat` (or `lstat`) with times in nanoseconds; undefined if the path does not exist, or cannot be looked at. */
export function preciseStatNow(place: string, stat: typeof statSync = statSync): BigIntStats | undefined {
  try {
    return stat(place, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The names in a folder, in the order of the disk; none if there is no such folder. */
export function namesIn(folder: string): string[] {
  return itemsIn(folder).map(({ name }) => name);
}

/** What is in a folder; nothing if there is no such folder. */
export function itemsIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Returns whether the error means a missing file or folder. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Writes a file atomically: under a temporary name, then renamed. Creates folders. */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  await makeFolder(path.dirname(file));
  const temporary = `${file}.${temporarySuffix()}`;
  try {
    if (data.length > SMALL_BYTES) await fs.writeFile(temporary, data, options);
    else writeFileSync(temporary, data, options);
    renameSync(temporary, file);
  } catch (error) {
    await discard(temporary);
    // users do not know the temporary name
    throw Object.assign(error as Error, { path: file, dest: undefined });
  }
}

/** Removes a file or tree, if it exists. Removes links, does not follow them. */
export async function removeTree(target: string): Promise<void> {
  try {
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
    await fs.rm(target, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Removes something temporary. Ignores failures, which must not hide the original error. */
export async function discard(target: string): Promise<void> {
  await removeTree(target).catch(() => {});
}

/** Creates a folder and its parents, unless it exists. */
export async function makeFolder(folder: string, options: { mode?: number } = {}): Promise<void> {
  makeFolderSync(folder, options);
}

/**
 * Creates a folder and its parents synchronously, unless it exists. Node's `recursive` never returns where folders cannot be
 * created, e.g. in `/proc`.
 */
export function makeFolderSync(folder: string, options: { mode?: number } = {}): void {
  // an error for each folder that exists costs more
  if (isFolder(folder)) return;
  const refused = tryMake(folder, options);
  if (refused === undefined) return;
  const above = path.dirname(folder);
  if (!isMissing(refused) || above === folder) throw refused;
  makeFolderSync(above, options);
  // only once more: another process may have created the parent at the same time
  const refusedAgain = tryMake(folder, options);
  if (refusedAgain !== undefined) throw refusedAgain;
}

/** Creates a folder; returns the error, if it does not exist afterwards. Some systems reject existing folders with other errors. */
function tryMake(folder: string, options: { mode?: number }): unknown {
  try {
    mkdirSync(folder, options);
    return undefined;
  } catch (error) {
    return isFolder(folder) ? undefined : error;
  }
}

function isFolder(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
