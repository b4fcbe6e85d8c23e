import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing, makeFolderSync, namesIn } from '../../support/files.ts';
import { isMakerGone, temporarySuffix } from '../../support/temporary-names.ts';

/** Tracks the entries of the store in use, across processes: no process removes them meanwhile. */
export interface Leases {
  /** Opens a lease; the entries added to it are kept until it is closed. */
  open(): Lease;
  /** Tests whether this or another process uses the folder of an entry, at this moment. */
  inUse(): (folder: string) => boolean;
  /** Calls `clean` if a process was killed while it used the store, and then forgets that process. */
  afterKilled(clean: () => Promise<void>): Promise<void>;
}

/** The entries that one build uses. */
interface Lease {
  add(folder: string): void;
  close(): void;
}

/**
 * Opens the leases of a store (absolute): a file for each process that uses it, with a line for each entry in use. A process
 * removes its file before it ends, so the file of an ended process shows that it was killed.
 */
export function openLeases(storeDir: string): Leases {
  const dir = path.join(storeDir, 'in-use');
  const file = path.join(dir, `sync.${temporarySuffix()}`);
  const open = new Set<Set<string>>();
  const isOurs = (folder: string): boolean => [...open].some((folders) => folders.has(folder));
  const nameOf = (folder: string): string => path.relative(storeDir, folder);
  const lines = openLines(file);
  const write = (): void => {
    const folders = new Set([...open].flatMap((each) => [...each]));
    lines.close();
    if (open.size === 0) endLease(file);
    else writeFileSync(file, [...folders].map((folder) => `${nameOf(folder)}\n`).join(''));
  };
  return {
    open: () => {
      const folders = new Set<string>();
      // somebody removed or moved `.aws-sam`: entries of earlier leases went with it
      if (!existsSync(file)) lines.close();
      if (open.size === 0) tryWrite(() => beginLease(file));
      open.add(folders);
      return {
        add: (folder) => {
          const isNew = !isOurs(folder);
          folders.add(folder);
          if (isNew) tryWrite(() => lines.append(nameOf(folder)));
        },
        close: () => {
          open.delete(folders);
          tryWrite(write);
        },
      };
    },
    inUse: () => {
      const alive = namesIn(dir).filter((name) => !isMakerGone(name));
      const lines = alive.flatMap((name) => readLines(path.join(dir, name)));
      const used = new Set(lines.map((name) => path.join(storeDir, name)));
      return (folder) => isOurs(folder) || used.has(folder);
    },
    afterKilled: async (clean) => {
      const killed = namesIn(dir).filter(isMakerGone);
      if (killed.length > 0) await clean();
      for (const name of killed) rmSync(path.join(dir, name), { force: true });
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

/** Lines at the end of a file, which stays open: there are thousands. */
interface Lines {
  append(line: string): void;
  close(): void;
}

function openLines(file: string): Lines {
  let descriptor: number | undefined;
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const opened = (): number => {
    if (descriptor === undefined) {
      makeFolderSync(path.dirname(file));
      descriptor = openSync(file, 'a');
    }
    return descriptor;
  };
  return { append: (line) => void writeSync(opened(), `${line}\n`), close };
}

/** Files of this process. */
const OWN = new Set<string>();

function beginLease(file: string): void {
  makeFolderSync(path.dirname(file));
  writeFileSync(file, '');
  if (OWN.size === 0) process.on('exit', endLeases);
  OWN.add(file);
}

function endLease(file: string): void {
  OWN.delete(file);
  if (OWN.size === 0) process.off('exit', endLeases);
  rmSync(file, { force: true });
}

/** For an end in the middle of a build, as at the second Ctrl-C. */
function endLeases(): void {
  for (const file of OWN) tryWrite(() => rmSync(file, { force: true }));
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if (isMissing(error)) return []; // it has ended just now
    throw error;
  }
}
