import * as fs from 'node:fs';
import * as path from 'node:path';
import dockerignore from '@balena/dockerignore';
import { readTextIfExists } from '../../support/files.ts';
import { hashOf } from '../build-key.ts';
import { compareNames } from '../file-tree.ts';
import type { TreeFile } from '../file-tree.ts';
import type { SourceHasher } from '../cache/source-hash.ts';
import type { DockerfileSource } from './plan-images.ts';

/** The part of a build context that Docker reads. */
export interface ContextFiles {
  files: readonly TreeFile[];
  /** Links, which Docker copies as links: path and target. */
  links: readonly (readonly [string, string])[];
  /** Folders without any of the files or links, which Docker copies, too. */
  emptyFolders: readonly string[];
}

/** Our own folder changes with every build and does not belong in an image. */
const OURS = '.aws-sam';

/** Hashes everything in the context that can get into the image, and the Dockerfile. In hex. */
export async function contextHash(source: DockerfileSource, hasher: SourceHasher): Promise<string> {
  const { files, links, emptyFolders } = await readContext(source);
  const dockerfile = await hasher.hashFile(path.resolve(source.context, source.dockerfile));
  return hashOf(dockerfile, await hasher.hashFiles(files), links, ...(emptyFolders.length > 0 ? [emptyFolders] : []));
}

/** Lists the files that `.dockerignore` leaves in the context, sorted. `<Dockerfile>.dockerignore` takes precedence. */
export async function readContext({ context, dockerfile }: DockerfileSource): Promise<ContextFiles> {
  const own = await readTextIfExists(path.resolve(context, `${dockerfile}.dockerignore`));
  const text = own ?? (await readTextIfExists(path.join(context, '.dockerignore'))) ?? '';
  const patterns = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const ignored = dockerignore.default().add(patterns);
  // a pattern with `!` may include something below an excluded folder
  const hasExceptions = patterns.some((line) => line.trim().startsWith('!'));
  const files: TreeFile[] = [];
  const links: [string, string][] = [];
  const emptyFolders: string[] = [];
  const walk = (folder: string, prefix: string): void => {
    for (const item of fs.readdirSync(folder, { withFileTypes: true })) {
      const name = prefix + item.name;
      const absolute = path.join(folder, item.name);
      if (name === OURS || (ignored.ignores(name) && !(hasExceptions && item.isDirectory()))) continue;
      if (item.isDirectory()) {
        const before = files.length + links.length + emptyFolders.length;
        walk(absolute, `${name}/`);
        const isEmpty = files.length + links.length + emptyFolders.length === before;
        if (isEmpty && !ignored.ignores(name)) emptyFolders.push(name);
      }
      if (item.isSymbolicLink()) links.push([name, fs.readlinkSync(absolute)]);
      else if (item.isFile()) files.push({ path: name, absolute });
    }
  };
  walk(context, '');
  return {
    files: files.sort((a, b) => compareNames(a.path, b.path)),
    links: links.sort(([a], [b]) => compareNames(a, b)),
    emptyFolders: emptyFolders.sort(compareNames),
  };
}
