import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL('../../.cache/tools', import.meta.url));

/** A program that a package of the npm registry carries. */
export interface NpmTool {
  /** Name below `.cache/tools`. */
  name: string;
  /** Package with the program for this system; those that choose one do it in an install script, which does not run here. */
  package: string;
  version: string;
  /** The program, from the package's folder. */
  program: string;
}

/** The folder of a pinned program, from the npm registry into the checkout's `.cache` the first time. undefined where it cannot run. */
export async function npmToolFolder(tool: NpmTool): Promise<string | undefined> {
  const folder = path.join(TOOLS, `${tool.name}-${tool.version}`);
  const programIn = (root: string): string => path.join(root, 'node_modules', tool.package, tool.program);
  if (await fs.stat(programIn(folder)).catch(() => undefined)) return path.dirname(programIn(folder));
  const temporary = `${folder}.tmp-${process.pid}`;
  try {
    await fs.mkdir(temporary, { recursive: true });
    const args = ['install', '--prefix', temporary, '--no-save', '--ignore-scripts', `${tool.package}@${tool.version}`];
    await run('npm', args, { shell: process.platform === 'win32' });
    await run(programIn(temporary), ['--version']);
    await fs.rename(temporary, folder);
  } catch {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return (await fs.stat(programIn(folder)).catch(() => undefined)) ? path.dirname(programIn(folder)) : undefined;
}

/** The folder of a version of Node.js. undefined where it cannot run. */
export async function nodeFolder(version: string): Promise<string | undefined> {
  const isWindows = process.platform === 'win32';
  return npmToolFolder({
    name: 'node',
    package: `node-${isWindows ? 'win' : process.platform}-${process.arch}`,
    version,
    program: isWindows ? 'bin/node.exe' : 'bin/node',
  });
}
