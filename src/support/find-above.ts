import * as path from 'node:path';
import { exists } from './files.ts';

/** Finds the nearest folder, from `dir` upwards, that holds a file of one of the names. */
export async function findAbove(dir: string, ...names: readonly string[]): Promise<string | undefined> {
  for (let folder = dir; ; folder = path.dirname(folder)) {
    for (const name of names) if (await exists(path.join(folder, name))) return folder;
    if (path.dirname(folder) === folder) return undefined;
  }
}
