import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { createFolderMemo, createListing } from '../../../src/builder/workflows/esbuild/folder-listing.ts';
import type { FolderMemo } from '../../../src/builder/workflows/esbuild/folder-listing.ts';
import { createInstallLockMemo } from '../../../src/builder/workflows/node/install-lock.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A clock for which the files of a test were saved long ago. */
const later = (): number => Date.now() + 60_000;

async function workspace(): Promise<{ modules: string; link(name: string, target: string): Promise<void> }> {
  const dir = await tempFolder({ 'node_modules/plain/package.json': '{}', 'a/x': '', 'b/x': '' });
  const modules = path.join(dir, 'node_modules');
  const link = async (name: string, target: string): Promise<void> => {
    const place = path.join(modules, name);
    await fs.mkdir(path.dirname(place), { recursive: true });
    await fs.rm(place, { force: true });
    await fs.symlink(path.join(dir, target), place, 'junction');
  };
  await link('a', 'a');
  await link('@scope/one', 'a');
  return { modules, link };
}

/** What a function of the workspace has in its key. */
const keyOfPackages = (memo: FolderMemo, modules: string): string => createListing(memo).packagesKey(modules);

it('the functions of a workspace share one reading of its folders and of its lock file', async () => {
  const { modules } = await workspace();
  const folders = createFolderMemo(later);
  expect(createListing(folders).items(modules)).toBe(createListing(folders).items(modules));
  const lock = path.join(modules, '..', 'package-lock.json');
  await fs.writeFile(lock, '{"a": "file:a.tgz"}');
  const locks = createInstallLockMemo(later);
  expect(locks.get(lock)).toBe(locks.get(lock));
  expect(locks.get(lock).archives).toEqual([path.join(path.dirname(lock), 'a.tgz')]);
});

it.each([
  ['a package that is linked elsewhere', (link) => link('a', 'b')],
  ['a new package', (link) => link('new', 'a')],
  ['a package of a scope that is linked elsewhere', (link) => link('@scope/one', 'b')],
  ['a new package of a scope', (link) => link('@scope/two', 'a')],
  ['a new scope', (link) => link('@other/one', 'a')],
] satisfies [string, (link: Awaited<ReturnType<typeof workspace>>['link']) => Promise<void>][])(
  'a shared reading of node_modules notices %s',
  async (_what, change) => {
    for (const clock of [later, Date.now]) {
      const { modules, link } = await workspace();
      const folders = createFolderMemo(clock);
      const before = keyOfPackages(folders, modules);
      expect(keyOfPackages(folders, modules)).toBe(before);
      await change(link);
      expect(keyOfPackages(folders, modules)).not.toBe(before);
      expect(keyOfPackages(folders, modules)).toBe(keyOfPackages(createFolderMemo(), modules));
    }
  },
);

it('a shared reading of node_modules notices a package that is gone, and a folder that appears', async () => {
  const { modules } = await workspace();
  const folders = createFolderMemo(later);
  const before = keyOfPackages(folders, modules);
  const missing = path.join(modules, '..', 'elsewhere', 'node_modules');
  expect([...createListing(folders).items(missing).keys()]).toEqual([]);
  await fs.rm(path.join(modules, 'plain'), { recursive: true });
  expect(keyOfPackages(folders, modules)).not.toBe(before);
  await fs.mkdir(path.join(missing, 'package'), { recursive: true });
  expect([...createListing(folders).items(missing).keys()]).toEqual(['package']);
});

it('a shared reading of a lock file notices a save, a replacement and a removal', async () => {
  for (const clock of [later, Date.now]) {
    const dir = await tempFolder({ 'package-lock.json': '{"v": 1}' });
    const lock = path.join(dir, 'package-lock.json');
    const locks = createInstallLockMemo(clock);
    const keys = [locks.get(lock).key];
    await fs.writeFile(lock, '{"v": 2, "a": "file:./a.tgz"}');
    keys.push(locks.get(lock).key);
    expect(locks.get(lock).archives).toEqual([path.join(dir, 'a.tgz')]);
    await fs.writeFile(`${lock}.new`, '{"v": 3, "a": "file:./b.tgz"}');
    await fs.rename(`${lock}.new`, lock);
    keys.push(locks.get(lock).key);
    expect(locks.get(lock).archives).toEqual([path.join(dir, 'b.tgz')]);
    await fs.rm(lock);
    keys.push(locks.get(lock).key);
    expect(new Set(keys).size).toBe(keys.length);
  }
});
