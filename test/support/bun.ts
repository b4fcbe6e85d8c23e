import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VERSION = '1.3.14';

/** The folder of a pinned Bun, from the npm registry into the checkout's `.cache` the first time. undefined where it cannot run. */
export async function bunFolder(): Promise<string | undefined> {
  // the package `bun` fetches this one in an install script
  const name = `@oven/bun-${process.platform}-${process.arch}`;
  const folder = path.join(ROOT, '.cache', 'tools', `bun-${VERSION}`);
  const bin = path.join(folder, 'node_modules', name, 'bin');
  if (await fs.stat(bin).catch(() => undefined)) return bin;
  const temporary = `${folder}.tmp-${process.pid}`;
  try {
    await fs.mkdir(temporary, { recursive: true });
    const args = ['install', '--prefix', temporary, '--no-save', '--ignore-scripts', `${name}@${VERSION}`];
    await promisify(execFile)('npm', args, { shell: process.platform === 'win32' });
    await promisify(execFile)(path.join(temporary, 'node_modules', name, 'bin', 'bun'), ['--version']);
    await fs.rename(temporary, folder);
  } catch {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return (await fs.stat(bin).catch(() => undefined)) ? bin : undefined;
}
