import { lstatSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import packlist from 'npm-packlist';
import type { FolderEntry } from 'npm-packlist';
import { UserError } from '../../../errors.ts';
import { isBelow, withSlashes } from '../../../support/places.ts';
import { readTextFile } from '../../../support/regular-file.ts';
import { runtimeLink } from '../../../support/runtime-links.ts';
import { compareNames } from '../../file-tree.ts';
import type { TreeFile } from '../../file-tree.ts';
import { findInstalledPackage } from './installed-package.ts';
import { bundledPackages, readForeignManifest, readManifest, runtimeDependencies } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';

/** Folders that never belong to a package. Packages in `node_modules` are bundled one by one. */
const SKIPPED = ['.aws-sam', '.git', 'node_modules'];

/**
 * Lists the files of a package as `npm pack` would publish them: by `files`, `.npmignore` or `.gitignore`, with bundled packages.
 * The package needs neither name nor version. npm publishes no links; links to a layer's files are kept for Lambda.
 */
export async function packFiles(dir: string): Promise<TreeFile[]> {
  const manifest = (await readManifest(dir)) ?? {};
  const own = await walk(dir, manifest);
  const files = new Map(own.files.map((file) => [file.path, file]));
  for (const { place, dir: inner, manifest: theirs } of await findBundled(dir, manifest)) {
    for (const { path: name, absolute } of (await walk(inner, theirs)).files) {
      const at = `${place}/${name}`;
      files.set(at, { path: at, absolute });
    }
  }
  for (const link of [...own.links, ...linkedModules(dir)]) files.set(link.path, link);
  return [...files.values()].sort((a, b) => compareNames(a.path, b.path));
}

/** Returns `node_modules` itself if it is a link to a layer's: the package leaves all of its modules to that layer. */
export function linkedModules(dir: string): TreeFile[] {
  const place = path.join(dir, 'node_modules');
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return [];
  const link = runtimeLink(place, dir);
  return link === undefined ? [] : [{ path: 'node_modules', absolute: place, link }];
}

/** Files that npm would pack, and links in the same folders that lead to places in Lambda. */
interface PackedFiles {
  files: TreeFile[];
  links: TreeFile[];
}

async function walk(dir: string, manifest: NodeManifest): Promise<PackedFiles> {
  const { bundleDependencies: _list, bundledDependencies: _other, ...alone } = manifest;
  const links: TreeFile[] = [];
  const tree = { path: dir, package: alone, isProjectRoot: true, edgesOut: new Map<string, unknown>(), links };
  try {
    const names = await new Promise<string[]>((resolve) => {
      new SourceWalker(tree, { isPackage: true }).on('done', resolve).start();
    });
    const files = names
      // names that begin with @ come as ./@
      .map((name) => name.replace(/^\.\//, ''))
      .filter((name) => isInside(dir, name))
      .map((name) => ({ path: name, absolute: path.join(dir, name) }));
    return { files, links };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new UserError(`${dir}: npm could not list the files to pack: ${(error as Error).message}`, {
      cause: error,
      hint: 'Check files in its package.json, .npmignore and .gitignore.',
    });
  }
}

function isInside(dir: string, name: string): boolean {
  return isBelow(path.resolve(dir, name), dir) && !name.split('/').some((part) => SKIPPED.includes(part));
}

/**
 * npm's walk, but synchronous: what it throws in its callbacks, because of an invalid pattern or a file that is gone, would
 * end the process. It does not even read skipped folders: our own store may be below the package.
 */
class SourceWalker extends packlist.Walker {
  override start(): this {
    const items = readdirSync(this.path, { withFileTypes: true }).filter(({ name }) => !SKIPPED.includes(name));
    for (const item of items) if (item.isSymbolicLink()) this.#addLink(path.join(this.path, item.name));
    this.onReaddir(items.map(({ name }) => name));
    return this;
  }

  #addLink(absolute: string): void {
    const { path: root, links } = this.tree;
    const link = runtimeLink(absolute, root);
    if (link !== undefined) links?.push({ path: withSlashes(path.relative(root, absolute)), absolute, link });
  }

  override addIgnoreFile(file: string, then: () => void): void {
    if (file === 'package.json' && this.isPackage === true) super.addIgnoreFile(file, then);
    else this.onReadIgnoreFile(file, readTextFile(path.join(this.path, file)), then);
  }

  override stat(entry: FolderEntry, then: () => void): void {
    // npm refuses these names, for Windows
    if (entry.entry.includes('*')) return then();
    const st = lstatSync(path.join(this.path, entry.entry));
    this.onstat({ ...entry, st, isSymbolicLink: st.isSymbolicLink() }, then);
  }

  /** npm sorts by a language's rules, whose tables take 3 MB; the result is sorted again. */
  override sort(a: string, b: string): number {
    return compareNames(a, b);
  }

  override walker(entry: string, options: object, then: () => void): void {
    new SourceWalker(this.tree, this.walkerOpt(entry, options)).on('done', then).start();
  }
}

interface BundledPackage {
  /** Its path in the package that bundles it: `node_modules/x`. */
  place: string;
  dir: string;
  manifest: NodeManifest;
}

/** Finds the bundled packages, and their dependencies, in `node_modules`. */
async function findBundled(dir: string, manifest: NodeManifest): Promise<BundledPackage[]> {
  const packages = new Map<string, BundledPackage>();
  const visit = async (from: string, names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const inner = await findInstalledPackage(from, name);
      if (inner === undefined || packages.has(inner)) continue;
      const place = isBelow(inner, dir) ? withSlashes(path.relative(dir, inner)) : `node_modules/${name}`;
      const theirs = (await readForeignManifest(inner)) ?? {};
      packages.set(inner, { dir: inner, manifest: theirs, place });
      await visit(inner, Object.keys(runtimeDependencies(theirs)));
    }
  };
  await visit(dir, bundledPackages(manifest));
  return [...packages.values()];
}
