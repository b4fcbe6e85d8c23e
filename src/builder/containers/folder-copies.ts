import { lstatSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, makeFolder, removeTree } from '../../support/files.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { isBelow } from '../../support/places.ts';
import { withTemporaryFolder } from '../../support/temporary.ts';
import { copyItem, itemsBelow, sourceItems, stampsOf, unlessGone } from './copied-items.ts';
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
    const removed = [...before.keys()].filter((item) => isGone(path.join(folder, item)));
    await sendChanges(commands, { folder, items, before, removed, isNew: !made.has(folder) });
    made.add(folder);
    for (const item of removed) before.delete(item);
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
  const changed = items.filter((item) => before.get(item.name) !== item.stamp);
  if (changed.length === 0) return;
  await withTemporaryFolder(temporaryDir, COPIES, async (parent) => {
    const stage = path.join(parent, 'stage');
    await fs.mkdir(stage);
    // its mode becomes the target's
    await fs.chmod(stage, 0o755);
    for (const item of changed) await unlessGone(() => copyItem(item, path.join(stage, item.name)));
    await copy(`${stage}${path.sep}.`, `${name}:${target}`);
  });
}

function isGone(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false }) === undefined;
}

function targetOf(folder: string): string {
  return mountOf(folder, process.platform).target;
}
