import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, hashFile, statIfExists } from '../../support/files.ts';
import { once, oncePerName } from '../../support/once.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { removeLeftovers } from '../../support/temporary.ts';
import { openCompressedFiles } from './compressed-files.ts';
import type { CompressedFile, CompressedFiles, WrittenFile } from './compressed-files.ts';

/** A zip of installed packages. */
interface PackedZip {
  zip: string;
  size: number;
  files: ReadonlyMap<string, WrittenFile>;
}

/** A zip with less than this that is new is not worth its place (bytes). */
const WORTH_KEEPING = 1024 * 1024;
/** All zips together (bytes), the last used ones. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Adds the compressed packages of the user's other projects, in `dir` (absolute), to those of a project: the first sync of a project
 * copies what another one has compressed. `dir` has zips of installed packages, never of a user's own code, under the hash
 * of their bytes, which is checked before one is used. Nothing checks the list of what is in them: a folder that others can write to is
 * not used.
 */
export function openPackedPackages(own: CompressedFiles, dir: string, mostBytes = MOST_BYTES): CompressedFiles {
  const shared = once(async () => openCompressedFiles(dir));
  const isTrusted = once(() => isOwnFolder(dir));
  const intact = new Map<string, Promise<boolean>>();
  const offered: PackedZip[] = [];
  const findShared = async (sha256: string): Promise<CompressedFile | undefined> => {
    // only a cache: the folder may be unreadable
    const found = (await isTrusted()) ? await (await shared()).find(sha256).catch(() => undefined) : undefined;
    if (found === undefined) return undefined;
    return (await oncePerName(intact, found.zip, () => markIntact(found.zip))) ? found : undefined;
  };
  return {
    find: async (sha256) => (await own.find(sha256)) ?? (await findShared(sha256)),
    hashOf: (stamp) => own.hashOf(stamp),
    add: (zip, size, files) => {
      own.add(zip, size, files);
      offered.push({ zip, size, files });
    },
    save: async () => {
      await own.save();
      if (!(await isTrusted())) return;
      for (const packed of offered.splice(0)) {
        const isKnown = async (sha256: string): Promise<boolean> => (await findShared(sha256)) !== undefined;
        if ((await newBytes(packed, isKnown)) >= WORTH_KEEPING) {
          await keep(packed, dir, await shared());
          await removeOldest(dir, mostBytes);
        }
      }
      await (await shared()).save();
    },
  };
}

/** Whether nobody but this user can write to the folder, or it does not exist. Windows gives such folders to their users. */
async function isOwnFolder(dir: string): Promise<boolean> {
  const stat = await statIfExists(dir).catch(() => null);
  if (stat === undefined || process.getuid === undefined) return true;
  return stat !== null && stat.uid === process.getuid() && (stat.mode & 0o022) === 0;
}

/** Whether the zip has the bytes that its name says; if so, it counts as used now. */
async function markIntact(zip: string): Promise<boolean> {
  try {
    if ((await hashFile(zip, 'sha256', 'hex')) !== path.basename(zip, '.zip')) return false;
    const now = new Date();
    await fs.utimes(zip, now, now).catch(() => {}); // a read-only folder works as well
    return true;
  } catch {
    return false;
  }
}

async function newBytes({ files }: PackedZip, isKnown: (sha256: string) => Promise<boolean>): Promise<number> {
  let bytes = 0;
  for (const [sha256, { length }] of files) if (!(await isKnown(sha256))) bytes += length;
  return bytes;
}

/** Keeps a link to the zip, or a copy where there are no links between the folders. */
async function keep({ zip, size, files }: PackedZip, dir: string, shared: CompressedFiles): Promise<void> {
  await fs.mkdir(dir, { recursive: true, mode: 0o700 });
  await removeLeftovers(dir);
  const kept = path.join(dir, `${await hashFile(zip, 'sha256', 'hex')}.zip`);
  // one that is there was not intact, or its files would be known
  await fs.rm(kept, { force: true });
  await fs.link(zip, kept).catch(() => copyWhole(zip, kept));
  // a stamp is that of a file in one project
  shared.add(kept, size, new Map([...files].map(([sha256, file]) => [sha256, { ...file, stamps: [] }])));
}

async function copyWhole(source: string, target: string): Promise<void> {
  const temporary = `${target}.${temporarySuffix()}`;
  try {
    await fs.copyFile(source, temporary);
    await fs.rename(temporary, target);
  } catch (error) {
    await discard(temporary); // a full disk
    throw error;
  }
}

async function removeOldest(dir: string, mostBytes: number): Promise<void> {
  const names = (await fs.readdir(dir)).filter((name) => name.endsWith('.zip'));
  const zips = await Promise.all(
    names.map(async (name) => {
      const file = path.join(dir, name);
      // another process may have removed it meanwhile
      const stat = await fs.lstat(file).catch(() => undefined);
      return stat === undefined ? [] : [{ file, size: stat.size, mtimeMs: stat.mtimeMs }];
    }),
  );
  let bytes = 0;
  for (const { file, size } of zips.flat().sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    bytes += size;
    if (bytes > mostBytes) await fs.rm(file, { force: true }).catch(() => {});
  }
}
