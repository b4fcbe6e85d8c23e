import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { distributionOf, noWheelMessage, noWheelHint, runsInLambda } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';

/** The user's compiler, then none: most packages with optional extensions then build without them. */
const COMPILERS: readonly Record<string, string>[] = [{}, { CC: '/var/false', CXX: '/var/false' }];

/** The build of a wheel. */
export interface WheelBuild {
  scratch: string;
  target: PythonTarget;
  /** Hint for a wheel that does not run on Lambda. */
  hint: string | undefined;
  /** Builds a wheel into `outDir`. */
  build(outDir: string, env: Record<string, string>): Promise<void>;
}

/**
 * Builds a wheel from source on this machine and returns its path. If its extensions do not run on Lambda, builds again without
 * a compiler: many packages have extensions only for speed.
 */
export async function buildWheel(source: string, how: WheelBuild): Promise<string> {
  const { scratch, target } = how;
  let file = path.basename(source);
  for (const env of COMPILERS) {
    const place = await mkdtemp(path.join(scratch, 'build-'));
    const outDir = path.join(place, 'wheel');
    await mkdir(outDir);
    await how.build(outDir, { ...(await buildEnvironment(place)), ...env });
    const [wheel] = (await readdir(outDir)).filter((name) => name.endsWith('.whl'));
    if (wheel === undefined) continue;
    if (runsInLambda(wheel, target)) return path.join(outDir, wheel);
    file = wheel;
  }
  const { name, version } = distributionOf(file) ?? { name: file, version: undefined };
  throw new UserError(noWheelMessage(name, version, target), { hint: how.hint ?? noWheelHint() });
}

/**
 * Returns variables that keep builds out of the source: setuptools builds there, so that a deleted module stays in `build/` and
 * returns with the next wheel. A variable names a file with other folders.
 */
async function buildEnvironment(place: string): Promise<Record<string, string>> {
  const file = path.join(place, 'distutils.cfg');
  const text = `[build]\nbuild_base = ${path.join(place, 'build')}\n[egg_info]\negg_base = ${place}\n`;
  await writeFile(file, text);
  // fixed time stamps and hash seeds make builds reproducible
  return { DIST_EXTRA_CONFIG: file, SOURCE_DATE_EPOCH: '315532800', PYTHONHASHSEED: '0' };
}
