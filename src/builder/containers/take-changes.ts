import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { exists } from '../../support/files.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';
import { copyItem, itemsBelow, sourceItems, stampsOf, unlessGone } from './copied-items.ts';
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
  const items = await itemsBelow(copied, { excludes: source.excludes });
  for (const item of items)
    if (isAsSent(item.name) && (!sent.has(item.name) || (await differs(item, path.join(source.path, item.name)))))
      await replace(item, path.join(source.path, item.name));
  const kept = stampsOf(items);
  for (const [name, stamp] of sent)
    if (!kept.has(name) && !stamp.startsWith('folder') && isAsSent(name))
      await fs.rm(path.join(source.path, name), { force: true });
}

async function differs(item: CopiedItem, place: string): Promise<boolean> {
  if (item.kind === 'folder') return false;
  if (item.kind === 'link')
    return (await fs.readlink(place).catch(() => undefined)) !== (await fs.readlink(item.absolute));
  const ours = await unlessGone(() => fs.readFile(place));
  return ours === undefined || !ours.equals(await fs.readFile(item.absolute));
}

async function replace(item: CopiedItem, place: string): Promise<void> {
  if (item.kind === 'folder') return (await exists(place)) ? undefined : copyItem(item, place);
  const made = path.join(path.dirname(place), `${path.basename(place)}.${temporarySuffix()}`);
  await copyItem(item, made);
  await fs.rename(made, place);
}
