import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL('../../.cache/tools', import.meta.url));

const PACKAGES = {
  poetry: ['poetry==2.5.1', 'poetry-plugin-export==1.10.1'],
  pipenv: ['pipenv==2026.10.3'],
} as const;

/** The folder of a pinned Poetry (with its export plugin) or Pipenv, from PyPI into the checkout's `.cache` the first time. */
export async function lockToolFolder(tool: keyof typeof PACKAGES): Promise<string> {
  const packages = PACKAGES[tool];
  const folder = path.join(TOOLS, packages.join('-').replaceAll('==', '-'));
  const bin = path.join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  if (await fs.stat(path.join(folder, 'complete')).catch(() => undefined)) return bin;
  await fs.rm(folder, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(path.join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
  await fs.writeFile(path.join(folder, 'complete'), '');
  return bin;
}
