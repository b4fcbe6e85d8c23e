import * as path from 'node:path';
import { installPackages, isOnPath } from '../../scripts/debian-packages.mjs';
import { toolEnv } from './build-app.ts';
import { pythonTool } from './python-tool.ts';

const CARGO_LAMBDA = ['cargo-lambda==1.9.2', 'ziglang==0.17.1'];

export { isOnPath };

/** Whether all programs are there, after Debian's packages were installed if they were not and we may. */
export function haveTools(programs: readonly string[], packages: readonly string[]): boolean {
  const areThere = (): boolean => programs.every(isOnPath);
  return areThere() || (installPackages(packages) === undefined && areThere());
}

/** An environment with cargo-lambda and Zig; undefined without cargo. */
export async function rustEnv(): Promise<Record<string, string | undefined> | undefined> {
  if (!isOnPath('cargo')) return undefined;
  const name = `tools/${CARGO_LAMBDA.join('-').replaceAll('==', '-')}`;
  const bin = await pythonTool(name, CARGO_LAMBDA).catch(() => undefined);
  return bin === undefined ? undefined : toolEnv({ PATH: `${bin}${path.delimiter}${process.env['PATH']}` });
}
