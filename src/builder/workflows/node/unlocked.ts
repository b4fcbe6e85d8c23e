import { runtimeDependencies } from './manifest.ts';
import type { NodeProject } from './project.ts';

/** Scripts of a package that npm runs while it installs or packs it. */
const SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepack', 'prepare', 'postpack'];

/**
 * Returns why another build of the same package may give another result; undefined if the project's files decide it. Scripts of
 * the package itself use whatever this machine has.
 */
export function whyUnlocked({ manifest, lock }: NodeProject): string | undefined {
  const script = SCRIPTS.find((name) => manifest.scripts?.[name] !== undefined);
  if (script !== undefined) return `package.json has the script ${script}, which may use anything on this machine`;
  const hasPackages = Object.keys(runtimeDependencies(manifest)).length > 0;
  return hasPackages && lock === undefined ? 'package.json has no lock file (npm install makes one)' : undefined;
}
