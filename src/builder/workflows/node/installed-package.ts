import * as path from 'node:path';
import { exists } from '../../../support/files.ts';

/**
 * Finds the folder of the package that Node.js would load by this name from a folder: in the nearest `node_modules`, from
 * the folder upwards to `upTo`. Links are not resolved.
 */
export async function findInstalledPackage(from: string, name: string, upTo?: string): Promise<string | undefined> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const dir = path.join(folder, 'node_modules', name);
    if (await exists(path.join(dir, 'package.json'))) return dir;
    if (folder === upTo || path.dirname(folder) === folder) return undefined;
  }
}
