import { lstatSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, isMissing, makeFolder, removeTree } from '../../support/files.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { isBelow } from '../../support/places.ts';
import { withTemporaryFolder } from '../../support/temporary.ts';
import { copyItem, itemsBelow, kindOf, sourceItems, stampsOf, unlessGone } from './copied-items.ts';
import type { CopiedItem, CopiedSource } from './copied-items.ts';
import { mountOf } from './mounts.ts';
import { takeChanges } from './take-changes.ts';

/** What the copies need of a container: `copy` and `run` throw if they fail. */
interface CopyCommands {
  /** The engine's `cp`. */
  copy(from: string, to: string): Promise<void>;
  /** Runs a program in the container. */
  run(program: string, args: readonly string[]): Promise<void>;
  /** The container's name. */
  name: string;
  /** Parent of temporary folders. */
  temporaryDir: string;
}

/** Keeps files of this machine and of a container alike where their engine shares none. */
export interface FolderCopies {
  /** Copies what has changed since the last time to the container. */
  send(sources: readonly CopiedSource[], folders: readonly string[]): Promise<void>;
  /** Replaces a folder that only the build uses by the container's, once its copy is complete. */
  fetch(folder: string): Promise<void>;
  /** Takes over what a program has changed in a source. */
  fetchChanges(source: CopiedSource): Promise<void>;
  /** Forgets what the container had in a folder, which is empty now. */
  forget(folder: string): void;
}

/** Starts with an empty container. */
export function createFolderCopies(commands: CopyCommands): FolderCopies {
  const { copy, name, temporaryDir } = commands;
  /** Stamps of the container's items, by the path of their source. */
  const sent = new Map<string, Map<string, string>>();
  const made = new Set<string>();
  const send = async (root: string, folder: string, items: readonly CopiedItem[]): Promise<void> => {
    const before = sent.get(root) ?? new Map<string, string>();
    const removed = removedItems(before, folder, items);
    for (const item of removed) before.delete(item);
    await sendChanges(commands, { folder, items, before, removed, isNew: !made.has(folder) });
    made.add(folder);
    // other excludes may have left out some of the items
    sent.set(root, new Map([...before, ...stampsOf(items)]));
  };
  return {
    send: async (sources, folders) => {
      for (const source of sources) {
        const found = await sourceItems(source);
        // if it does not exist, the program that needs it says so
        if (found !== undefined) await send(source.path, found.folder, found.items);
      }
      for (const folder of folders) await send(folder, folder, await itemsBelow(folder));
    },
    fetch: async (folder) => {
      const copied = path.join(path.dirname(folder), `${path.basename(folder).split('.')[0]}.${temporarySuffix()}`);
      try {
        const { mode } = await fs.stat(folder);
        await makeFolder(copied, { mode: 0o700 });
        await copy(`${name}:${targetOf(folder)}/.`, copied);
        await fs.chmod(copied, mode & 0o7777);
        await removeTree(folder);
        await fs.rename(copied, folder);
      } finally {
        await discard(copied);
      }
      sent.set(folder, stampsOf(await itemsBelow(folder)));
    },
    fetchChanges: (source) =>
      withTemporaryFolder(temporaryDir, COPIES, async (copied) => {
        await copy(`${name}:${targetOf(source.path)}/.`, copied);
        // what it has taken is sent again before the next program
        await takeChanges(source, copied, sent.get(source.path) ?? new Map());
      }),
    forget: (emptied) => {
      sent.delete(emptied);
      for (const folder of made) if (isBelow(folder, emptied)) made.delete(folder);
      for (const folder of sent.keys()) if (isBelow(folder, emptied)) sent.delete(folder);
    },
  };
}

/** Command lines have a limit. */
const NAMES_AT_ONCE = 200;

/** With the pool's prefix, whose leftovers the next run removes. */
const COPIES = 'sam-sync-container-copies';

async function sendChanges(
  { copy, run, name, temporaryDir }: CopyCommands,
  how: {
    folder: string;
    items: readonly CopiedItem[];
    before: ReadonlyMap<string, string>;
    removed: readonly string[];
    isNew: boolean;
  },
): Promise<void> {
  const { folder, items, before, removed, isNew } = how;
  const target = targetOf(folder);
  for (let from = 0; from < removed.length; from += NAMES_AT_ONCE) {
    const names = removed.slice(from, from + NAMES_AT_ONCE);
    await run('rm', ['-rf', '--', ...names.map((item) => path.posix.join(target, item))]);
  }
  if (isNew) await run('mkdir', ['-p', '--', target]);
  const changed = changedItems(items, before);
  if (changed.length === 0) return;
  await withTemporaryFolder(temporaryDir, COPIES, async (parent) => {
    const stage = path.join(parent, 'stage');
    await fs.mkdir(stage);
    // its mode becomes the target's
    await fs.chmod(stage, ((await fs.stat(folder)).mode & 0o7777) | 0o700);
    for (const item of changed) await unlessGone(() => copyItem(item, path.join(stage, item.name)));
    await copy(`${stage}${path.sep}.`, `${name}:${target}`);
  });
}

/** Returns what the container does not have like this, with the folders that hold it: `cp` sets their modes. */
function changedItems(items: readonly CopiedItem[], before: ReadonlyMap<string, string>): CopiedItem[] {
  const changed = items.filter((item) => before.get(item.name) !== item.stamp);
  const needed = new Set<string>();
  for (const { name } of changed)
    for (let at = name; at !== '.' && !needed.has(at); at = path.posix.dirname(at)) needed.add(at);
  return items.filter(({ name }) => needed.has(name));
}

/** Returns what no longer exists, or is of another kind, which `cp` does not replace; with all that was below. */
function removedItems(before: ReadonlyMap<string, string>, folder: string, items: readonly CopiedItem[]): string[] {
  const kinds = new Map(items.map(({ name, kind }) => [name, kind as string]));
  const removed = new Set<string>();
  // folders come before what they hold
  for (const [name, stamp] of before) {
    const isOther = kinds.has(name) && kinds.get(name) !== kindOf(stamp);
    if (isOther || isBelowOneOf(removed, name) || isGone(path.join(folder, name))) removed.add(name);
  }
  return [...removed];
}

function isBelowOneOf(folders: ReadonlySet<string>, name: string): boolean {
  for (let above = path.posix.dirname(name); above !== '.'; above = path.posix.dirname(above))
    if (folders.has(above)) return true;
  return false;
}

function isGone(place: string): boolean {
  try {
    return lstatSync(place, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    // a file has replaced the folder
    if (isMissing(error)) return true;
    throw error;
  }
}

function targetOf(folder: string): string {
  return mountOf(folder, process.platform).target;
}
