// Installs the packages of package-lock.json if needed. Uses only Node.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program in the checkout and shows its output. Ends this process if it fails. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) throw result.error;
  if (result.status !== 0 && !options.allowFailure) process.exit(result.status ?? 1);
  return result.status ?? 1;
}

/** Updates node_modules from package-lock.json, and dist from src. */
export function installAndBuild() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (!isInstalled(installed)) {
    // without scripts: those of packages are not needed, and ours calls this function
    const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
    run('npm', ['ci', ...flags], { env: ownEnvironment() });
  }
  run(process.execPath, ['scripts/build.mjs'], { shell: false });
}

/** Whether node_modules has the packages of package-lock.json. Its time does not count: a release changes only our version in it. */
function isInstalled(installed) {
  if (!fs.existsSync(installed)) return false;
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const found = readPackages(installed);
  if (Object.keys(found).some((place) => wanted[place] === undefined)) return false;
  return Object.entries(wanted).every(([place, { version, integrity, optional }]) => {
    const known = found[place];
    // a package for another platform is not there
    if (known === undefined) return optional === true;
    return known.version === version && known.integrity === integrity && fs.existsSync(path.join(root, place));
  });
}

/** The packages of a lock file but ourselves, by their place. */
function readPackages(file) {
  const { '': _ourselves, ...packages } = JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  return packages;
}

/** The environment without the settings of an npm that runs us: `npm install --global` would pass on its prefix. */
function ownEnvironment() {
  const passedOn =
    /^npm_(?:lifecycle|package|command|config_(?:global|location|prefix|local_prefix|omit|dry_run|production))/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !passedOn.test(name)));
}
