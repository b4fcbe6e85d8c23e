import { createWriteStream, readlinkSync, writeFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inflateRawSync } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { errorMessage, UserError } from '../../errors.ts';
import { realPathNow } from '../../support/files.ts';
import { inTurns } from '../../support/map-limit.ts';
import { isBelow, placeBelow, quoted, withSlashes } from '../../support/places.ts';
import { isRuntimePath, runtimeLink } from '../../support/runtime-links.ts';
import { makeFolders } from '../file-tree.ts';
import { openZipBytes, openZipFile } from './open-zip.ts';
import type { OpenZip } from './open-zip.ts';

/** Larger files are streamed (bytes). */
const STREAM_ABOVE = 32 * 1024 * 1024;

/** Larger archives are refused: Lambda takes 250 MB unzipped (bytes). */
const MOST_BYTES = 1_000_000_000;

/** How to unpack an archive. */
export interface UnpackOptions {
  /** Maps an entry's name to its path. */
  rename?: (name: string) => string;
  /** Links stay links, and names stay as they are, as in our own zips. Otherwise links become files with their targets. */
  links?: boolean;
  /** The archive itself, if it was read already. */
  inMemory?: Buffer | undefined;
  /** Called for each file and link. `name`: from the target, with `/`. `content`: of a file that is not large. */
  onFile?: (name: string, content: Buffer | undefined) => void;
}

/** Unpacks an archive. Rejects if an entry, or a link, would leave the target. Returns the size of its files (bytes). */
export async function unpackZip(zipFile: string, target: string, options: UnpackOptions = {}): Promise<number> {
  try {
    return await unpack(zipFile, target, options);
  } catch (error) {
    // an error of the file system or one of ours; any other comes from yauzl and is about the archive
    if (error instanceof UserError || (error instanceof Error && 'syscall' in error && !isAboutNames(error)))
      throw error;
    throw new UserError(`${path.basename(zipFile)} cannot be unpacked: ${errorMessage(error)}`, { cause: error });
  }
}

/** Names in the archive that no folder can have: too long ones, or one of a file that is also that of a folder. */
function isAboutNames(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['EEXIST', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ', 'ELOOP'].includes(code);
}

async function unpack(
  zipFile: string,
  target: string,
  { rename = (name) => name, links = false, inMemory, onFile }: UnpackOptions,
): Promise<number> {
  const archive = await (inMemory === undefined ? openZipFile(zipFile) : openZipBytes(inMemory));
  try {
    const { zip } = archive;
    const files: { entry: Entry; file: string }[] = [];
    const what = `A file in ${path.basename(zipFile)}`;
    let bytes = 0;
    for await (const entry of zip.eachEntry()) {
      bytes += entry.uncompressedSize;
      if (bytes > MOST_BYTES) throw tooLarge(zipFile);
      if (entry.fileName.endsWith('/')) continue;
      // yauzl takes each backslash for a slash, as Windows programs mean it; on Linux it may be part of a name
      const name = links ? entry.fileNameRaw.toString('utf8') : entry.fileName;
      files.push({ entry, file: placeBelow(target, rename(name), what) });
    }
    await makeFolders(
      target,
      files.map(({ file }) => path.dirname(file)),
    );
    const isKept = ({ entry }: { entry: Entry }): boolean => links && isLink(entry);
    const contents = files.filter((file) => !isKept(file));
    const report = (file: string, content?: Buffer): void =>
      onFile?.(withSlashes(path.relative(target, file)), content);
    await inTurns(contents, async ({ entry, file }) => report(file, await unpackEntry(archive, entry, file)));
    // last, so that nothing is written through one
    const kept = files.filter(isKept);
    for (const { entry, file } of kept) {
      await unpackLink(zip, entry, { file, target });
      report(file);
    }
    for (const { entry, file } of kept) if (leadsOut(file, target)) throw leadingOut(entry);
    return contents.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
  } finally {
    archive.close();
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
    throw leadingOut(entry);
  await symlink(text, at.file);
}

/** Follows a link step by step, also one to what does not exist yet: names alone do not show where a link through another link leads. */
function leadsOut(link: string, target: string): boolean {
  if (runtimeLink(link, target) !== undefined) return false;
  const text = withSlashes(readlinkSync(link));
  let place = path.isAbsolute(text) ? path.parse(link).root : (realPathNow(path.dirname(link)) ?? path.dirname(link));
  for (const step of text.split('/')) {
    const next = path.resolve(place, step);
    place = realPathNow(next) ?? next;
  }
  const folder = realPathNow(target) ?? target;
  return place !== folder && !isBelow(place, folder);
}

function leadingOut({ fileName }: Entry): Error {
  return new Error(`the link ${quoted(fileName)} leads out of its folder`);
}

function tooLarge(zipFile: string): UserError {
  return new UserError(`${path.basename(zipFile)} unpacks to more than ${MOST_BYTES / 1e9} GB`, {
    hint: 'Lambda takes 250 MB of code and layers unzipped. Leave the package out, or deploy the function as a container image.',
  });
}

/** Returns the content, unless it is large. */
async function unpackEntry(from: OpenZip, entry: Entry, file: string): Promise<Buffer | undefined> {
  // the upper half of the attributes are Unix modes; keep only the executable bit, as pip does
  const mode = ((entry.externalFileAttributes >>> 16) & 0o111) === 0 ? 0o644 : 0o755;
  const isKnown = entry.compressionMethod === STORED || entry.compressionMethod === DEFLATED;
  if (entry.uncompressedSize > STREAM_ABOVE || !isKnown || entry.isEncrypted()) {
    await pipeline(await from.zip.openReadStreamPromise(entry), createWriteStream(file, { mode }));
    return undefined;
  }
  const content = await readSmall(from, entry);
  writeFileSync(file, content, { mode });
  return content;
}

const STORED = 0;
const DEFLATED = 8;

async function readSmall({ zip, readAt }: OpenZip, entry: Entry): Promise<Buffer> {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  const body = readAt(fileDataStart, entry.compressedSize);
  if (entry.compressionMethod === STORED) return body;
  const size = entry.uncompressedSize;
  // an archive can claim to be smaller than it is: never take more than one byte above
  const content = inflateUpTo(body, size + 1);
  if (content?.length !== size) throw new Error(`${quoted(entry.fileName)} has another size than the archive says`);
  return content;
}

/** Returns undefined for a larger content. */
function inflateUpTo(body: Buffer, most: number): Buffer | undefined {
  try {
    return inflateRawSync(body, { chunkSize: Math.max(64, most), maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}
