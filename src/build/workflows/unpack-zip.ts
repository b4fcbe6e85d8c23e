import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { UserError } from '../../errors.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { makeFolder } from '../../support/files.ts';

const FILES_AT_ONCE = 8;
/** Larger files are not held in memory. */
const STREAM_ABOVE = 8 * 1024 * 1024;

/** Unpacks an archive; `rename` says where an entry goes. */
export async function unpackZip(
  zipFile: string,
  target: string,
  rename: (name: string) => string = (name) => name,
): Promise<void> {
  const zip = await openPromise(zipFile, { lazyEntries: true, autoClose: false });
  try {
    const files: { entry: Entry; file: string }[] = [];
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) files.push({ entry, file: placeOf(entry, { zipFile, target, rename }) });
    }
    for (const folder of new Set(files.map(({ file }) => path.dirname(file)))) await makeFolder(folder);
    await mapLimit(files, FILES_AT_ONCE, ({ entry, file }) => unpackEntry(zip, entry, file));
  } finally {
    zip.close();
  }
}

function placeOf(
  entry: Entry,
  { zipFile, target, rename }: { zipFile: string; target: string; rename: (name: string) => string },
): string {
  const file = path.resolve(target, rename(entry.fileName));
  if (file.startsWith(path.resolve(target) + path.sep)) return file;
  throw new UserError(`${path.basename(zipFile)} holds a path that leads out of it: ${entry.fileName}`);
}

async function unpackEntry(zip: ZipFile, entry: Entry, file: string): Promise<void> {
  // the upper half of the attributes are Unix modes; only the executable bit is taken over, as pip does
  const mode = ((entry.externalFileAttributes >>> 16) & 0o111) === 0 ? 0o644 : 0o755;
  const stream = await zip.openReadStreamPromise(entry);
  if (entry.uncompressedSize > STREAM_ABOVE) return pipeline(stream, createWriteStream(file, { mode }));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  await writeFile(file, Buffer.concat(chunks), { mode });
}
