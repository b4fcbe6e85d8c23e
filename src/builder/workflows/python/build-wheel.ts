import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { distributionOf, noWheelMessage, noWheelHint, runsInLambda } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';

/** The user's compiler, then none: most packages with optional compiled parts notice. */
const COMPILERS: readonly Record<string, string>[] = [{}, { CC: '/var/false', CXX: '/var/false' }];

/** How a wheel is built. */
export interface WheelBuild {
  scratch: string;
  target: PythonTarget;
  /** What may help if it does not run in Lambda. */
  hint: string | undefined;
  /** Builds one wheel into a folder. */
  build(outDir: string, env: Record<string, string>): Promise<void>;
}

/**
 * Builds a wheel from source on this machine and returns where it is. If it would not run in Lambda because of compiled
 * parts, once more without a compiler: many packages have such parts only to be faster.
 */
export async function buildWheel(source: string, how: WheelBuild): Promise<string> {
  const { scratch, target } = how;
  let file = path.basename(source);
  for (const env of COMPILERS) {
    const place = await mkdtemp(path.join(scratch, 'build-'));
    const outDir = path.join(place, 'wheel');
    await mkdir(outDir);
    await how.build(outDir, { ...(await buildEnvironment(place)), ...env });
    const [made] = (await readdir(outDir)).filter((name) => name.endsWith('.whl'));
    if (made === undefined) continue;
    if (runsInLambda(made, target)) return path.join(outDir, made);
    file = made;
  }
  const { name, version } = distributionOf(file) ?? { name: file, version: undefined };
  throw new UserError(noWheelMessage(name, version, target), { hint: how.hint ?? noWheelHint() });
}

/**
 * Variables that keep builds out of the source: setuptools builds there, so that a module that was deleted since stays in
 * `build/` and comes back with the next wheel. It takes other folders from a file that a variable names.
 */
async function buildEnvironment(place: string): Promise<Record<string, string>> {
  const file = path.join(place, 'distutils.cfg');
  const text = `[build]\nbuild_base = ${path.join(place, 'build')}\n[egg_info]\negg_base = ${place}\n`;
  await writeFile(file, text);
  // time stamps that a build writes down are those of no particular day
  return { DIST_EXTRA_CONFIG: file, SOURCE_DATE_EPOCH: '315532800', PYTHONHASHSEED: '0' };
}
