import * as path from 'node:path';
import { unpackZip } from '../unpack-zip.ts';

/** The platform of a function's wheels. */
export interface PythonTarget {
  /** E.g. `3.12`. */
  version: string;
  architecture: 'x86_64' | 'arm64';
}

/** Returns the minor version of glibc 2 in Lambda's Python runtimes: 2.26 in Amazon Linux 2, 2.34 in Amazon Linux 2023. */
function glibcMinor(version: string): number {
  return Number(version.split('.')[1]) >= 12 ? 34 : 26;
}

/** Returns the processor as in wheel tags and `platform.machine()`. */
export function machineOf(architecture: PythonTarget['architecture']): 'x86_64' | 'aarch64' {
  return architecture === 'arm64' ? 'aarch64' : 'x86_64';
}

/** Returns the platform tags of wheels that run on Lambda, newest glibc first, for pip's `--platform`. */
export function platformTags(target: PythonTarget): string[] {
  const machine = machineOf(target.architecture);
  const oldest = machine === 'x86_64' ? 5 : 17;
  const legacy: Record<number, string> = { 17: 'manylinux2014', 12: 'manylinux2010', 5: 'manylinux1' };
  const tags: string[] = [];
  for (let minor = glibcMinor(target.version); minor >= oldest; minor--) {
    tags.push(`manylinux_2_${minor}_${machine}`);
    const alias = legacy[minor];
    if (alias !== undefined && (machine === 'x86_64' || minor === 17)) tags.push(`${alias}_${machine}`);
  }
  return [...tags, `linux_${machine}`];
}

/** Whether a wheel runs on Lambda, by the tags in its file name. */
export function runsInLambda(wheelFile: string, target: PythonTarget): boolean {
  const [pythons = '', abis = '', platforms = ''] = path.basename(wheelFile, '.whl').split('-').slice(-3);
  const allowed = new Set(['any', ...platformTags(target)]);
  if (!platforms.split('.').some((platform) => allowed.has(platform))) return false;
  const minor = Number(target.version.split('.')[1]);
  return abis.split('.').some((abi) => {
    if (abi === 'none') return true;
    if (abi === `cp3${minor}`) return true;
    return abi === 'abi3' && pythons.split('.').some((python) => Number(/^cp3(\d+)$/.exec(python)?.[1]) <= minor);
  });
}

/** Parses name and version of a distribution from the file name of its wheel or source archive. */
export function distributionOf(file: string): { name: string; version: string } | undefined {
  const base = path.basename(file);
  if (base.endsWith('.whl')) {
    const [name, version] = base.split('-');
    return name !== undefined && version !== undefined ? { name, version } : undefined;
  }
  const match = /^(.+)-(\d[^-]*)\.(?:tar\.gz|tar\.bz2|tar\.xz|tgz|zip)$/.exec(base);
  return match?.[1] !== undefined && match[2] !== undefined ? { name: match[1], version: match[2] } : undefined;
}

/**
 * Unpacks a wheel into a folder of packages: its files unchanged, `purelib` and `platlib` at the root. Writes nothing else, so
 * that the same wheels give the same tree on every machine.
 */
export async function unpackWheel(wheelFile: string, target: string): Promise<void> {
  await unpackZip(wheelFile, target, { rename: placeInLambda });
}

/** Returns the path of a wheel's file in a folder of packages. */
export function placeInLambda(name: string): string {
  return name.replace(/^[^/]+\.data\/(?:purelib|platlib)\//, '');
}

/** Returns the message for a package without a wheel for the function. */
export function noWheelMessage(name: string, version: string | undefined, target: PythonTarget): string {
  const what = version === undefined ? name : `${name} ${version}`;
  return `${what} has no wheel for Python ${target.version} on Linux ${target.architecture}, and could not be built for it here`;
}

/** Returns the hint for such a package. */
export function noWheelHint(): string {
  return 'Pin a version that has such a wheel, change the Runtime or the architecture, or build in a container with --use-container.';
}
