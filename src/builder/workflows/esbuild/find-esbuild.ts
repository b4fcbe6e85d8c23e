import * as fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type * as Esbuild from 'esbuild';
import { satisfies } from 'semver';
import { errorMessage, UserError } from '../../../errors.ts';
import { exists } from '../../../support/files.ts';
import { keyOf } from '../../build-key.ts';
import { ToolError } from '../../tools/tools.ts';
import { findRequestedEsbuild } from './requested-version.ts';
import type { RequestedEsbuild } from './requested-version.ts';
import { readForeignManifest } from '../node/manifest.ts';
import type { BuildContext } from '../workflow.ts';

/** An esbuild to call. */
export interface EsbuildProgram {
  /** Its version; if it must be installed first, possibly the requested range. */
  version: string;
  /** Loaded when the first bundle is made. */
  load(): Promise<typeof Esbuild>;
  /** The files that decide which version to use. */
  decidedBy: readonly string[];
}

/** Finds the esbuild that package.json and lock file request, installed or not; without a request the installed one, else ours. */
export async function findEsbuild(dir: string, context: BuildContext): Promise<EsbuildProgram> {
  const wanted = await findRequestedEsbuild(dir, context);
  const decidedBy = wanted ? [wanted.manifest, ...(wanted.lock === undefined ? [] : [wanted.lock])] : [];
  const installed = await findInstalled(dir);
  const version = wanted?.version;
  const fits = (found: string): boolean =>
    version === undefined || satisfies(found, version, { includePrerelease: true });
  if (installed && (fits(installed.version) || isTag(version))) return { ...installed, decidedBy };
  const ours = ourEsbuild();
  if (wanted === undefined || version === undefined || fits(ours.version)) return { ...ours, decidedBy };
  const load = async (): Promise<typeof Esbuild> => {
    if (installed) {
      const by = path.basename(wanted.lock ?? wanted.manifest);
      const text = `node_modules has esbuild ${installed.version}, but ${by} requests ${version}, which was installed separately`;
      context.note('warning', text);
    }
    return installEsbuild(version, wanted, context);
  };
  return { version, load, decidedBy };
}

function isTag(version: string | undefined): boolean {
  return version !== undefined && /^[a-z]/i.test(version);
}

type Loadable = Pick<EsbuildProgram, 'version' | 'load'>;

async function findInstalled(dir: string): Promise<Loadable | undefined> {
  const require = createRequire(path.join(dir, 'package.json'));
  try {
    const main = require.resolve('esbuild');
    const version = (await readForeignManifest(path.dirname(path.dirname(main))))?.version;
    return version === undefined ? undefined : { version, load: async () => loadOf(require, main, version) };
  } catch {
    return undefined; // there is none, or Node.js cannot load it
  }
}

function ourEsbuild(): Loadable {
  const ours = createRequire(import.meta.url);
  const { version } = ours('esbuild/package.json') as { version: string };
  // required: an import of CommonJS parses it twice
  return { version, load: async () => ours('esbuild') as typeof Esbuild };
}

function loadOf(require: NodeJS.Require, main: string, version: string): typeof Esbuild {
  try {
    const loaded = require(main) as typeof Esbuild;
    if (loaded.version === undefined || loaded.version === version) return loaded;
    // another version was installed in its place during a watch
    delete require.cache[main];
    return require(main) as typeof Esbuild;
  } catch (error) {
    throw new UserError(`The esbuild of the application cannot be loaded: ${errorMessage(error)}`, {
      cause: error,
      hint: `Install the packages again, or remove ${path.dirname(path.dirname(main))} and esbuild from package.json: sam-sync has its own esbuild.`,
    });
  }
}

/** Installs esbuild for this machine, once for all functions, in the cache of dependencies. */
async function installEsbuild(
  version: string,
  wanted: RequestedEsbuild,
  context: BuildContext,
): Promise<typeof Esbuild> {
  const key = keyOf('esbuild', version, process.platform, process.arch);
  const entry = await context.cache.obtain('deps', key, async (content) => {
    await runNpm(content, version, { wanted, context });
    return { facts: {} };
  });
  const require = createRequire(path.join(entry.path, 'package.json'));
  return loadOf(require, require.resolve('esbuild'), '');
}

async function runNpm(
  cwd: string,
  version: string,
  { wanted, context }: { wanted: RequestedEsbuild; context: BuildContext },
): Promise<void> {
  const { hostTools, stepId } = context;
  const folder = path.dirname(wanted.manifest);
  const hint = `Install the packages of ${folder} with your package manager: sam-sync then uses the esbuild there.`;
  const [npm] = await hostTools.find('npm');
  if (npm === undefined) {
    throw new UserError(
      `npm is needed to install esbuild ${version}, which ${wanted.manifest} requests, and it is not on PATH`,
      { hint },
    );
  }
  // without a package.json npm would install into the nearest package above
  await fs.writeFile(path.join(cwd, 'package.json'), '{ "private": true }');
  const settings = path.join(cwd, '.npmrc');
  for (const place of [wanted.root, folder])
    if (await exists(path.join(place, '.npmrc'))) await fs.copyFile(path.join(place, '.npmrc'), settings);
  const args = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--no-progress'];
  try {
    const task = `npm install esbuild@${version}`;
    await hostTools.run(npm, [...args, '--include=optional', `esbuild@${version}`], { cwd, stepId, task });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(
      `esbuild ${version}, which ${wanted.manifest} requests, could not be installed: ${error.message}`,
      error.output,
      hint,
    );
  } finally {
    // it may hold a login
    await fs.rm(settings, { force: true });
  }
  if (await exists(path.join(cwd, 'node_modules', 'esbuild', 'package.json'))) return;
  throw new UserError(`npm did not install esbuild ${version}, which ${wanted.manifest} requests`, { hint });
}
