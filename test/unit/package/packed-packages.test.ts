import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it, vi } from 'vitest';
import { createArtifactStore } from '../../../src/package/artifact-store.ts';
import { createCompressor } from '../../../src/package/zip/compressor.ts';
import { openCompressedFiles } from '../../../src/package/zip/compressed-files.ts';
import type { ObjectStore } from '../../../src/package/object-store.ts';
import { openPackedPackages } from '../../../src/package/zip/packed-packages.ts';
import { listEntries } from '../../../src/package/zip/tree-entries.ts';
import { writeZip } from '../../../src/package/zip/zip.ts';
import { silent } from '../../support/cloud.ts';
import { tempFolder, writeFiles } from '../../support/temp-folder.ts';

/** Zipping asks nothing and sends nothing. */
const NO_OBJECTS = {} as ObjectStore;

/** Text that shrinks to half its size. */
const noise = (seed: string, size: number): string =>
  createHash('shake256', { outputLength: size / 2 })
    .update(seed)
    .digest('hex');

const LARGE = { 'numpy/core.so': noise('core', 3_000_000), 'numpy/__init__.py': 'import os\n'.repeat(10) };

/** Makes the zip of a project's packages, in a folder of its own; returns how many files were compressed for it. */
async function zipPackages(files: Record<string, string>, packages: string, mostBytes?: number) {
  const project = await tempFolder();
  await writeFiles(path.join(project, 'src'), files);
  const compressor = createCompressor(0);
  const compress = vi.spyOn(compressor, 'compress');
  const compressed = openPackedPackages(openCompressedFiles(project), packages, mostBytes);
  const entries = await listEntries(path.join(project, 'src'));
  const zip = await writeZip(entries, path.join(project, 'package.zip'), { compressor, compressed });
  await compressed.save().catch(() => {});
  await compressor.close();
  return { sha256: zip.sha256, compressed: compress.mock.calls.length, path: zip.path };
}

const zipsIn = async (dir: string): Promise<string[]> =>
  (await fs.readdir(dir)).filter((name) => name !== 'compressed.json').sort();

it('packages that another project has compressed are copied, and the zip has the same bytes', async () => {
  const packages = path.join(await tempFolder(), 'cache', 'packages');
  const first = await zipPackages(LARGE, packages);
  expect(first.compressed).toBe(2);
  expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256: first.sha256, compressed: 0 });
  const kept = await zipsIn(packages);
  expect(kept).toEqual([`${Buffer.from(first.sha256, 'base64').toString('hex')}.zip`]);

  // one more file, too small to keep its zip
  const more = { ...LARGE, 'six.py': noise('six', 100_000) };
  const second = await zipPackages(more, packages);
  expect(second).toMatchObject({ compressed: 1 });
  expect(second.sha256).toBe((await zipPackages(more, path.join(packages, 'empty'))).sha256);
  await fs.rm(path.join(packages, 'empty'), { recursive: true });
  expect(await zipsIn(packages)).toEqual(kept);
});

it('a zip that was changed, cut or removed, and a damaged list, are not used', async () => {
  const packages = await tempFolder();
  const { sha256, path: first } = await zipPackages(LARGE, packages);
  const [name = ''] = await zipsIn(packages);
  const file = path.join(packages, name);
  const damages: (() => Promise<void>)[] = [
    // also of the project's own zip, to which it is a link
    async () => {
      const open = await fs.open(first, 'r+');
      await open.write(Buffer.from('damaged'), 0, 7, 1_000);
      await open.close();
    },
    () => fs.truncate(file, 1_000),
    () => fs.rm(file),
    () => fs.writeFile(path.join(packages, 'compressed.json'), '{"'),
  ];
  for (const damage of damages) {
    await damage();
    expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256, compressed: 2 });
    // it was replaced
    expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256, compressed: 0 });
    expect(await zipsIn(packages)).toEqual([name]);
  }
});

it('a folder that cannot be read or written costs time, not the zip', async () => {
  const blocked = path.join(await tempFolder({ blocked: 'a file', 'list/compressed.json/x': '' }), 'blocked');
  for (const packages of [blocked, path.join(blocked, 'packages'), path.join(path.dirname(blocked), 'list')]) {
    const { sha256 } = await zipPackages(LARGE, path.join(await tempFolder(), 'packages'));
    expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256, compressed: 2 });
  }
});

it.skipIf(process.platform === 'win32')('a folder that others can write to is not used', async () => {
  const packages = await tempFolder();
  const { sha256 } = await zipPackages(LARGE, packages);
  const saved = await fs.readFile(path.join(packages, 'compressed.json'), 'utf8');
  for (const mode of [0o770, 0o707]) {
    await fs.chmod(packages, mode);
    expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256, compressed: 2 });
    expect(await zipPackages({ 'new.so': noise('new', 3_000_000) }, packages)).toMatchObject({ compressed: 1 });
    expect(await fs.readFile(path.join(packages, 'compressed.json'), 'utf8')).toBe(saved);
  }
  await fs.chmod(packages, 0o755);
  expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256, compressed: 0 });
});

it('a zip that another process removes at that moment does not keep the list from being written', async () => {
  const packages = await tempFolder();
  await fs.symlink('gone', path.join(packages, 'gone.zip'));
  const { sha256 } = await zipPackages(LARGE, packages);
  expect(await zipPackages(LARGE, packages)).toMatchObject({ sha256, compressed: 0 });
});

it('the zips that were used last stay, as far as there is room', async () => {
  const packages = await tempFolder();
  const room = 4_000_000;
  const one = { 'one.so': noise('one', 3_000_000) };
  const two = { 'two.so': noise('two', 3_000_000) };
  await zipPackages(one, packages, room);
  const [first = ''] = await zipsIn(packages);
  await zipPackages(two, packages, room);
  expect(await zipsIn(packages)).toHaveLength(2);
  await fs.utimes(path.join(packages, first), 1, 1);
  expect(await zipPackages(one, packages, room)).toMatchObject({ compressed: 0 });
  await zipPackages({ 'three.so': noise('three', 3_000_000) }, packages, room);
  expect(await zipsIn(packages)).toHaveLength(2);
  expect(await zipPackages(one, packages, room)).toMatchObject({ compressed: 0 });
  expect(await zipPackages(two, packages, room)).toMatchObject({ compressed: 1 });
});

it('code of functions is not kept, only packages', async () => {
  const dir = await tempFolder();
  const [storeDir, packagesDir] = [path.join(dir, 'store'), path.join(dir, 'packages')];
  for (const kind of ['artifacts', 'deps']) await writeFiles(path.join(storeDir, kind, 'key', 'content'), LARGE);
  const { signal } = new AbortController();
  const zip = async (kind: string): Promise<string> => {
    const settings = { objects: NO_OBJECTS, bucket: 'b', prefix: undefined, reporter: silent, signal };
    const store = createArtifactStore({ ...settings, storeDir, packagesDir });
    const made = await store.zip({ kind: 'zip', path: path.join(storeDir, kind, 'key', 'content'), label: kind });
    await store.dispose();
    return `${Buffer.from(made.sha256, 'base64').toString('hex')}.zip`;
  };
  await zip('artifacts');
  expect(await fs.readdir(dir)).toEqual(['store']);
  await fs.writeFile(path.join(storeDir, 'deps/key/content/other.so'), noise('other', 3_000_000));
  const packed = await zip('deps');
  expect(await zipsIn(packagesDir)).toEqual([packed]);
});
