import * as path from 'node:path';
import { UserError } from '../errors.ts';

/** Longer names (bytes) are refused by every file system that we know. */
const LONGEST_NAME = 255;
/** Windows opens devices by these names, whatever folder they are in and whatever follows a dot. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Whether the name can be that of one file or folder, and leads to no other folder. */
export function isSegment(name: string, platform: NodeJS.Platform = process.platform): boolean {
  if (name === '' || name === '.' || name === '..' || /[/\\]/.test(name) || name.includes('\0')) return false;
  if (Buffer.byteLength(name) > LONGEST_NAME) return false;
  return platform !== 'win32' || !(/[<>:"|?*]|[. ]$/.test(name) || DEVICES.test(name));
}

/** The name, which must be that of one file or folder. `what` begins the sentence if it is not: `Metadata Binary of Fn`. */
export function asSegment(name: string, what: string): string {
  if (isSegment(name)) return name;
  throw new UserError(`${what} cannot be the name of a file: ${quoted(name)}`, {
    hint: 'Use a name without slashes that is neither empty nor "." or "..".',
  });
}

/** The place of `relative` below `folder`. `what` begins the sentence if it leads out of it. */
export function placeBelow(folder: string, relative: string, what: string): string {
  const place = path.resolve(folder, relative);
  if (!relative.includes('\0') && isBelow(place, folder)) return place;
  throw new UserError(`${what} leads out of its folder: ${quoted(relative)}`, {
    hint: 'Use a relative path without "..".',
  });
}

/** Whether a place is below a folder, and not the folder itself. By their names: links are not looked at. */
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

/** A text from somebody else for a message: control characters escaped, and not longer than can be read. */
export function quoted(text: string): string {
  const LONGEST = 80;
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** Lists the path and every folder above it. */
export function withParents(place: string): string[] {
  const parent = path.dirname(place);
  return parent === place ? [place] : [place, ...withParents(parent)];
}

/** The nearest folder that holds all of them. */
export function commonFolder(folders: readonly string[]): string {
  let common = folders[0] ?? path.sep;
  for (const folder of folders) {
    while (folder !== common && !isBelow(folder, common) && path.dirname(common) !== common)
      common = path.dirname(common);
  }
  return common;
}
