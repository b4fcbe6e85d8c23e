import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { BigIntStats, Dirent, Stats } from 'node:fs';
import { UserError } from '../errors.ts';
import { addPath } from '../system-errors.ts';

/** Avoids waiting forever for the writer of a named pipe. Windows has neither pipes in folders nor the flag. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The largest template or configuration file to read. CloudFormation accepts templates of up to 1 MB. */
export const MAX_INPUT_BYTES = 5_000_000;

/**
 * Reads a text file that a user named. Throws for named pipes, sockets and devices, which may never end, and for files above
 * `maxBytes`. Synchronous: for hundreds of small files much faster than promises.
 */
export function readTextFile(file: string, maxBytes = Number.POSITIVE_INFINITY): string {
  const descriptor = open(file);
  try {
    const stats = fstatSync(descriptor);
    assertReadable(file, stats);
    if (stats.size > maxBytes) throw new UserError(`${file} is larger than ${Math.round(maxBytes / 1_000_000)} MB`);
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    throw addPath(error, file);
  } finally {
    closeSync(descriptor);
  }
}

/** Throws for named pipes, sockets and devices. */
export function assertReadable(file: string, stats: Stats | BigIntStats | Dirent): void {
  const kind = specialKind(stats);
  if (kind !== undefined) refuse(file, kind);
}

function specialKind(stats: Stats | BigIntStats | Dirent): string | undefined {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : undefined;
}

function open(file: string): number {
  try {
    return openSync(file, OPEN_FLAGS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') refuse(file, 'a socket');
    throw error;
  }
}

function refuse(file: string, kind: string): never {
  throw new UserError(`${file} is ${kind}, not a file`, { hint: 'Replace it with a regular file.' });
}
