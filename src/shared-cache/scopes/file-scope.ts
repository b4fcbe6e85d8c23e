import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { discard, itemsIn, makeFolder } from '../../support/files.ts';
import { removeLeftovers } from '../../support/temporary.ts';
import { isTemporaryName, temporarySuffix } from '../../support/temporary-names.ts';
import { MOST_ENTRY_BYTES } from './scope.ts';
import type { CacheScope } from './scope.ts';

/** A read allocates that much, also for a small file (bytes). */
const MOST_READ_AT_ONCE = 1024 * 1024;

const KINDS = ['ac', 'cas'];

/** Opens a folder, perhaps on a network share. */
export function openFileScope(name: string, folder: string): CacheScope {
  const placeOf = (object: string): string => path.join(folder, ...object.split('/'));
  return {
    name,
    read: async (object) =>
      unlessMissing(async () => {
        const file = placeOf(object);
        const stat = await fs.stat(file);
        // a pipe would never end
        return stat.isFile() && stat.size <= MOST_ENTRY_BYTES ? fs.readFile(file, 'utf8') : undefined;
      }),
    open: async (object, signal) =>
      unlessMissing(async () => {
        const file = placeOf(object);
        const stat = await fs.stat(file);
        if (!stat.isFile()) return undefined;
        return { body: createReadStream(file, { signal, highWaterMark: Math.min(MOST_READ_AT_ONCE, stat.size + 1) }) };
      }),
    size: async (object) =>
      unlessMissing(async () => {
        const stat = await fs.stat(placeOf(object));
        return stat.isFile() ? stat.size : undefined;
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
