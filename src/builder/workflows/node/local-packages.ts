import * as os from 'node:os';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { isFile, statIfExists } from '../../../support/files.ts';
import { readManifest, runtimeDependencies } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';

/** Packages that manifests and lock file name by a local path. */
export interface LocalPackages {
  /** Folders, transitively: name → folder. */
  folders: ReadonlyMap<string, string>;
  /** Archives (`.tgz`). Absolute, sorted. */
  archives: readonly string[];
  /** Named packages that do not exist. */
  missing: readonly MissingPackage[];
}

/** A local package that does not exist. */
interface MissingPackage {
  name: string;
  spec: string;
  /** The folder of the manifest that names it. */
  wantedIn: string;
  /** Its expected path. Absolute. */
  place: string;
  optional: boolean;
}

export const NO_LOCAL_PACKAGES: LocalPackages = { folders: new Map(), archives: [], missing: [] };

/** The manifests and paths to search. */
export interface LocalSearch {
  dir: string;
  manifest: NodeManifest;
  /** The folder in which the package manager runs; only the overrides of its manifest count. */
  root: string;
  rootManifest: NodeManifest;
  /** Paths of archives in the lock file. Absolute. */
  lockedArchives: readonly string[];
  /** Packages of the workspace by name. */
  members: ReadonlyMap<string, string>;
}

/** Finds the local packages that the package manager will read. */
export async function findLocalPackages(search: LocalSearch): Promise<LocalPackages> {
  const draft: LocalPackagesDraft = { folders: new Map(), archives: new Set(), missing: [], members: search.members };
  await collect(draft, search.dir, search.manifest);
  await collectOverrides(draft, search.root, search.rootManifest);
  for (const archive of search.lockedArchives) if (await isFile(archive)) draft.archives.add(archive);
  return { folders: draft.folders, archives: [...draft.archives].sort(), missing: draft.missing };
}

/** Throws if a required package does not exist. */
export function assertNothingMissing({ missing }: LocalPackages): void {
  const needed = missing.filter(({ optional }) => !optional);
  const [first] = needed;
  if (first === undefined) return;
  const others = needed.length === 1 ? '' : ` (and ${needed.length - 1} more)`;
  throw new UserError(
    `${path.join(first.wantedIn, 'package.json')} needs ${first.name} from ${first.spec}, which does not exist${others}`,
    { hint: `Put a package at ${first.place}, or correct the dependency.` },
  );
}

/** Returns the local path that a dependency's value names; undefined for a registry, a repository or a URL. */
export function localPlace(dir: string, spec: string): string | undefined {
  const named = /^(?:file|link|portal):(?:\/\/(?=\/))?([^#]+)/i.exec(spec)?.[1];
  // npm reads these as paths too (npm-package-arg); `user/repository` is on GitHub
  const bare =
    /^(?:\.{1,2}(?:[\\/]|$)|\/|~\/|[a-z]:[\\/])/i.test(spec) || /^[^/:@\s]+\.(?:tgz|tar\.gz|tar)$/i.test(spec);
  const place = named ?? (bare ? spec : undefined);
  if (place === undefined) return undefined;
  return place.startsWith('~/') ? path.join(os.homedir(), place.slice(2)) : path.resolve(dir, place);
}

interface LocalPackagesDraft {
  folders: Map<string, string>;
  archives: Set<string>;
  missing: MissingPackage[];
  members: ReadonlyMap<string, string>;
}

async function collect(draft: LocalPackagesDraft, dir: string, manifest: NodeManifest): Promise<void> {
  for (const [name, spec] of Object.entries(runtimeDependencies(manifest))) {
    const place = localPlace(dir, spec) ?? (isRegistrySpec(spec) ? draft.members.get(name) : undefined);
    if (place === undefined) continue;
    const isRequired = Object.hasOwn(manifest.dependencies ?? {}, name);
    const optional = !isRequired || Object.hasOwn(manifest.optionalDependencies ?? {}, name);
    await add(draft, { name, spec, wantedIn: dir, place, optional });
  }
}

async function add(draft: LocalPackagesDraft, wanted: MissingPackage): Promise<void> {
  const { name, place } = wanted;
  const stat = await statIfExists(place);
  if (stat?.isFile()) return void draft.archives.add(place);
  const manifest = stat && (await readManifest(place));
  if (manifest === undefined) return void draft.missing.push(wanted);
  if (draft.folders.has(name)) return;
  draft.folders.set(name, place);
  await collect(draft, place, manifest);
}

/** Whether the value is a version, a range, a tag or `workspace:…`, and thus may name a workspace member. */
function isRegistrySpec(spec: string): boolean {
  return spec.startsWith('workspace:') || !/[:/]/.test(spec);
}

/** Adds local packages in `overrides` (npm), `resolutions` (Yarn) and `pnpm.overrides`. */
async function collectOverrides(draft: LocalPackagesDraft, root: string, manifest: NodeManifest): Promise<void> {
  for (const overrides of [manifest.overrides, manifest.resolutions, manifest.pnpm?.['overrides']]) {
    for (const { name, spec } of overriddenSpecs(overrides)) {
      const place = localPlace(root, spec);
      if (place !== undefined) await add(draft, { name, spec, wantedIn: root, place, optional: false });
    }
  }
}

function overriddenSpecs(overrides: unknown, parent = ''): { name: string; spec: string }[] {
  if (typeof overrides !== 'object' || overrides === null) return [];
  return Object.entries(overrides).flatMap(([key, value]: [string, unknown]) => {
    // `.` is the package itself; `a>b`, `a/b` and `**/b` name a dependency; a version may follow
    const name = key === '.' ? parent : (/((?:@[^/>@]+\/)?[^/>@]+)(?:@[^>]*)?$/.exec(key)?.[1] ?? key);
    return typeof value === 'string' ? [{ name, spec: value }] : overriddenSpecs(value, name);
  });
}
