import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { fields, parseJson, recordOf, text } from '../support/shapes.ts';
import type { Reader } from '../support/shapes.ts';

/** For which state of its files a build was made here: a list of inputs as JSON, and their hash. */
interface OwnState {
  inputs: string;
  hash: string;
}

/** What earlier runs on this machine learned, so that an unchanged build asks no scope. */
export interface LocalMemory {
  /** Reads an entry as one of the given places had it: those of another place may not be trusted any more. */
  readEntry(key: string, places: readonly string[]): Promise<string | undefined>;
  keepEntry(key: string, place: string, json: string): Promise<void>;
  /** Reads for which state of its files a build with this first key was made here. */
  readOwn(first: string): Promise<OwnState | undefined>;
  keepOwn(first: string, own: OwnState): Promise<void>;
  /** Saves what was kept. Otherwise that happens soon, unless the process ends before. */
  save(): Promise<void>;
}

/** Watches keep one thing after another, and may be killed (ms). */
const SAVE_AFTER = 500;

/** Opens the memory in a folder: one file, because hundreds of small ones take as long as the builds that they save. */
export function openLocalMemory(folder: string): LocalMemory {
  const file = path.join(folder, 'memory.json');
  let known: Promise<Content> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const read = (): Promise<Content> => (known ??= readContent(file));
  const save = async (): Promise<void> => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    const { entries, own } = await read();
    // another sync of this project may have saved meanwhile
    const saved = await readContent(file);
    const all = { entries: newest(saved.entries, entries), own: newest(saved.own, own) };
    // ignores a read-only or full disk: the next run asks again
    await writeFileAtomic(file, formatContent(all)).catch(() => {});
  };
  const keep = async <T>(part: (content: Content) => Map<string, T>, key: string, value: T): Promise<void> => {
    part(await read()).set(key, value);
    timer ??= setTimeout(() => void save(), SAVE_AFTER).unref();
  };
  return {
    readEntry: async (key, places) => {
      const { entries } = await read();
      for (const place of places) {
        const json = use(entries, nameOf(key, place));
        if (json !== undefined) return json;
      }
      return undefined;
    },
    keepEntry: (key, place, json) => keep(({ entries }) => entries, nameOf(key, place), json),
    readOwn: async (first) => use((await read()).own, first),
    keepOwn: (first, state) => keep(({ own }) => own, first, state),
    save,
  };
}

function nameOf(key: string, place: string): string {
  return `${key} ${place}`;
}

/** The same, for a run that asks the scopes again: entries that others had, or had once, are not known. */
export function forgetEntries(memory: LocalMemory): LocalMemory {
  return { ...memory, readEntry: async () => undefined };
}

/** Each in the order of use, the latest last. */
interface Content {
  entries: Map<string, string>;
  own: Map<string, OwnState>;
}

const readOwnState: Reader<OwnState> = (value) => {
  const own = fields(value);
  const [inputs, hash] = [text(own?.['inputs']), text(own?.['hash'])];
  return inputs === undefined || hash === undefined ? undefined : { inputs, hash };
};

async function readContent(file: string): Promise<Content> {
  const content = fields(parseJson((await readTextIfExists(file).catch(() => undefined)) ?? ''));
  const entries = recordOf(text)(content?.['entries']) ?? {};
  const own = recordOf(readOwnState)(content?.['own']) ?? {};
  return { entries: new Map(Object.entries(entries)), own: new Map(Object.entries(own)) };
}

function formatContent({ entries, own }: Content): string {
  return JSON.stringify({ entries: Object.fromEntries(entries), own: Object.fromEntries(own) });
}

function use<T>(known: Map<string, T>, key: string): T | undefined {
  const value = known.get(key);
  if (value === undefined) return undefined;
  known.delete(key);
  known.set(key, value);
  return value;
}

/** What was used last is kept, up to this size of each part (characters). */
const MOST_KEPT = 4 * 1024 * 1024;

function newest<T>(saved: ReadonlyMap<string, T>, used: ReadonlyMap<string, T>): Map<string, T> {
  const others = [...saved].filter(([key]) => !used.has(key));
  const kept: [string, T][] = [];
  let size = 0;
  for (const [key, value] of [...others, ...used].reverse()) {
    size += JSON.stringify(value).length;
    if (size > MOST_KEPT) break;
    kept.push([key, value]);
  }
  return new Map(kept.reverse());
}
