import { npmToolFolder } from './npm-tool.ts';

/** The folder of a pinned Bun. undefined where it cannot run. */
export async function bunFolder(): Promise<string | undefined> {
  return npmToolFolder({
    name: 'bun',
    package: `@oven/bun-${process.platform}-${process.arch}`,
    version: '1.3.14',
    program: process.platform === 'win32' ? 'bin/bun.exe' : 'bin/bun',
  });
}
