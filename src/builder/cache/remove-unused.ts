import { lstatSync } from 'node:fs';
import * as path from 'node:path';
import { namesIn, statIfExists } from '../../support/files.ts';
import { treeSize } from '../file-tree.ts';
import { CONTENT, removeEntry, usedAtOf } from './cache-entries.ts';
import { openLeases } from './leases.ts';
import type { Leases } from './leases.ts';
import { linkedEntries } from './linked-entries.ts';

/** The two kinds of cached folders: code to deploy, and installed dependencies. */
export const ENTRY_KINDS = ['artifacts', 'deps'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Folders beside the store whose links lead into it. */
const LAYOUTS = ['build', 'auto-dependency-layer'];

/** Returns the folders that `sam` commands read, whose links lead into the store. */
export function layoutsOf(root: string): string[] {
  return LAYOUTS.map((name) => path.join(root, '..', name));
}

/** An entry of the store. */
export interface StoreEntry {
  kind: EntryKind;
  /** Absolute. */
  folder: string;
  /** Of its content and its zip. */
  bytes: number;
  /** ms since the epoch, to the hour. */
  usedAt: number;
}

/** Lists the entries of a store (absolute). */
export async function listStore(root: string): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for (const kind of ENTRY_KINDS) {
    for (const folder of foldersIn(root, kind)) {
      const usedAt = usedAtOf(folder);
      if (usedAt === undefined) continue;
      const zip = await statIfExists(path.join(folder, 'package.zip'));
      entries.push({ kind, folder, bytes: treeSize(path.join(folder, CONTENT)) + (zip?.size ?? 0), usedAt });
    }
  }
  return entries;
}

/**
 * Removes the entries of a store that were not used since `before`, except those that are laid out for other commands or in use by
 * another process. Returns them.
 */
export async function pruneStore(
  root: string,
  { before, dryRun }: { before: number; dryRun: boolean },
): Promise<StoreEntry[]> {
  const leases = openLeases(root);
  const isNeeded = neededEntries(root, leases);
  const unused = (await listStore(root)).filter(({ usedAt, folder }) => usedAt < before && !isNeeded(folder));
  const removed: StoreEntry[] = [];
  for (const entry of unused) {
    if (!dryRun) await removeUnneeded(root, entry.folder, leases);
    if (dryRun || usedAtOf(entry.folder) === undefined) removed.push(entry);
  }
  return removed;
}

/** Removes the entries of one kind that were not used since `before`, unless they are needed. */
export async function removeUnused(
  root: string,
  { kind, before }: { kind: EntryKind; before: number },
  leases: Leases,
): Promise<void> {
  for (const entry of foldersIn(root, kind))
    if ((usedAtOf(entry) ?? 0) < before) await removeUnneeded(root, entry, leases);
}

function foldersIn(root: string, kind: EntryKind): string[] {
  const folder = path.join(root, kind);
  // a link may lead to a folder that is not ours
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return namesIn(folder).map((name) => path.join(folder, name));
}

/** Removes an entry unless it is needed. */
export function removeUnneeded(root: string, entry: string, leases: Leases): Promise<void> {
  const isNeeded = (): boolean => neededEntries(root, leases)(entry);
  return removeEntry(entry, { temporaryDir: path.join(root, 'tmp'), isNeeded });
}

/** Tests whether an entry is laid out for other commands or in use, at this moment. */
export function neededEntries(root: string, leases: Leases): (folder: string) => boolean {
  const linked = linkedEntries(root, layoutsOf(root));
  const inUse = leases.inUse();
  return (folder) => linked.has(folder) || inUse(folder);
}
