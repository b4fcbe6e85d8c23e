import { runtimeDependencies } from './manifest.ts';
import type { NodeProject } from './project.ts';

/** Scripts of a package that npm runs while it installs or packs it. */
const SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepack', 'prepare', 'postpack'];

/**
 * Returns why another build of the same package may give another result; undefined if the project's files decide it. Scripts of
 * the package itself use whatever this machine has.
 */
export function whyUnlocked(project: NodeProject): string | undefined {
  const { manifest } = project;
  const script = SCRIPTS.find((name) => manifest.scripts?.[name] !== undefined);
  if (script !== undefined) return `package.json has the script ${script}, which may use anything on this machine`;
  return whyPackagesUnlocked(project);
}

/** Returns the same for the packages alone, whose installation runs no script of the package itself. */
export function whyPackagesUnlocked({ manifest, lock }: NodeProject): string | undefined {
  const hasPackages = Object.keys(runtimeDependencies(manifest)).length > 0;
  return hasPackages && lock === undefined ? 'package.json has no lock file (npm install makes one)' : undefined;
}
