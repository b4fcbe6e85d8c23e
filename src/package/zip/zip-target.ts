import { realpathSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing } from '../../support/files.ts';
import { ZIP_FILE, ZIP_RECORD } from './zip-record.ts';

/** A folder or file to zip. */
export interface ZipTarget {
  /** As it was given: a single file is zipped under this name. */
  path: string;
  /** The same for all links to it. */
  real: string;
  /** What is known of the zip of an immutable folder; undefined if the folder may change. */
  recordFile: string | undefined;
}

/**
 * Returns a function that finds what a path leads to. The folders `<kind>/<key>/content` of the build cache `storeDir` (absolute)
 * are immutable.
 */
export function createTargetFinder(storeDir: string): (place: string) => ZipTarget {
  let realStore: string | undefined;
  return (place) => {
    // nearly always: the cache holds no links at these levels, so that nothing need be resolved
    const named = entryAt(storeDir, path.relative(storeDir, place));
    if (named !== undefined) return { path: place, ...named };
    const real = realpathSync.native(place);
    realStore ??= realIfExists(storeDir);
    const linked = realStore === undefined ? undefined : entryAt(storeDir, path.relative(realStore, real));
    return { path: place, ...(linked ?? { real, recordFile: undefined }) };
  };
}

/** Returns the zip that a record describes. */
export function zipFileOf(recordFile: string): string {
  return path.join(path.dirname(recordFile), ZIP_FILE);
}

/** Whether the folder with this record holds nothing but installed packages. */
export function isPackages(recordFile: string): boolean {
  return path.basename(path.dirname(path.dirname(recordFile))) === 'deps';
}

function entryAt(storeDir: string, inside: string): Omit<ZipTarget, 'path'> | undefined {
  const names = inside.split(path.sep);
  if (names.length !== 3 || names[0] === '..' || names[2] !== 'content') return undefined;
  const real = path.join(storeDir, inside);
  return { real, recordFile: path.join(path.dirname(real), ZIP_RECORD) };
}

function realIfExists(folder: string): string | undefined {
  try {
    return realpathSync.native(folder);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
