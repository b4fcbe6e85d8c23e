import * as path from 'node:path';
import { exists, namesIn } from '../../../support/files.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import type { PythonManifest } from './manifest.ts';
import { normalizeName, readPyProject } from './pyproject.ts';
import type { Requirements } from './requirements.ts';
import { distributionOf } from './wheel.ts';

/** `name[extra]==1.2.3`, perhaps with a marker or hashes. */
const PIN = /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*[^\s;,*]+\s*(?:;.*|--hash=.*)?$/;

/**
 * Returns why another installation of the same manifest may give other packages; undefined if the project's files decide them.
 * `installed`: the folder of the installed packages.
 */
export async function whyUnlocked(
  { codeDir, buildProperties }: BuildDefinition,
  manifest: PythonManifest | undefined,
  installed: string | undefined,
): Promise<string | undefined> {
  if (buildProperties['ParentPackageMode'] !== undefined)
    return 'ParentPackageMode depends on the place of the folder in the project';
  return whyPackagesUnlocked(codeDir, manifest, installed);
}

/** Returns the same for the packages alone. */
export async function whyPackagesUnlocked(
  codeDir: string,
  manifest: PythonManifest | undefined,
  installed: string | undefined,
): Promise<string | undefined> {
  if (manifest === undefined) return uninstalled(codeDir);
  const { source } = manifest;
  if (manifest.isEmpty || source.kind === 'export') return undefined;
  if (source.kind === 'project') {
    const { lock, notInLock } = source.project;
    if (lock === undefined) return 'pyproject.toml has no lock file (uv lock makes one)';
    return notInLock.length > 0 ? 'uv.lock does not match pyproject.toml' : undefined;
  }
  return source.kind === 'requirements' ? unpinned(source.requirements, manifest.locals, installed) : undefined;
}

/** Files whose packages only their own tools install. */
const LOCKS = ['uv.lock', 'poetry.lock', 'pdm.lock', 'Pipfile', 'Pipfile.lock', 'pylock.toml'];

/** A machine with the tool would install packages. */
async function uninstalled(codeDir: string): Promise<string | undefined> {
  for (const name of LOCKS)
    if (await exists(path.join(codeDir, name))) return `the packages of ${name} were not installed`;
  const { project, poetryPackages = [] } = (await readPyProject(codeDir)) ?? {};
  const declared = [...(project?.dependencies ?? []), ...poetryPackages];
  return declared.length > 0 ? 'the packages of pyproject.toml were not installed' : undefined;
}

/** Compares what was installed with what the file pins, so that dependencies of dependencies count too. */
function unpinned(
  { lines, file }: Requirements,
  locals: readonly string[],
  installed: string | undefined,
): string | undefined {
  const pins = lines.flatMap(({ text }) => PIN.exec(text)?.[1] ?? []);
  const own = locals.map((place) => distributionOf(path.basename(place))?.name ?? path.basename(place));
  const known = new Set([...pins, ...own].map(normalizeName));
  const distributions = namesIn(installed ?? '').flatMap((name) => /^(.+)-[^-]+\.dist-info$/.exec(name)?.[1] ?? []);
  const floating = distributions.find((name) => !known.has(normalizeName(name)));
  if (floating === undefined) return undefined;
  return `${path.basename(file)} does not pin ${normalizeName(floating)} with == (pip freeze, pip-compile or uv pip compile list every package)`;
}
