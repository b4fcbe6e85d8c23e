import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { itemsIn, readTextIfExists } from '../../../support/files.ts';

/** Files of installers about this machine, beside a package's own metadata. */
const NOTES: ReadonlySet<string> = new Set([
  'INSTALLER',
  'REQUESTED',
  'direct_url.json',
  'uv_cache.json',
  'uv_build.json',
]);

/**
 * Removes from installed packages where, when and by which tool they were installed, so that the same packages give the same
 * bytes on every machine.
 */
export async function cleanInstalled(target: string): Promise<void> {
  await fs.rm(path.join(target, '.lock'), { force: true });
  const scripts = await cleanScripts(path.join(target, 'bin'));
  for (const name of await fs.readdir(target)) {
    if (!name.endsWith('.dist-info')) continue;
    const dir = path.join(target, name);
    for (const note of NOTES) await fs.rm(path.join(dir, note), { force: true });
    await cleanRecord(path.join(dir, 'RECORD'), scripts);
  }
}

/**
 * Updates `RECORD`, which lists each file with its hash, if files were changed or removed; sorted, because installers list in any
 * order. Otherwise it stays as in the wheel, which is what SAM CLI deploys: a switch between the tools replaces no layer.
 */
async function cleanRecord(file: string, scripts: ReadonlyMap<string, string | undefined>): Promise<void> {
  const text = await readTextIfExists(file);
  if (text === undefined) return;
  const before = text.split(/\r?\n/).filter((line) => line !== '');
  const lines = before.flatMap((line) => {
    const name = line.replace(/,[^,]*,[^,]*$/, '').replace(/^"|"$/g, '');
    if (name.includes('.dist-info/') && NOTES.has(path.posix.basename(name))) return [];
    if (!scripts.has(name)) return [line];
    const entry = scripts.get(name);
    return entry === undefined ? [] : [entry];
  });
  if (lines.every((line, index) => line === before[index]) && lines.length === before.length) return;
  await fs.writeFile(file, `${lines.sort().join('\n')}\n`);
}

/** uv starts scripts with the path of a local Python, through `sh` if that path is long. */
const SHEBANG = /^#!(?:.*python[\d.]*(?:\.exe)?"?[ \t]*|\/bin\/sh\n'''exec' .*\n' ''')\n/;

/** Lets scripts find Python where they run. Returns the changed ones by name, with their lines for `RECORD`. */
async function cleanScripts(dir: string): Promise<Map<string, string | undefined>> {
  const changed = new Map<string, string | undefined>();
  const filesIn = (): string[] =>
    itemsIn(dir)
      .filter((item) => item.isFile())
      .map(({ name }) => name);
  for (const name of filesIn()) {
    const file = path.join(dir, name);
    // on Windows uv adds programs that start the script
    if (name.endsWith('.exe')) {
      await fs.rm(file);
      changed.set(`bin/${name}`, undefined);
      continue;
    }
    const text = await fs.readFile(file, 'latin1');
    if (!SHEBANG.test(text)) continue;
    const content = Buffer.from(text.replace(SHEBANG, '#!/usr/bin/env python3\n'), 'latin1');
    await fs.writeFile(file, content);
    const hash = createHash('sha256').update(content).digest('base64url');
    changed.set(`bin/${name}`, `bin/${name},sha256=${hash},${content.length}`);
  }
  if (changed.size > 0 && filesIn().length === 0) await fs.rmdir(dir);
  return changed;
}
