import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing, makeFolderSync, namesIn } from '../../support/files.ts';
import { isMakerGone, temporarySuffix } from '../../support/temporary-names.ts';

/** Tracks the entries of the store in use, across processes: no process removes them meanwhile. */
export interface Leases {
  /** Opens a lease; the entries added to it are kept until it is closed. */
  open(): Lease;
  /** Tests whether this or another process uses the folder of an entry, at this moment. */
  inUse(): (folder: string) => boolean;
}

/** The entries that one build uses. */
interface Lease {
  add(folder: string): void;
  close(): void;
}

/** Opens the leases of a store (absolute): a file for each process that uses entries, with a line for each entry. */
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

/** Ignores a read-only or full disk: cached builds serve all the same. */
function tryWrite(write: () => void): void {
  try {
    write();
  } catch {
    // other processes do not learn of the lease
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

/** Reads the leases of other processes, and removes the files of those that have ended. */
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
