import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing, makeFolderSync, namesIn } from '../../support/files.ts';
import { isMakerGone, temporarySuffix } from '../../support/temporary-names.ts';

/** What of the store is in use by work under way, told to other processes too: nobody removes it meanwhile. */
export interface Leases {
  /** From now on, until the returned function is called, what is added to the lease stays. */
  open(): Lease;
  /** Whether some work, here or in another process, uses the folder of an entry: as it is at this moment. */
  inUse(): (folder: string) => boolean;
}

/** What one piece of work uses. */
interface Lease {
  add(folder: string): void;
  close(): void;
}

/** `storeDir`: absolute. A file in it for each process that has something in use, with a line for each entry. */
export function openLeases(storeDir: string): Leases {
  const dir = path.join(storeDir, 'in-use');
  const file = path.join(dir, `sync.${temporarySuffix()}`);
  const open = new Set<Set<string>>();
  const isOurs = (folder: string): boolean => [...open].some((folders) => folders.has(folder));
  const nameOf = (folder: string): string => path.relative(storeDir, folder);
  const write = (): void => {
    const folders = new Set([...open].flatMap((each) => [...each]));
    if (folders.size === 0) rmSync(file, { force: true });
    else writeFileSync(file, [...folders].map((folder) => `${nameOf(folder)}\n`).join(''));
  };
  return {
    open: () => {
      const folders = new Set<string>();
      open.add(folders);
      return {
        add: (folder) => {
          const isNew = !isOurs(folder);
          folders.add(folder);
          if (isNew) tryWrite(() => appendLine(file, nameOf(folder)));
        },
        close: () => {
          open.delete(folders);
          if (folders.size > 0) tryWrite(write);
        },
      };
    },
    inUse: () => {
      const others = new Set(readOthers(dir, file).map((name) => path.join(storeDir, name)));
      return (folder) => isOurs(folder) || others.has(folder);
    },
  };
}

/** On a disk that we may only read, or that is full, builds that are there serve all the same. */
function tryWrite(how: () => void): void {
  try {
    how();
  } catch {
    // nobody hears of it
  }
}

function appendLine(file: string, line: string): void {
  try {
    appendFileSync(file, `${line}\n`);
  } catch (error) {
    if (!isMissing(error)) throw error;
    makeFolderSync(path.dirname(file));
    appendFileSync(file, `${line}\n`);
  }
}

/** What other processes use. Files of those that have ended are removed. */
function readOthers(dir: string, own: string): string[] {
  const files = namesIn(dir).map((name) => path.join(dir, name));
  return files.flatMap((file) => {
    if (file === own) return [];
    if (!isMakerGone(path.basename(file))) return readLines(file);
    rmSync(file, { force: true });
    return [];
  });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if (isMissing(error)) return []; // it has ended just now
    throw error;
  }
}
