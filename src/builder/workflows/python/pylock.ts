import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import { UserError } from '../../../errors.ts';
import { hashFile } from '../../../support/files.ts';
import { mapLimit } from '../../../support/map-limit.ts';
import { parseTomlFile } from '../toml-file.ts';
import { normalizeName, parseRequirement } from './pyproject.ts';
import { allowsPython } from './requires-python.ts';
import type { Requirements } from './requirements.ts';
import type { UvProject } from './uv-project.ts';
import type { PythonTarget } from './wheel.ts';

/** The part of a `pylock.toml` (PEP 751) that we read. */
interface PyLock {
  'requires-python'?: string;
  packages?: PyLockPackage[];
}

interface PyLockPackage {
  name: string;
  directory?: { path: string; subdirectory?: string };
  archive?: { path?: string; hashes: Record<string, string> };
  sdist?: PyLockFile;
  wheels?: PyLockFile[];
}

interface PyLockFile {
  hashes?: Record<string, string>;
}

const BUILDS_AT_ONCE = 2;

/** The context in which a lock is prepared for installation. */
export interface LockPreparation {
  target: PythonTarget;
  ids: readonly string[];
  project: UvProject | undefined;
  requirements: Requirements | undefined;
  /** Builds a wheel of a local folder and returns its path. */
  build(dir: string): Promise<string>;
}

/** Prepares a lock: checks that it is for the function's Python, and replaces local folders by wheels with hashes. */
export async function prepareLock(file: string, how: LockPreparation): Promise<void> {
  const lock = parseTomlFile(file, await readFile(file, 'utf8')) as PyLock;
  for (const versions of [how.project?.requiresPython, lock['requires-python']]) assertAllowed(versions, how);
  // uv compares it with the local Python, not with the requested one
  delete lock['requires-python'];
  const hashes = hashesOf(how.requirements);
  await mapLimit(lock.packages ?? [], BUILDS_AT_ONCE, async (locked) => {
    const { directory } = locked;
    if (directory) {
      const wheel = await how.build(path.resolve(path.dirname(file), directory.path, directory.subdirectory ?? ''));
      delete locked.directory;
      locked.archive = { path: wheel, hashes: { sha256: await hashFile(wheel, 'sha256', 'hex') } };
    }
    const wanted = hashes.get(normalizeName(locked.name));
    if (wanted) keepOnly(locked, wanted);
  });
  await writeFile(file, stringifyToml(lock));
}

function assertAllowed(versions: string | undefined, { target, ids, project }: LockPreparation): void {
  if (versions === undefined || allowsPython(versions, target.version)) return;
  const file = path.basename(project?.lock ?? project?.file ?? 'the lock');
  throw new UserError(`${file} is for Python ${versions}, and ${ids.join(', ')} runs on Python ${target.version}`, {
    hint: 'Change the Runtime in the template, or requires-python in pyproject.toml (and run uv lock).',
  });
}

/** Returns the hashes that requirements demand, by package. */
function hashesOf(requirements: Requirements | undefined): Map<string, ReadonlySet<string>> {
  const hashes = new Map<string, ReadonlySet<string>>();
  for (const { text } of requirements?.lines ?? []) {
    const values = [...text.matchAll(/--hash[= ]\w+:([0-9a-f]+)/g)].map(([, value]) => value ?? '');
    const name = parseRequirement(text)?.name;
    if (name === undefined || values.length === 0) continue;
    // lines with different markers may name the same package
    hashes.set(name, new Set([...(hashes.get(name) ?? []), ...values]));
  }
  return hashes;
}

function keepOnly(locked: PyLockPackage, wanted: ReadonlySet<string>): void {
  const isWanted = ({ hashes = {} }: PyLockFile): boolean => Object.values(hashes).some((value) => wanted.has(value));
  if (locked.wheels) locked.wheels = locked.wheels.filter(isWanted);
  if (locked.sdist && !isWanted(locked.sdist)) delete locked.sdist;
  if ((locked.wheels?.length ?? 0) > 0 || locked.sdist) return;
  throw new UserError(`${locked.name}: no file of the index has a hash from the requirements`, {
    hint: 'Check whether the package changed, or comes from another index, before you accept its new hash.',
  });
}
