import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { isRunning } from '../../src/support/process/running.ts';
import { uvFolder } from './uv.ts';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

/**
 * The folder of the programs of these packages, which are installed from PyPI into a virtual environment below `.cache` the
 * first time. Test files are processes of their own: the others wait for the one that installs.
 */
export async function pythonTool(name: string, packages: readonly string[]): Promise<string> {
  const folder = path.join(CACHE, name);
  // a virtual environment holds its own path, so it cannot be made elsewhere and renamed; the marker says that it is complete
  const marker = path.join(folder, 'complete');
  const bin = path.dirname(pythonProgram(name, 'python'));
  if (await exists(marker)) return bin;
  const lock = `${folder}.lock`;
  await takeLock(lock);
  try {
    if (await exists(marker)) return bin;
    await install(folder, bin, packages);
    await fs.writeFile(marker, '');
  } finally {
    await fs.rm(lock, { force: true });
  }
  return bin;
}

/** The path of a program of a virtual environment below `.cache`. */
export function pythonProgram(name: string, program: string): string {
  return path.join(CACHE, name, ...(process.platform === 'win32' ? ['Scripts', `${program}.exe`] : ['bin', program]));
}

/** uv takes a tenth of pip's processor time. A machine whose index only pip knows has pip. */
async function install(folder: string, bin: string, packages: readonly string[]): Promise<void> {
  const python = path.join(bin, 'python');
  const folderOfUv = await uvFolder();
  try {
    if (folderOfUv === undefined) throw new Error('no uv');
    const uv = path.join(folderOfUv, 'uv');
    const options = { env: uvEnv() };
    await run(uv, ['venv', '--quiet', '--clear', '--python', 'python3', folder], options);
    await run(uv, ['pip', 'install', '--quiet', '--python', python, ...packages], options);
  } catch {
    await fs.rm(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
  }
}

/** pip's index, as uv names it. */
function uvEnv(): NodeJS.ProcessEnv {
  const { PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, PIP_CERT } = process.env;
  return {
    ...(PIP_INDEX_URL && { UV_DEFAULT_INDEX: PIP_INDEX_URL }),
    ...(PIP_EXTRA_INDEX_URL && { UV_INDEX: PIP_EXTRA_INDEX_URL }),
    ...(PIP_FIND_LINKS && { UV_FIND_LINKS: PIP_FIND_LINKS }),
    ...(PIP_CERT && { SSL_CERT_FILE: PIP_CERT }),
    ...process.env,
  };
}

/** Creates the file with our process ID, once no running process has it. */
async function takeLock(lock: string): Promise<void> {
  await fs.mkdir(path.dirname(lock), { recursive: true });
  for (;;) {
    try {
      return await fs.writeFile(lock, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    // empty: its owner is about to write
    const owner = await fs.readFile(lock, 'utf8').catch(() => '');
    if (owner !== '' && !isRunning(Number(owner))) await fs.rm(lock, { force: true });
    await delay(100);
  }
}

async function exists(file: string): Promise<boolean> {
  return fs.stat(file).then(
    () => true,
    () => false,
  );
}
