import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { makeFolder, readTextIfExists } from '../../../support/files.ts';
import { commonFolder, withSlashes } from '../../../support/places.ts';
import { fields, parseJson, text } from '../../../support/shapes.ts';
import { copySettings, nodeArch } from './package-managers.ts';
import type { NodeInstall } from './package-managers.ts';
import { localPlace } from './local-packages.ts';
import { mapDependencies, readManifest } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';

function absoluteSpec(spec: string, folder: string, placeOf: (original: string) => string): string {
  const place = localPlace(folder, spec);
  return place === undefined ? spec : `file:${withSlashes(placeOf(place))}`;
}

/** The folder in which the package manager runs: manifests, lock file, settings and archives at the same relative paths. */
export interface InstallationFolder {
  /** Returns the copy of a path of the project. */
  placeOf(original: string): string;
}

/** Copies what the manager needs of these packages to a folder of our own, in which it can write. */
export async function writeInstallationFolder(
  { copyLocals = false, ...shared }: Omit<NodeInstall, 'cwd' | 'member'>,
  scratch: string,
  folders: readonly string[],
): Promise<InstallationFolder> {
  const { project } = shared;
  const { archives } = project.locals;
  const base = commonFolder([...folders, ...archives.map((archive) => path.dirname(archive))]);
  const placeOf = (original: string): string => path.join(scratch, path.relative(base, original));
  for (const folder of folders) {
    const manifest = folder === project.dir ? project.manifest : await readManifest(folder);
    if (manifest === undefined) continue;
    const isRoot = folder === project.root;
    // npm resolves paths in a copied package against the copy, not against the original
    const isCopied = copyLocals && folder !== project.dir;
    const written = isCopied
      ? mapDependencies(manifest, (_name, spec) => absoluteSpec(spec, folder, placeOf))
      : manifest;
    await writeManifest(placeOf(folder), written, { ...shared, isRoot });
  }
  for (const archive of archives) {
    await makeFolder(path.dirname(placeOf(archive)));
    await fs.copyFile(archive, placeOf(archive));
  }
  await copySettings(project, placeOf(project.root));
  return { placeOf };
}

/**
 * Writes a manifest without scripts: they need the source, which is not copied. Without a lock file it needs no development
 * dependencies; a lock file includes them.
 */
async function writeManifest(
  folder: string,
  manifest: NodeManifest,
  { project, architecture, isRoot }: Pick<NodeInstall, 'project' | 'architecture'> & { isRoot: boolean },
): Promise<void> {
  const { scripts: _scripts, devDependencies, ...rest } = withInnerWorkspaces(manifest);
  const kept = project.lock === undefined || devDependencies === undefined ? {} : { devDependencies };
  const supportedArchitectures = { os: ['linux'], cpu: [nodeArch(architecture)], libc: ['glibc'] };
  const forLambda = project.manager === 'pnpm' && isRoot ? { pnpm: { ...manifest.pnpm, supportedArchitectures } } : {};
  await makeFolder(folder);
  await fs.writeFile(path.join(folder, 'package.json'), JSON.stringify({ ...rest, ...kept, ...forLambda }, null, 2));
}

/** Removes workspaces outside the package: from the copy they lead to the user's files, where npm would install. */
function withInnerWorkspaces(manifest: NodeManifest): NodeManifest {
  const { workspaces } = manifest;
  if (Array.isArray(workspaces)) return { ...manifest, workspaces: workspaces.filter(isInner) };
  if (workspaces?.packages === undefined) return manifest;
  return { ...manifest, workspaces: { ...workspaces, packages: workspaces.packages.filter(isInner) } };
}

function isInner(pattern: string): boolean {
  const plain = pattern.replace(/^!/, '').replaceAll('\\', '/');
  return !path.posix.normalize(plain).startsWith('..') && !path.isAbsolute(plain);
}

/**
 * Adapts npm's lock file: with `copyLocals` linked folders become copies; the project's archives count as they are now, like its
 * other sources, except for `npm ci`. Everything else stays locked.
 */
export async function adaptLock(
  dir: string,
  { project, copyLocals, useNpmCi }: Pick<NodeInstall, 'project' | 'copyLocals' | 'useNpmCi'>,
): Promise<void> {
  for (const name of ['package-lock.json', 'npm-shrinkwrap.json']) {
    const file = path.join(dir, name);
    const json = await readTextIfExists(file);
    if (json === undefined) continue;
    const lock = fields(parseJson(json));
    if (lock === undefined) throw new UserError(`${project.lock ?? file} is not a lock file: it must be a JSON object`);
    const packages = Object.entries(fields(lock['packages']) ?? {})
      .map(([place, value]): [string, LockedPackage] => [place, fields(value) ?? {}])
      .filter(([place, { link }]) => copyLocals !== true || (link !== true && !place.startsWith('..')))
      .map(([place, locked]) => [place, useNpmCi ? locked : withoutArchiveHash(locked)]);
    const dependencies = copyLocals === true ? { dependencies: undefined } : {};
    await fs.writeFile(file, JSON.stringify({ ...lock, packages: Object.fromEntries(packages), ...dependencies }));
  }
}

type LockedPackage = Readonly<Record<string, unknown>>;

function withoutArchiveHash(locked: LockedPackage): LockedPackage {
  const isArchive = text(locked['resolved'])?.startsWith('file:') === true;
  return isArchive ? { ...locked, integrity: undefined } : locked;
}
