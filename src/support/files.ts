import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * The text of a small file, or undefined if there is no such file. Read in one go: hundreds of functions have a few such
 * files each, and the way through Node's threads and back takes five times as long as reading one.
 */
export async function readTextIfExists(file: string): Promise<string | undefined> {
  if (isNoPath(file)) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The hash of a file of any size, which is read piece by piece. */
export async function hashFile(file: string, algorithm: 'md5' | 'sha256', encoding: 'hex' | 'base64'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest(encoding);
}

/** Whether something is there (links are followed). */
export async function exists(file: string): Promise<boolean> {
  return (await statIfExists(file)) !== undefined;
}

/** `stat`, in one go as well, or undefined if nothing is there. */
export async function statIfExists(file: string): Promise<Stats | undefined> {
  if (isNoPath(file)) return undefined;
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Nothing can have such a name, and Node throws errors of another kind for it. */
function isNoPath(file: string): boolean {
  return file.includes('\0');
}

/** Whether the error says that a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Writes a whole file or nothing: to a temporary name beside it, then renamed. Folders are made. */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${temporarySuffix()}`;
  try {
    await fs.writeFile(temporary, data, options);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

/** A suffix that no other process or call uses. */
export function temporarySuffix(): string {
  return `tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** Removes a file or a whole tree; nothing there is fine. Links are removed, not followed. */
export async function removeTree(target: string): Promise<void> {
  await fs.rm(target, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
}
