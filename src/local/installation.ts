import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { note, step, type Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { discard, exists, makeFolder, removeTree } from '../support/files.ts';
import { spawn } from '../support/process/spawn.ts';
import { removeLeftovers } from '../support/temporary.ts';
import { temporarySuffix } from '../support/temporary-names.ts';
import { followInstall } from './install-progress.ts';
import type { InstallActivity } from './install-progress.ts';
import { findPython } from './python.ts';

/** The installed program of the local cloud. */
export interface Installation {
  /** The Python of its virtual environment. Absolute. */
  python: string;
  /** Folder of our plugin, which contains the entry point `start.py`. Absolute. */
  pluginDir: string;
  version: string;
}

/** Where to install, and the tools for it. */
export interface InstallOptions {
  cacheDir: string;
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal | undefined;
}

const SETUP_STEP = 'setup:local-cloud';
/** How often the installed packages are counted (ms). */
const COUNT_MS = 500;

/** The plugin on disk. */
export interface Plugin {
  /** Absolute. */
  dir: string;
  /** Changes with every change of the plugin or of a pinned package. */
  version: string;
  /** Changes with every change of a pinned package. */
  requirements: string;
}

/** Reads the plugin, by default from the folder beside this file (or beside the bundle). */
export async function readPlugin(dir = fileURLToPath(new URL('./plugin/', import.meta.url))): Promise<Plugin> {
  const names = (await fs.readdir(dir)).filter((name) => /\.(py|txt)$/.test(name)).sort();
  const hash = createHash('sha256');
  let requirements = '';
  for (const name of names) {
    const content = await fs.readFile(path.join(dir, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
    if (name === 'requirements.txt') {
      requirements = createHash('sha256').update(`${process.platform} ${process.arch}\0`).update(content).digest('hex');
    }
  }
  return { dir, requirements: requirements.slice(0, 12), version: hash.digest('hex').slice(0, 12) };
}

/**
 * Installs the local cloud's Python packages if needed. Their folder is named by the hash of its content and created under a
 * temporary name, so that it is complete or absent even with two concurrent installations.
 */
export async function ensureInstalled(plugin: Plugin, options: InstallOptions): Promise<Installation> {
  const folder = path.join(options.cacheDir, `python-${plugin.requirements}`);
  const python = pythonOf(folder);
  if (!(await exists(python))) await install(folder, plugin.dir, options);
  return { python, pluginDir: plugin.dir, version: plugin.version };
}

async function install(folder: string, pluginDir: string, options: InstallOptions): Promise<void> {
  const { reporter, signal } = options;
  await step(reporter, { kind: 'set-up', id: SETUP_STEP, label: 'the local cloud' }, async () => {
    await removeLeftovers(options.cacheDir);
    const base = await findPython(options.env, signal);
    note(reporter, 'debug', `Python ${base.version} (${base.executable}) for ${folder}`);
    const temporary = `${folder}.${temporarySuffix()}`;
    try {
      await makeFolder(options.cacheDir);
      reportActivity(reporter, { text: 'creating a Python environment (130 MB)', milestone: true });
      await run([base.executable, '-m', 'venv', temporary], 'Python could not create a virtual environment', options);
      await installPackages(temporary, base.version, { ...options, pluginDir });
      await moveIntoPlace(temporary, folder);
    } finally {
      await discard(temporary);
    }
    return { value: undefined, detail: `Python ${base.version}` };
  });
}

async function installPackages(
  folder: string,
  pythonVersion: string,
  options: InstallOptions & { pluginDir: string },
): Promise<void> {
  const { reporter } = options;
  const requirements = path.join(options.pluginDir, 'requirements.txt');
  const pip = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
  const pinned = ['--require-hashes', '--only-binary', ':all:', '-r', requirements];
  const sitePackages =
    process.platform === 'win32' ? ['Lib', 'site-packages'] : ['lib', `python${pythonVersion}`, 'site-packages'];
  const progress = await followInstall(await fs.readFile(requirements, 'utf8'), path.join(folder, ...sitePackages));
  const timer = setInterval(() => void progress.count().then((now) => reportActivity(reporter, now)), COUNT_MS);
  const failure = 'pip could not install the packages of the local cloud';
  try {
    await run([pythonOf(folder), ...pip, ...pinned], failure, options, (line) =>
      reportActivity(reporter, progress.readLine(line)),
    );
  } finally {
    clearInterval(timer);
  }
}

function reportActivity(reporter: Reporter, activity: InstallActivity | undefined): void {
  if (activity) reporter.report({ type: 'step-activity', id: SETUP_STEP, ...activity });
}

async function run(
  command: readonly string[],
  failure: string,
  options: InstallOptions,
  onLine?: (line: string) => void,
): Promise<void> {
  const { reporter, env, signal } = options;
  const [program = '', ...args] = command;
  const result = await spawn(program, args, {
    env: pipEnvironment(env),
    signal,
    onLine: (line) => {
      reporter.report({ type: 'tool-output', id: SETUP_STEP, line });
      onLine?.(line);
    },
  });
  if (result.code === 0) return;
  throw new UserError(`${failure} (exit code ${result.code}):\n${result.output.trimEnd()}`, {
    hint: 'pip downloads the packages from PyPI or from the index in your pip configuration.',
  });
}

/** Moves a finished installation to its place, unless another process was faster. */
async function moveIntoPlace(temporary: string, folder: string): Promise<void> {
  // an environment whose Python was removed is unusable
  if (!(await exists(pythonOf(folder)))) await removeTree(folder);
  try {
    await fs.rename(temporary, folder);
  } catch (error) {
    if (!(await exists(pythonOf(folder)))) throw error;
  }
}

function pythonOf(folder: string): string {
  return process.platform === 'win32' ? path.join(folder, 'Scripts', 'python.exe') : path.join(folder, 'bin', 'python');
}

/** Returns the environment of pip: keeps the user's index, proxy and certificates, drops variables that redirect packages. */
function pipEnvironment(env: InstallOptions['env']): Record<string, string | undefined> {
  const misleading = ['PYTHONPATH', 'PYTHONHOME', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_USER', 'PIP_NO_BINARY'];
  const kept = Object.entries(env).filter(([name]) => !misleading.includes(name.toUpperCase()));
  return { ...Object.fromEntries(kept), PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };
}
