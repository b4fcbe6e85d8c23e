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
    fs.utimesSync(installed, new Date(), new Date());
  }
  run(process.execPath, ['scripts/build.mjs'], { shell: false });
}

/** Whether node_modules is as new as the lock file and has all packages of package.json, also those of development. */
function isInstalled(installed) {
  const lock = path.join(root, 'package-lock.json');
  if (!fs.existsSync(installed) || fs.statSync(installed).mtimeMs < fs.statSync(lock).mtimeMs) return false;
  const { dependencies, devDependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const names = Object.keys({ ...dependencies, ...devDependencies });
  return names.every((name) => fs.existsSync(path.join(root, 'node_modules', name)));
}

/** The environment without the settings of an npm that runs us: `npm install --global` would pass on its prefix. */
function ownEnvironment() {
  const passedOn =
    /^npm_(?:lifecycle|package|command|config_(?:global|location|prefix|local_prefix|omit|dry_run|production))/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !passedOn.test(name)));
}
