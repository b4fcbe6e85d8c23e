import * as path from 'node:path';
import packlist from 'npm-packlist';
import type { PackTree } from 'npm-packlist';
import type { TreeFile } from '../file-tree.ts';
import { readManifest } from './node-project.ts';

/** Folders that are no part of a package, whatever it says. */
const NEVER = ['.aws-sam', '.git'];

/**
 * The files of a package as `npm pack` would publish them: by `files`, `.npmignore` or `.gitignore`, with what is bundled.
 * The package needs neither name nor version.
 */
export async function packFiles(dir: string): Promise<TreeFile[]> {
  const manifest = await readManifest(dir);
  const bundled = manifest?.bundleDependencies ?? manifest?.bundledDependencies;
  const tree: PackTree = {
    path: dir,
    package: manifest ?? {},
    isProjectRoot: true,
    edgesOut: Array.isArray(bundled) ? await bundledEdges(dir, bundled) : new Map(),
  };
  const names = await walk(tree);
  return names
    .filter((name) => !name.split('/').some((part) => NEVER.includes(part)))
    .sort()
    .map((name) => ({ path: name, absolute: path.join(dir, name) }));
}

function walk(tree: PackTree): Promise<string[]> {
  const skipped = tree.edgesOut.size > 0 ? NEVER : [...NEVER, 'node_modules'];
  /** Folders that never count are not even read: our own store may be below the package. */
  class SourceWalker extends packlist.Walker {
    override onReaddir(entries: string[]): void {
      super.onReaddir(entries.filter((entry) => !skipped.includes(entry)));
    }
  }
  return new Promise((resolve, reject) => {
    new SourceWalker(tree, { isPackage: true }).on('done', resolve).on('error', reject).start();
  });
}

/** What npm's own tree says of bundled packages, in the form that the walker reads, found in `node_modules`. */
async function bundledEdges(
  dir: string,
  names: readonly string[],
  seen = new Set<string>(),
): Promise<Map<string, unknown>> {
  const edges = new Map<string, unknown>();
  for (const name of names) {
    const target = await findPackage(dir, name);
    if (target === undefined || seen.has(target.dir)) continue;
    seen.add(target.dir);
    const dependencies = Object.keys(target.manifest.dependencies ?? {});
    edges.set(name, {
      peer: false,
      dev: false,
      to: {
        path: target.dir,
        realpath: target.dir,
        isLink: false,
        package: target.manifest,
        edgesOut: await bundledEdges(target.dir, dependencies, seen),
      },
    });
  }
  return edges;
}

async function findPackage(
  from: string,
  name: string,
): Promise<{ dir: string; manifest: NodeManifestLike } | undefined> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const dir = path.join(folder, 'node_modules', name);
    const manifest = await readManifest(dir);
    if (manifest) return { dir, manifest };
    if (path.dirname(folder) === folder) return undefined;
  }
}

type NodeManifestLike = NonNullable<Awaited<ReturnType<typeof readManifest>>>;
