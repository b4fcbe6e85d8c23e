import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { toolEnv } from './build-app.ts';

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL('../../.cache/tools', import.meta.url));
const CARGO_LAMBDA = ['cargo-lambda==1.9.2', 'ziglang==0.17.1'];

/** Whether a program is on PATH. */
export async function isOnPath(program: string): Promise<boolean> {
  return run('sh', ['-c', 'command -v "$1"', 'sh', program]).then(
    () => true,
    () => false,
  );
}

/** Whether all programs are there, after Debian's packages were installed if they were not and we may. */
export async function haveTools(programs: readonly string[], packages: readonly string[]): Promise<boolean> {
  const missing = async (): Promise<boolean> => !(await Promise.all(programs.map(isOnPath))).every(Boolean);
  if (!(await missing())) return true;
  if (process.getuid?.() !== 0 || !(await isOnPath('apt-get'))) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  await run('apt-get', install, { env, maxBuffer: 1 << 26 })
    .catch(async () => {
      await run('apt-get', ['update'], { env, maxBuffer: 1 << 26 });
      await run('apt-get', install, { env, maxBuffer: 1 << 26 });
    })
    .catch(() => {});
  return !(await missing());
}

/** An environment with cargo-lambda and Zig, from PyPI into the checkout's `.cache` the first time; undefined without cargo. */
export async function rustEnv(): Promise<Record<string, string | undefined> | undefined> {
  if (!(await isOnPath('cargo'))) return undefined;
  const folder = path.join(TOOLS, CARGO_LAMBDA.join('-').replaceAll('==', '-'));
  const bin = path.join(folder, 'bin');
  if (!(await fs.stat(path.join(folder, 'complete')).catch(() => undefined))) {
    await fs.rm(folder, { recursive: true, force: true });
    try {
      await run('python3', ['-m', 'venv', folder]);
      await run(path.join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', ...CARGO_LAMBDA]);
      await fs.writeFile(path.join(folder, 'complete'), '');
    } catch {
      return undefined;
    }
  }
  return toolEnv({ PATH: `${bin}${path.delimiter}${process.env['PATH']}` });
}
