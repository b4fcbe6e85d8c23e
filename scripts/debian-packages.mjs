// Debian packages that tests need and a machine may lack.
import { spawnSync } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';

/** Returns whether a program is on PATH. */
export function isOnPath(program) {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' }).status === 0;
}

/** Installs packages, only as root. Returns the reason for a failure. */
export function installPackages(packages) {
  if (process.getuid?.() !== 0) return 'installing packages needs root';
  if (!isOnPath('apt-get')) return 'there is no apt-get';
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  if (aptGet(install)) return undefined;
  // the package lists of a new machine are empty or old; a source that does not respond may be irrelevant
  aptGet(['update']);
  if (aptGet(install)) return undefined;
  return `apt-get could not install ${packages.join(' and ')}`;
}

/** Runs apt-get under a lock: test files are separate processes, and apt-get fails while another one runs. */
function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lock = path.join(os.tmpdir(), 'sam-sync-apt.lock');
  const command = [lock, 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...args];
  return spawnSync('flock', command, { stdio: 'ignore', env }).status === 0;
}
