import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, realPathNow, removeTree } from '../../support/files.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { copyItem, itemsBelow, kindOf, sourceItems, stampsOf, unlessGone } from './copied-items.ts';
import type { CopiedItem, CopiedSource } from './copied-items.ts';

/**
 * Applies to a source what a program has changed in its copy (`copied`): `sent` has the stamps of what was copied. Leaves alone
 * what has changed here meanwhile.
 */
export async function takeChanges(
  source: CopiedSource,
  copied: string,
  sent: ReadonlyMap<string, string>,
): Promise<void> {
  const here = stampsOf((await sourceItems(source))?.items ?? []);
  const isAsSent = (name: string): boolean => here.get(name) === sent.get(name);
  const placeOf = (name: string): string => path.join(source.path, name);
  const items = await itemsBelow(copied, { excludes: source.excludes });
  const kept = stampsOf(items);
  // what is in a folder comes after it
  for (const [name, stamp] of [...sent].toReversed())
    if (kindOf(kept.get(name)) !== kindOf(stamp) && isAsSent(name)) await remove(placeOf(name), stamp);
  for (const item of items) {
    const isNew = kindOf(sent.get(item.name)) !== item.kind;
    if (isAsSent(item.name) && (isNew || (await differs(item, placeOf(item.name)))))
      await replace(item, placeOf(item.name));
  }
}

async function differs(item: CopiedItem, place: string): Promise<boolean> {
  if (item.kind === 'folder') return false;
  if (item.kind === 'link')
    return (await fs.readlink(place).catch(() => undefined)) !== (await fs.readlink(item.absolute));
  const ours = await unlessGone(() => fs.readFile(place));
  return ours === undefined || !ours.equals(await fs.readFile(item.absolute));
}

/** A folder that holds something new stays. */
async function remove(place: string, stamp: string): Promise<void> {
  if (kindOf(stamp) !== 'folder') return removeTree(place);
  await fs.rmdir(place).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  });
}

async function replace(item: CopiedItem, place: string): Promise<void> {
  const existing = await unlessGone(() => fs.lstat(place));
  if (item.kind === 'folder') return existing === undefined ? copyItem(item, place) : undefined;
  // what you saved below the folder that a program has replaced
  if (existing?.isDirectory() === true) return;
  // a link out of the source was sent as the file that it leads to
  const target = item.kind === 'file' ? (realPathNow(place) ?? place) : place;
  const made = path.join(path.dirname(target), `${path.basename(target)}.${temporarySuffix()}`);
  try {
    await copyItem(item, made);
    await fs.rename(made, target);
  } catch (error) {
    await discard(made);
    throw error;
  }
}
