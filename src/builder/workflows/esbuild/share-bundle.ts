import * as fs from 'node:fs';
import * as path from 'node:path';
import { readTextIfExists } from '../../../support/files.ts';
import { withSlashes } from '../../../support/places.ts';
import { fields, parseJson, text } from '../../../support/shapes.ts';
import type { BuildInput } from '../../build-result.ts';
import { readForeignManifest } from '../node/manifest.ts';
import type { NodeProject } from '../node/project.ts';
import { addInputs } from '../files-above.ts';
import { settingsPlaces } from '../node/package-managers.ts';
import { whyUnlocked } from '../node/unlocked.ts';
import { sharing } from '../workflow.ts';
import type { Sharing } from '../workflow.ts';
import { isInNodeModules } from './folder-listing.ts';

/** A bundle that was made, and what it holds. */
export interface MadeBundle {
  /** undefined: there is no package.json. */
  project: NodeProject | undefined;
  /** What a watch observes. */
  inputs: readonly BuildInput[];
  /** Files in the bundle, and settings that it was made with, existing or not. Absolute. */
  files: readonly string[];
  /** Packages were installed for it. */
  hasDependencies: boolean;
}

/**
 * Decides whether a bundle may be shared. The lock file stands for the bundle's packages: a new checkout has no `node_modules`.
 * So they must be those of the lock file.
 */
export async function shareBundle(
  { project, inputs, files, hasDependencies }: MadeBundle,
  projectDir: string,
): Promise<Sharing> {
  const packaged = files.filter((file) => isInNodeModules(file) && fs.existsSync(file));
  if (packaged.length === 0 && !hasDependencies) return { inputs: withoutPackages(inputs) };
  if (project?.lock === undefined) return { reason: 'package.json has no lock file (npm install makes one)' };
  const reason = whyUnlocked(project) ?? (await notAsLocked(packaged, project.lock));
  const manifests = [project.root, project.dir].map((folder) => path.join(folder, 'package.json'));
  const decisive = [project.lock, ...manifests].map((file) => ({ path: file, excludes: [] }));
  const settings = addInputs(decisive, settingsPlaces(project, projectDir));
  return sharing(reason, [...withoutPackages(inputs), ...settings]);
}

function withoutPackages(inputs: readonly BuildInput[]): BuildInput[] {
  return inputs
    .filter(({ path: place }) => !isInNodeModules(place + path.sep))
    .map(({ stems, ...input }) =>
      stems === undefined ? input : { ...input, stems: stems.filter((stem) => stem !== 'node_modules') },
    );
}

/** Compares the version of each package in a bundle with the lock file. */
async function notAsLocked(files: readonly string[], lock: string): Promise<string | undefined> {
  const content = (await readTextIfExists(lock)) ?? '';
  const packages = fields(fields(parseJson(content))?.['packages']);
  for (const dir of new Set(files.map(packageFolder))) {
    const { name = path.basename(dir), version = '' } = (await readForeignManifest(dir)) ?? {};
    const place = withSlashes(path.relative(path.dirname(lock), dir));
    // other managers name packages by version; their folders lie elsewhere
    const isLocked = packages
      ? text(fields(packages[place])?.['version']) === version
      : content.includes(name) && content.includes(version);
    if (!isLocked) return `node_modules has ${name} ${version}, which is not the version in ${path.basename(lock)}`;
  }
  return undefined;
}

/** Returns the folder of the package that a file in `node_modules` belongs to. */
function packageFolder(file: string): string {
  const marker = `${path.sep}node_modules${path.sep}`;
  const start = file.lastIndexOf(marker) + marker.length;
  const parts = file.slice(start).split(path.sep);
  return file.slice(0, start) + parts.slice(0, parts[0]?.startsWith('@') === true ? 2 : 1).join(path.sep);
}
