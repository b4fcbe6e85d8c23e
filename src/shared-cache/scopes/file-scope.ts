import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { discard, itemsIn, makeFolder } from '../../support/files.ts';
import { removeLeftovers } from '../../support/temporary.ts';
import { isTemporaryName, temporarySuffix } from '../../support/temporary-names.ts';
import { MOST_ENTRY_BYTES } from './scope.ts';
import type { CacheScope } from './scope.ts';

/** Zips up to this size are read at once: a stream takes several times the processor time (bytes). */
const MOST_READ_AT_ONCE = 1024 * 1024;

/** Does not wait for the writer of a named pipe. Windows has neither. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const KINDS = ['ac', 'cas'];

/** Opens a folder, perhaps on a network share. */
export function openFileScope(name: string, folder: string): CacheScope {
  const placeOf = (object: string): string => path.join(folder, ...object.split('/'));
  return {
    name,
    read: async (object) => {
      const file = await openFile(placeOf(object));
      return file && (await closing(file, async () => (file.size <= MOST_ENTRY_BYTES ? readText(file) : undefined)));
    },
    open: async (object, signal) => {
      const file = await openFile(placeOf(object));
      if (file === undefined) return undefined;
      if (file.size <= MOST_READ_AT_ONCE) return { body: await closing(file, () => readWhole(file)) };
      return { body: file.handle.createReadStream({ signal, highWaterMark: MOST_READ_AT_ONCE }) };
    },
    describe: async (object) =>
      unlessMissing(async () => {
        const stat = await fs.stat(placeOf(object));
        return stat.isFile() ? { size: stat.size } : undefined;
      }),
    add: async (object, content) => {
      const target = placeOf(object);
      const temporary = `${target}.${temporarySuffix()}`;
      await makeFolder(path.dirname(target));
      try {
        if ('text' in content) await fs.writeFile(temporary, content.text);
        else await fs.copyFile(content.file, temporary);
        return await linkNew(temporary, target);
      } finally {
        await discard(temporary);
      }
    },
    list: async function* list() {
      if (!(await unlessMissing(() => fs.stat(folder)))?.isDirectory())
        throw new UserError('there is no such folder', { hint: 'Check the path, or mount the network share.' });
      for (const kind of KINDS) {
        for (const item of itemsIn(path.join(folder, kind))) {
          if (!item.isFile() || isTemporaryName(item.name)) continue;
          const stat = await unlessMissing(() => fs.stat(path.join(folder, kind, item.name)));
          if (stat) yield { name: `${kind}/${item.name}`, size: stat.size, writtenAt: stat.mtimeMs };
        }
      }
    },
    remove: async (names) => {
      for (const object of names) await fs.rm(placeOf(object), { force: true });
      // killed writers leave as much as a zip
      for (const kind of KINDS) await removeLeftovers(path.join(folder, kind));
    },
  };
}

interface OpenFile {
  handle: fs.FileHandle;
  size: number;
}

/** Opens a regular file; undefined if there is none. Asynchronous: a network share may not answer. */
async function openFile(place: string): Promise<OpenFile | undefined> {
  const handle = await unlessMissing(() => fs.open(place, OPEN_FLAGS)).catch(ignoreSpecial);
  if (handle === undefined) return undefined;
  try {
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, size: stat.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** A socket, or on Windows a folder, cannot be opened. */
function ignoreSpecial(error: unknown): undefined {
  if (!['ENXIO', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  return undefined;
}

async function closing<T>({ handle }: OpenFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await handle.close();
  }
}

async function readText(file: OpenFile): Promise<string> {
  return (await readWhole(file)).toString('utf8');
}

/** Reads a small file: mostly with one call. */
async function readWhole({ handle, size }: OpenFile): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Gives a finished file its name, unless that is taken. A link refuses to replace; file systems without links get a rename. */
async function linkNew(temporary: string, target: string): Promise<boolean> {
  try {
    await fs.link(temporary, target);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'].includes(code)) throw error;
    if ((await unlessMissing(() => fs.stat(target))) !== undefined) return false;
    await fs.rename(temporary, target);
    return true;
  }
}

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    // in place of the cache's folder
    if (code === 'ENOTDIR') throw new UserError('it is not a folder', { cause: error });
    throw error;
  }
}
