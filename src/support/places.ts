import * as path from 'node:path';
import { UserError } from '../errors.ts';

/** The longest name (bytes) on common file systems. */
const LONGEST_NAME = 255;
/** Names of devices on Windows, in any folder and with any extension. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Returns whether the name is a valid name of a single file or folder. */
export function isSegment(name: string, platform: NodeJS.Platform = process.platform): boolean {
  if (name === '' || name === '.' || name === '..' || /[/\\]/.test(name) || name.includes('\0')) return false;
  if (Buffer.byteLength(name) > LONGEST_NAME) return false;
  return platform !== 'win32' || !(/[<>:"|?*]|[. ]$/.test(name) || DEVICES.test(name));
}

/** Returns the name if it is valid for a single file or folder. `what`: subject of the error, e.g. `Metadata Binary of Fn`. */
export function asSegment(name: string, what: string): string {
  if (isSegment(name)) return name;
  throw new UserError(`${what} is not a valid file name: ${quoted(name)}`, {
    hint: 'Use a name without slashes that is neither empty nor "." or "..".',
  });
}

/** Resolves `relative` below `folder`. `what`: subject of the error if it leads out of the folder. */
export function placeBelow(folder: string, relative: string, what: string): string {
  const place = path.resolve(folder, relative);
  if (!relative.includes('\0') && isBelow(place, folder)) return place;
  throw new UserError(`${what} leads out of its folder: ${quoted(relative)}`, {
    hint: 'Use a relative path without "..".',
  });
}

/** Returns whether a path is below a folder, by name only: does not resolve links. */
export function isBelow(place: string, folder: string): boolean {
  const relative = path.relative(folder, place);
  return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** The path with `/`, as templates, lock files and tools of every system write it. */
export function withSlashes(relative: string): string {
  return relative.split(path.sep).join('/');
}

/** The path from a folder to a file below it, with `/`; for any other file its absolute path. */
export function nameWithin(folder: string, file: string): string {
  const absolute = path.resolve(folder, file);
  return isBelow(absolute, folder) ? withSlashes(path.relative(folder, absolute)) : absolute;
}

/** Quotes untrusted text for a message: escapes control characters and limits the length. */
export function quoted(text: string): string {
  const LONGEST = 80;
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** Lists the path and every folder above it. */
export function withParents(place: string): string[] {
  const parent = path.dirname(place);
  return parent === place ? [place] : [place, ...withParents(parent)];
}

/** Returns the nearest common parent folder. */
export function commonFolder(folders: readonly string[]): string {
  let common = folders[0] ?? path.sep;
  for (const folder of folders) {
    while (folder !== common && !isBelow(folder, common) && path.dirname(common) !== common)
      common = path.dirname(common);
  }
  return common;
}
