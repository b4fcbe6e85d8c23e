import { createWriteStream } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { errorMessage, UserError } from '../../errors.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { isBelow, placeBelow, quoted } from '../../support/places.ts';
import { isRuntimePath } from '../../support/runtime-links.ts';
import { makeFolders } from '../file-tree.ts';

const FILES_AT_ONCE = 8;
/** Larger files are streamed (bytes). */
const STREAM_ABOVE = 8 * 1024 * 1024;

/** Larger archives are refused: Lambda takes 250 MB unzipped (bytes). */
const MOST_BYTES = 1_000_000_000;

/** How to unpack an archive. */
export interface UnpackOptions {
  /** Maps an entry's name to its path. */
  rename?: (name: string) => string;
  /** Links stay links, as in our own zips. Otherwise they become files with their targets. */
  links?: boolean;
}

/** Unpacks an archive. Rejects if an entry, or a link, would leave the target. */
export async function unpackZip(zipFile: string, target: string, options: UnpackOptions = {}): Promise<void> {
  try {
    await unpack(zipFile, target, options);
  } catch (error) {
    // an error of the file system or one of ours; any other comes from yauzl and is about the archive
    if (error instanceof UserError || (error instanceof Error && 'syscall' in error)) throw error;
    throw new UserError(`${path.basename(zipFile)} cannot be unpacked: ${errorMessage(error)}`, { cause: error });
  }
}

async function unpack(
  zipFile: string,
  target: string,
  { rename = (name) => name, links = false }: UnpackOptions,
): Promise<void> {
  const zip = await openPromise(zipFile, { lazyEntries: true, autoClose: false });
  try {
    const files: { entry: Entry; file: string }[] = [];
    const what = `A file in ${path.basename(zipFile)}`;
    let bytes = 0;
    for await (const entry of zip.eachEntry()) {
      bytes += entry.uncompressedSize;
      if (bytes > MOST_BYTES) throw tooLarge(zipFile);
      if (entry.fileName.endsWith('/')) continue;
      files.push({ entry, file: placeBelow(target, rename(entry.fileName), what) });
    }
    await makeFolders(
      target,
      files.map(({ file }) => path.dirname(file)),
    );
    const isKept = ({ entry }: { entry: Entry }): boolean => links && isLink(entry);
    const contents = files.filter((file) => !isKept(file));
    await mapLimit(contents, FILES_AT_ONCE, ({ entry, file }) => unpackEntry(zip, entry, file));
    // last, so that nothing is written through one
    for (const { entry, file } of files.filter(isKept)) await unpackLink(zip, entry, { file, target });
  } finally {
    zip.close();
  }
}

const FILE_TYPE = 0o170000;
const LINK_TYPE = 0o120000;

function isLink({ externalFileAttributes }: Entry): boolean {
  return ((externalFileAttributes >>> 16) & FILE_TYPE) === LINK_TYPE;
}

async function unpackLink(zip: ZipFile, entry: Entry, at: { file: string; target: string }): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const place = path.resolve(path.dirname(at.file), text);
  // an absolute one is for Lambda's own folders
  if (!isRuntimePath(text) && (path.isAbsolute(text) || (place !== at.target && !isBelow(place, at.target))))
    throw new Error(`the link ${quoted(entry.fileName)} leads out of its folder`);
  await symlink(text, at.file);
}

function tooLarge(zipFile: string): UserError {
  return new UserError(`${path.basename(zipFile)} unpacks to more than ${MOST_BYTES / 1e9} GB`, {
    hint: 'Lambda takes 250 MB of code and layers unzipped. Leave the package out, or deploy the function as a container image.',
  });
}

async function unpackEntry(zip: ZipFile, entry: Entry, file: string): Promise<void> {
  // the upper half of the attributes are Unix modes; keep only the executable bit, as pip does
  const mode = ((entry.externalFileAttributes >>> 16) & 0o111) === 0 ? 0o644 : 0o755;
  const stream = await zip.openReadStreamPromise(entry);
  if (entry.uncompressedSize > STREAM_ABOVE) return pipeline(stream, createWriteStream(file, { mode }));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  await writeFile(file, Buffer.concat(chunks), { mode });
}
