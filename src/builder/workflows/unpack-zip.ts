import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { errorMessage, UserError } from '../../errors.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { placeBelow } from '../../support/places.ts';
import { makeFolders } from '../file-tree.ts';

const FILES_AT_ONCE = 8;
/** Larger files are streamed (bytes). */
const STREAM_ABOVE = 8 * 1024 * 1024;

/** Larger archives are refused: Lambda takes 250 MB unzipped (bytes). */
const MOST_BYTES = 1_000_000_000;

/** Unpacks an archive; `rename` maps an entry's name to its path. Rejects if an entry would leave the target. */
export async function unpackZip(
  zipFile: string,
  target: string,
  rename: (name: string) => string = (name) => name,
): Promise<void> {
  try {
    await unpack(zipFile, target, rename);
  } catch (error) {
    // an error of the file system or one of ours; any other comes from yauzl and is about the archive
    if (error instanceof UserError || (error instanceof Error && 'syscall' in error)) throw error;
    throw new UserError(`${path.basename(zipFile)} cannot be unpacked: ${errorMessage(error)}`, { cause: error });
  }
}

async function unpack(zipFile: string, target: string, rename: (name: string) => string): Promise<void> {
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
    await mapLimit(files, FILES_AT_ONCE, ({ entry, file }) => unpackEntry(zip, entry, file));
  } finally {
    zip.close();
  }
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
