import { rename } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { keyOf } from '../../build-key.ts';
import type { PythonInterpreter } from './interpreter.ts';
import { buildWheel } from './build-wheel.ts';
import { isInstallable } from './pyproject.ts';
import type { PythonTarget } from './wheel.ts';
import { SourceChangedError } from '../workflow.ts';
import type { BuildContext } from '../workflow.ts';

/**
 * Names that are no source of a local package. Names that a module may have too (`build`, `env`) count at the top only, where
 * tools create them.
 */
export const PACKAGE_EXCLUDES: readonly string[] = (
  '.aws-sam .git *.pyc __pycache__ *.egg-info node_modules .tox .nox .cache .pytest_cache .mypy_cache .ruff_cache .uv-cache .venv ' +
  '/build /dist /venv /target .vscode .idea'
).split(' ');

/** Hashes a local package, a folder or an archive; undefined if it does not exist. */
export function hashLocal({ hasher }: Pick<BuildContext, 'hasher'>, place: string): Promise<string | undefined> {
  return hasher.hashPath(place, PACKAGE_EXCLUDES);
}

/** Builds wheels of local packages. */
export interface LocalBuild {
  context: BuildContext;
  tool: 'pip' | 'uv';
  python: PythonInterpreter | undefined;
  target: PythonTarget;
  scratch: string;
  /** Hint for a wheel that does not run on Lambda. */
  hint: string | undefined;
  /** Builds a wheel of a folder into `outDir`. */
  build(dir: string, outDir: string, env: Record<string, string>): Promise<void>;
}

/** Returns the wheel of a local folder: built once for all functions that need it, and again when the folder changes. */
export async function obtainWheel(dir: string, how: LocalBuild): Promise<string> {
  const { context, tool, python, target } = how;
  if (!(await isInstallable(dir)))
    throw new UserError(`${dir} cannot be installed: it has neither pyproject.toml nor setup.py`, {
      hint: 'Correct the path in the requirements, or add a pyproject.toml to the package.',
    });
  const source = await hashLocal(context, dir);
  const { identity } = context.tools;
  const key = keyOf('python wheel', 1, tool, source, { ...target }, python?.version, identity, path.basename(dir));
  const entry = await context.cache.obtain('deps', key, async (content) => {
    const wheel = await buildWheel(dir, { ...how, build: (outDir, env) => how.build(dir, outDir, env) });
    const file = path.basename(wheel);
    await rename(wheel, path.join(content, file));
    if ((await hashLocal(context, dir)) !== source) throw new SourceChangedError();
    return { facts: { file } };
  });
  const wheel = path.join(entry.path, String(entry.facts['file']));
  // requirements and locks name it
  context.tools.addInput?.(wheel);
  return wheel;
}
