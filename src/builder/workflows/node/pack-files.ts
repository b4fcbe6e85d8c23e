import { lstatSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import packlist from 'npm-packlist';
import type { FoundEntry } from 'npm-packlist';
import { UserError } from '../../../errors.ts';
import { isBelow } from '../../../support/places.ts';
import { readTextFile } from '../../../support/regular-file.ts';
import { runtimeLink } from '../../../support/runtime-links.ts';
import { listTree } from '../../file-tree.ts';
import type { TreeFile } from '../../file-tree.ts';
import { bundledPackages, readForeignManifest, readManifest, runtimeDependencies } from './manifest.ts';
import type { NodeManifest } from './manifest.ts';

/** Folders that are no part of a package, whatever it says. Packages in `node_modules` are bundled one by one. */
const SKIPPED = ['.aws-sam', '.git', 'node_modules'];

/**
 * The files of a package as `npm pack` would publish them: by `files`, `.npmignore` or `.gitignore`, with what is bundled.
 * The package needs neither name nor version.
 */
export async function packFiles(dir: string): Promise<TreeFile[]> {
  const manifest = (await readManifest(dir)) ?? {};
  const files = new Map((await ownFiles(dir, manifest)).map((file) => [file.path, file]));
  for (const { place, dir: inner, manifest: theirs } of await bundled(dir, manifest)) {
    for (const { path: name, absolute } of await ownFiles(inner, theirs)) {
      const at = `${place}/${name}`;
      files.set(at, { path: at, absolute });
    }
  }
  // npm publishes no links; those to a layer's files are meant for Lambda
  const links = [...listTree(dir, SKIPPED).files, ...linkedModules(dir)];
  for (const file of links) if (file.link !== undefined) files.set(file.path, file);
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `node_modules` itself, if it is a link to a layer's: all of a package's own modules are left to that layer. */
export function linkedModules(dir: string): TreeFile[] {
  const place = path.join(dir, 'node_modules');
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return [];
  const link = runtimeLink(place, dir);
  return link === undefined ? [] : [{ path: 'node_modules', absolute: place, link }];
}

async function ownFiles(dir: string, manifest: NodeManifest): Promise<TreeFile[]> {
  // names that begin with @ come as ./@
  const names = (await walk(dir, manifest)).map((name) => name.replace(/^\.\//, ''));
  return names.filter((name) => isInside(dir, name)).map((name) => ({ path: name, absolute: path.join(dir, name) }));
}

function isInside(dir: string, name: string): boolean {
  return isBelow(path.resolve(dir, name), dir) && !name.split('/').some((part) => SKIPPED.includes(part));
}

async function walk(dir: string, manifest: NodeManifest): Promise<string[]> {
  const { bundleDependencies: _list, bundledDependencies: _other, ...alone } = manifest;
  const tree = { path: dir, package: alone, isProjectRoot: true, edgesOut: new Map<string, unknown>() };
  try {
    return await new Promise<string[]>((resolve) => {
      new SourceWalker(tree, { isPackage: true }).on('done', resolve).start();
    });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new UserError(`${dir}: it cannot be told which files npm would pack: ${(error as Error).message}`, {
      cause: error,
      hint: 'Look at files in its package.json, at .npmignore and .gitignore.',
    });
  }
}

/**
 * npm's walk, but in one go: what it throws in its callbacks, because of a pattern that cannot be or a file that is gone,
 * would end the process. Folders that never count are not even read: our own store may be below the package.
 */
class SourceWalker extends packlist.Walker {
  override start(): this {
    this.onReaddir(readdirSync(this.path));
    return this;
  }

  override onReaddir(entries: string[]): void {
    super.onReaddir(entries.filter((entry) => !SKIPPED.includes(entry)));
  }

  override addIgnoreFile(file: string, then: () => void): void {
    if (file === 'package.json' && this.isPackage === true) super.addIgnoreFile(file, then);
    else this.onReadIgnoreFile(file, readTextFile(path.join(this.path, file)), then);
  }

  override stat(found: FoundEntry, then: () => void): void {
    // npm refuses these names, for Windows
    if (found.entry.includes('*')) return then();
    const st = lstatSync(path.join(this.path, found.entry));
    this.onstat({ ...found, st, isSymbolicLink: st.isSymbolicLink() }, then);
  }

  override walker(entry: string, options: object, then: () => void): void {
    new SourceWalker(this.tree, this.walkerOpt(entry, options)).on('done', then).start();
  }
}

interface BundledPackage {
  /** Below the package that it travels in: `node_modules/x`. */
  place: string;
  dir: string;
  manifest: NodeManifest;
}

/** The packages that are bundled, and those that they need, where they are found in `node_modules`. */
async function bundled(dir: string, manifest: NodeManifest): Promise<BundledPackage[]> {
  const found = new Map<string, BundledPackage>();
  const visit = async (from: string, names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const inner = await findPackage(from, name);
      if (inner === undefined || found.has(inner.dir)) continue;
      const isOwn = isBelow(inner.dir, dir);
      const place = isOwn ? path.relative(dir, inner.dir).split(path.sep).join('/') : `node_modules/${name}`;
      found.set(inner.dir, { ...inner, place });
      await visit(inner.dir, Object.keys(runtimeDependencies(inner.manifest)));
    }
  };
  await visit(dir, bundledPackages(manifest));
  return [...found.values()];
}

async function findPackage(from: string, name: string): Promise<{ dir: string; manifest: NodeManifest } | undefined> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const dir = path.join(folder, 'node_modules', name);
    const manifest = await readForeignManifest(dir);
    if (manifest) return { dir, manifest };
    if (path.dirname(folder) === folder) return undefined;
  }
}
