import { createRequire } from 'node:module';
import * as path from 'node:path';
import type * as Esbuild from 'esbuild';
import { errorMessage, UserError } from '../../errors.ts';
import { readForeignManifest } from './node-manifest.ts';

/** An esbuild that can be called. */
export interface EsbuildProgram {
  version: string;
  /** Loaded when the first bundle is made. */
  load(): Promise<typeof Esbuild>;
}

/** The esbuild that the app has installed, as its developers know it, else ours. Required: an import of CommonJS parses it twice. */
export async function findEsbuild(dir: string): Promise<EsbuildProgram> {
  const require = createRequire(path.join(dir, 'package.json'));
  try {
    const main = require.resolve('esbuild');
    const version = (await readForeignManifest(path.dirname(path.dirname(main))))?.version;
    if (version !== undefined) return { version, load: async () => loadOf(require, main) };
  } catch {
    // there is none, or none that Node could load
  }
  const ours = createRequire(import.meta.url);
  const version = (ours('esbuild/package.json') as { version: string }).version;
  return { version, load: async () => ours('esbuild') as typeof Esbuild };
}

function loadOf(require: NodeJS.Require, main: string): typeof Esbuild {
  try {
    return require(main) as typeof Esbuild;
  } catch (error) {
    throw new UserError(`The esbuild of the application cannot be loaded: ${errorMessage(error)}`, {
      cause: error,
      hint: `Install the packages again, or remove ${path.dirname(path.dirname(main))}: sam-sync has an esbuild of its own.`,
    });
  }
}
