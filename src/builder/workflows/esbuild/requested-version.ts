import * as path from 'node:path';
import { valid, validRange } from 'semver';
import { exists } from '../../../support/files.ts';
import { withSlashes } from '../../../support/places.ts';
import { lockedVersion } from '../node/locked-version.ts';
import { readForeignManifest } from '../node/manifest.ts';
import type { NodeManifest } from '../node/manifest.ts';
import { findProjectLock } from '../node/project.ts';
import type { BuildContext } from '../workflow.ts';

/** The esbuild that an application requests. */
export interface RequestedEsbuild {
  /** For npm: the locked version, a range or a tag; undefined: it is not from a registry. */
  version: string | undefined;
  /** The package.json that names it. Absolute. */
  manifest: string;
  /** The lock file in use. Absolute. */
  lock: string | undefined;
  /** The folder of the settings (`.npmrc`). */
  root: string;
}

/** Finds the nearest package.json that names esbuild, from a folder upwards in its repository; undefined if none does. */
export async function findRequestedEsbuild(
  dir: string,
  context: Pick<BuildContext, 'workspaces' | 'locks'>,
): Promise<RequestedEsbuild | undefined> {
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const manifest = await readForeignManifest(folder);
    const spec = specOf(manifest ?? {});
    if (manifest && spec !== undefined) return resolveWanted(folder, { manifest, spec }, context);
    if (path.dirname(folder) === folder || (await exists(path.join(folder, '.git')))) return undefined;
  }
}

function specOf({ dependencies, devDependencies, optionalDependencies }: NodeManifest): string | undefined {
  return dependencies?.['esbuild'] ?? devDependencies?.['esbuild'] ?? optionalDependencies?.['esbuild'];
}

async function resolveWanted(
  folder: string,
  { manifest, spec }: { manifest: NodeManifest; spec: string },
  { workspaces, locks }: Pick<BuildContext, 'workspaces' | 'locks'>,
): Promise<RequestedEsbuild> {
  const { root, lock } = await findProjectLock(folder, manifest, workspaces);
  const place = withSlashes(path.relative(root, folder));
  const named = { name: 'esbuild', spec, place, dependent: manifest.name };
  const locked = lock && (await lockedVersion(lock, named, locks));
  const version = valid(locked) ?? versionOfSpec(spec);
  return { version, manifest: path.join(folder, 'package.json'), lock, root };
}

/** Returns a range or a tag; undefined for a folder, an archive, a repository or another package. */
function versionOfSpec(spec: string): string | undefined {
  const plain = spec.replace(/^npm:esbuild@/, '');
  return validRange(plain) !== null || /^[a-z][\w.-]*$/i.test(plain) ? plain : undefined;
}
