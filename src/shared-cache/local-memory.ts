import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { fields, parseJson, text } from '../support/shapes.ts';

/** What earlier runs on this machine learned, so that an unchanged build asks no scope. */
export interface LocalMemory {
  /** Reads an entry as a scope had it. */
  readEntry(key: string): Promise<string | undefined>;
  keepEntry(key: string, json: string): Promise<void>;
  /** Reads for which state of its files a build with this first key was made here: a list of inputs as JSON, and their hash. */
  readOwn(first: string): Promise<{ inputs: string; hash: string } | undefined>;
  keepOwn(first: string, own: { inputs: string; hash: string }): Promise<void>;
}

/** Opens the memory in a folder. */
export function openLocalMemory(folder: string): LocalMemory {
  const entryFile = (key: string): string => path.join(folder, 'ac', key);
  const ownFile = (first: string): string => path.join(folder, 'own', first);
  return {
    readEntry: (key) => readTextIfExists(entryFile(key)),
    keepEntry: (key, json) => write(entryFile(key), json),
    readOwn: async (first) => {
      const own = fields(parseJson((await readTextIfExists(ownFile(first))) ?? ''));
      const [inputs, hash] = [text(own?.['inputs']), text(own?.['hash'])];
      return inputs === undefined || hash === undefined ? undefined : { inputs, hash };
    },
    keepOwn: (first, own) => write(ownFile(first), JSON.stringify(own)),
  };
}

/** The same, for a run that asks the scopes again: entries that others had, or had once, are not known. */
export function forgetEntries(memory: LocalMemory): LocalMemory {
  return { ...memory, readEntry: async () => undefined };
}

/** Ignores a read-only or full disk: the next run asks again. */
async function write(file: string, content: string): Promise<void> {
  await writeFileAtomic(file, content).catch(() => {});
}
