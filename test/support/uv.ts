import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VERSION = '0.13.9';

/** The folder of a pinned uv, installed from PyPI into the checkout's `.cache` the first time. undefined without pip. */
export async function uvFolder(): Promise<string | undefined> {
  const folder = path.join(ROOT, '.cache', 'tools', `uv-${VERSION}`);
  const bin = path.join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  if (await fs.stat(bin).catch(() => undefined)) return bin;
  const temporary = `${folder}.tmp-${process.pid}`;
  try {
    const args = ['-m', 'pip', 'install', '--quiet', '--target', temporary, `uv==${VERSION}`];
    await promisify(execFile)('python3', args);
    await fs.rename(temporary, folder);
  } catch {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return (await fs.stat(bin).catch(() => undefined)) ? bin : undefined;
}
