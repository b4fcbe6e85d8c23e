import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, isFile, isMissing, itemsIn, makeFolder } from '../support/files.ts';
import { isTemporaryName, temporarySuffix } from '../support/temporary-names.ts';
import { MOST_ENTRY_BYTES } from './scope.ts';
import type { CacheScope } from './scope.ts';

/** Opens a folder, perhaps on a network share. */
export function openFileScope(name: string, folder: string): CacheScope {
  const placeOf = (object: string): string => path.join(folder, ...object.split('/'));
  return {
    name,
    read: async (object) =>
      unlessMissing(async () => {
        const file = placeOf(object);
        return (await fs.stat(file)).size > MOST_ENTRY_BYTES ? undefined : fs.readFile(file, 'utf8');
      }),
    open: async (object, signal) =>
      unlessMissing(async () => {
        const file = placeOf(object);
        await fs.access(file);
        return { body: createReadStream(file, { signal, highWaterMark: 1024 * 1024 }) };
      }),
    has: (object) => isFile(placeOf(object)),
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
      for (const kind of ['ac', 'cas']) {
        for (const item of itemsIn(path.join(folder, kind))) {
          if (!item.isFile() || isTemporaryName(item.name)) continue;
          const stat = await unlessMissing(() => fs.stat(path.join(folder, kind, item.name)));
          if (stat) yield { name: `${kind}/${item.name}`, size: stat.size, writtenAt: stat.mtimeMs };
        }
      }
    },
    remove: async (names) => {
      for (const object of names) await fs.rm(placeOf(object), { force: true });
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
    if (isMissing(error)) return undefined;
    throw error;
  }
}
