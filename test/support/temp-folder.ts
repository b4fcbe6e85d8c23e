import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { atEnd } from './at-end.ts';

/** A folder of the running test's own (of the file's own, outside a test), removed when it ends. `files`: path → content. */
export async function tempFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-test-')));
  atEnd(() => fs.rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await writeFiles(folder, files);
  return folder;
}

/** Writes files below a folder; folders are made. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, content);
  }
}

/** Everything below a folder: path → content of a file, `-> target` of a link (not followed), `/` of a folder. */
export async function snapshotFolder(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const item of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    const place = path.join(item.parentPath, item.name);
    const name = path.relative(folder, place).split(path.sep).join('/');
    if (item.isSymbolicLink()) found[name] = `-> ${await fs.readlink(place)}`;
    else found[name] = item.isDirectory() ? '/' : await fs.readFile(place, 'utf8');
  }
  return found;
}
