import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { installPackages, isOnPath } from '../../scripts/debian-packages.mjs';
import { toolEnv } from './build-app.ts';

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL('../../.cache/tools', import.meta.url));
const CARGO_LAMBDA = ['cargo-lambda==1.9.2', 'ziglang==0.17.1'];

export { isOnPath };

/** Whether all programs are there, after Debian's packages were installed if they were not and we may. */
export function haveTools(programs: readonly string[], packages: readonly string[]): boolean {
  const areThere = (): boolean => programs.every(isOnPath);
  return areThere() || (installPackages(packages) === undefined && areThere());
}

/** An environment with cargo-lambda and Zig, from PyPI into the checkout's `.cache` the first time; undefined without cargo. */
export async function rustEnv(): Promise<Record<string, string | undefined> | undefined> {
  if (!isOnPath('cargo')) return undefined;
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
