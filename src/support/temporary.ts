import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { discard, removeTree } from './files.ts';
import { isMakerGone, isTemporaryName, temporarySuffix } from './temporary-names.ts';

/** Older temporary files are leftovers, even of processes on other machines (ms). */
const OLD_AFTER = 86_400_000;

/** Creates a folder below `base`, readable by its owner only, and removes it when `work` ends. */
export async function withTemporaryFolder<T>(
  base: string,
  name: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await makeTemporaryFolder(base, name);
  try {
    return await work(folder);
  } finally {
    await discard(folder);
  }
}

/** Creates a folder below `base`, readable by its owner only, without links in its path. The caller removes it. */
export async function makeTemporaryFolder(base: string, name: string): Promise<string> {
  const folder = path.join(await fs.realpath(base), `${name}.${temporarySuffix()}`);
  await fs.mkdir(folder, { mode: 0o700 });
  return folder;
}

/**
 * Removes temporary files of killed processes in the folder and its subfolders down to `depth`. Ignores failures; does not
 * follow links.
 */
export async function removeLeftovers(folder: string, { depth = 0, prefix = '' } = {}): Promise<void> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (isTemporaryName(entry.name)) {
      if (entry.name.startsWith(prefix) && (await isLeftover(file))) await removeTree(file).catch(() => {});
    } else if (depth > 0 && entry.isDirectory()) {
      await removeLeftovers(file, { depth: depth - 1, prefix });
    }
  }
}

/** Returns whether the process that created the file has ended. `extension`: what follows the temporary name. */
export async function isLeftover(file: string, extension = ''): Promise<boolean> {
  if (isMakerGone(path.basename(file, extension))) return true;
  const stat = await fs.lstat(file).catch(() => undefined);
  return stat !== undefined && stat.mtimeMs < Date.now() - OLD_AFTER;
}
