import { lstatSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, isMissing, makeFolder, removeTree } from '../../support/files.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { isBelow, withSlashes } from '../../support/places.ts';
import { withTemporaryFolder } from '../../support/temporary.ts';
import { copyItem, itemsBelow, kindOf, sourceItems, stampsOf, unlessGone } from './copied-items.ts';
import type { CopiedItem, CopiedSource } from './copied-items.ts';
import { shellWord } from './copy-commands.ts';
import type { CopyCommands } from './copy-commands.ts';
import { createKnownFiles } from './known-files.ts';
import { mountOf } from './mounts.ts';
import { takeChanges } from './take-changes.ts';

/** Keeps files of this machine and of a container alike where their engine shares none. */
export interface FolderCopies {
  /** Copies what has changed since the last time to the container. `folders`: those that only the build uses. */
  send(sources: readonly CopiedSource[], folders: readonly string[]): Promise<void>;
  /** Replaces a folder that only the build uses by the container's, once its copy is complete. */
  fetch(folder: string): Promise<void>;
  /** Takes over what a program has changed in a source. */
  fetchChanges(source: CopiedSource): Promise<void>;
  /** Forgets what the container had in a folder, which is empty now. */
  forget(folder: string): void;
}

/** Starts with an empty container. `temporaryDir`: the parent of temporary folders. */
export function createFolderCopies(commands: CopyCommands, temporaryDir: string): FolderCopies {
  const { copy, name } = commands;
  /** Stamps of the container's items, by the path of their source. */
  const sent = new Map<string, Map<string, string>>();
  const made = new Set<string>();
  const known = createKnownFiles();
  const sendItems = async (items: readonly CopiedItem[], folder: string): Promise<void> => {
    const found = await mapLimit(items, FILES_AT_ONCE, async (item) => ({ item, from: await known.find(item) }));
    const isInPlace = (item: CopiedItem, from: string): boolean =>
      from === path.posix.join(targetOf(folder), item.name);
    const there = found.flatMap(({ item, from }) =>
      from === undefined || isInPlace(item, from) ? [] : [{ item, from }],
    );
    const others = found.filter(({ from }) => from === undefined).map(({ item }) => item);
    await stageItems(commands, temporaryDir, { folder, items: others });
    // a program may have removed some of them in the container
    await copyThere(commands, targetOf(folder), there).catch(() =>
      stageItems(commands, temporaryDir, { folder, items: there.map(({ item }) => item) }),
    );
  };
  const send = async (root: string, folder: string, items: readonly CopiedItem[]): Promise<void> => {
    const before = sent.get(root) ?? new Map<string, string>();
    const removed = removedItems(before, folder, items);
    for (const item of removed) before.delete(item);
    const target = targetOf(folder);
    await commands.script([
      ...chunks(removed.map((item) => shellWord(path.posix.join(target, item)))).map(
        (some) => `rm -rf -- ${some.join(' ')}`,
      ),
      ...(made.has(folder) ? [] : [`mkdir -p -- ${shellWord(target)}`, ...commands.ownedBy([target])]),
    ]);
    made.add(folder);
    await sendItems(changedItems(items, before), folder);
    // other excludes may have left out some of the items
    sent.set(root, new Map([...before, ...stampsOf(items)]));
  };
  return {
    send: async (sources, folders) => {
      for (const source of sources) {
        const found = await sourceItems(source);
        // if it does not exist, the program that needs it says so
        if (found === undefined) continue;
        await send(source.path, found.folder, found.items);
        known.add(targetOf(found.folder), found.items);
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
      noteFetched(sent, folder, stampsOf(await itemsBelow(folder)));
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

/** Compared with what the container has. */
const FILES_AT_ONCE = 8;

/** With the pool's prefix, whose leftovers the next run removes. */
const COPIES = 'sam-sync-container-copies';

/** Copies items below a folder to the container. */
async function stageItems(
  { copy, script, ownedBy, name }: CopyCommands,
  temporaryDir: string,
  { folder, items }: { folder: string; items: readonly CopiedItem[] },
): Promise<void> {
  if (items.length === 0) return;
  await withTemporaryFolder(temporaryDir, COPIES, async (parent) => {
    const stage = path.join(parent, 'stage');
    await fs.mkdir(stage);
    // its mode becomes the target's
    await fs.chmod(stage, ((await fs.stat(folder)).mode & 0o7777) | 0o700);
    for (const item of items) await unlessGone(() => copyItem(item, path.join(stage, item.name)));
    await copy(`${stage}${path.sep}.`, `${name}:${targetOf(folder)}`);
  });
  await script(ownedBy([targetOf(folder)]));
}

/** Command lines have a limit. */
const NAMES_AT_ONCE = 200;

/** Copies files below a folder (`target`) of the container from other places there. */
async function copyThere(
  { script }: CopyCommands,
  target: string,
  files: readonly { item: CopiedItem; from: string }[],
): Promise<void> {
  /** Names by the folders from and to which they are copied. */
  const groups = new Map<string, string[]>();
  for (const { item, from } of files) {
    const to = path.posix.dirname(path.posix.join(target, item.name));
    const folders = JSON.stringify([path.posix.dirname(from), to]);
    groups.set(folders, [...(groups.get(folders) ?? []), shellWord(path.posix.basename(from))]);
  }
  const lines = [...groups].flatMap(([folders, names]) => {
    const [from, to] = (JSON.parse(folders) as string[]).map(shellWord);
    return chunks(names).map((some) => `(cd ${from} && cp -p -- ${some.join(' ')} ${to})`);
  });
  await script(lines);
}

function chunks(words: readonly string[]): string[][] {
  const count = Math.ceil(words.length / NAMES_AT_ONCE);
  return Array.from({ length: count }, (_, index) => words.slice(index * NAMES_AT_ONCE, (index + 1) * NAMES_AT_ONCE));
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

/** Notes what a folder holds on both sides, also for the folders that hold it. */
function noteFetched(sent: Map<string, Map<string, string>>, folder: string, stamps: Map<string, string>): void {
  for (const [root, before] of sent) {
    if (!isBelow(folder, root)) continue;
    const prefix = `${withSlashes(path.relative(root, folder))}/`;
    for (const name of before.keys()) if (name.startsWith(prefix)) before.delete(name);
    for (const [name, stamp] of stamps) before.set(prefix + name, stamp);
  }
  sent.set(folder, stamps);
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
