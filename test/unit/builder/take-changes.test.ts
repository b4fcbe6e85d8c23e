import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { sourceItems, stampOf, stampsOf } from '../../../src/builder/containers/copied-items.ts';
import { takeChanges } from '../../../src/builder/containers/take-changes.ts';
import { tempFolder, writeFiles } from '../../support/temp-folder.ts';

it('takes what a program changed in its copy, and leaves alone what you saved meanwhile', async () => {
  const files = { 'same.txt': '1', 'changed.txt': '1', 'removed.txt': '1', 'saved.txt': '1', 'deleted.txt': '1' };
  const dir = await tempFolder(files);
  const source = { path: dir, excludes: ['.git'] };
  const sent = stampsOf((await sourceItems(source))?.items ?? []);
  const before = await fs.stat(path.join(dir, 'same.txt'));
  const copied = await tempFolder({
    ...files,
    'changed.txt': '2',
    'saved.txt': '2',
    'new/file.txt': '2',
    '.git/x': '',
  });
  await fs.rm(path.join(copied, 'removed.txt'));
  // an editor
  await writeFiles(dir, { 'saved.txt': 'mine', 'new.txt': 'mine' });
  await fs.rm(path.join(dir, 'deleted.txt'));
  await takeChanges(source, copied, sent);
  const names = (await fs.readdir(dir, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
  expect(names.toSorted()).toEqual(['changed.txt', 'new', 'new.txt', 'new/file.txt', 'same.txt', 'saved.txt']);
  expect(await fs.readFile(path.join(dir, 'changed.txt'), 'utf8')).toBe('2');
  expect(await fs.readFile(path.join(dir, 'saved.txt'), 'utf8')).toBe('mine');
  expect((await fs.stat(path.join(dir, 'same.txt'))).mtimeMs).toBe(before.mtimeMs);
});

it('takes over what a program made of another kind, through links out of the source, and removed folders', async () => {
  const outside = await tempFolder({ 'shared.py': '1' });
  const dir = await tempFolder({
    'file/old.txt': '1',
    folder: '1',
    'gone/deep/a.txt': '1',
    'kept/a.txt': '1',
    'x.txt': '1',
  });
  await fs.symlink(path.join(outside, 'shared.py'), path.join(dir, 'shared.py'));
  await fs.symlink('x.txt', path.join(dir, 'link'));
  const source = { path: dir, excludes: [] };
  const sent = stampsOf((await sourceItems(source))?.items ?? []);
  const copied = await tempFolder({ file: '2', 'folder/new.txt': '2', 'shared.py': '2', link: '2', 'x.txt': '1' });
  await writeFiles(dir, { 'kept/mine.txt': 'mine' });
  await takeChanges(source, copied, sent);
  const names = (await fs.readdir(dir, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
  const expected = ['file', 'folder', 'folder/new.txt', 'kept', 'kept/mine.txt', 'link', 'shared.py', 'x.txt'];
  expect(names.toSorted()).toEqual(expected);
  for (const name of ['file', 'folder/new.txt', 'link', 'shared.py'])
    expect(await fs.readFile(path.join(dir, name), 'utf8')).toBe('2');
  expect(await fs.readFile(path.join(outside, 'shared.py'), 'utf8')).toBe('2');
  expect(await fs.readFile(path.join(dir, 'x.txt'), 'utf8')).toBe('1');
});

it('a link out of the source is sent as what it leads to, one within it as a link', async () => {
  const outside = await tempFolder({ 'shared.py': '1', 'lib/a.py': '1' });
  const dir = await tempFolder({ 'bin/tool.js': '1' });
  await fs.symlink('tool.js', path.join(dir, 'bin/tool'));
  await fs.symlink(path.join(outside, 'shared.py'), path.join(dir, 'shared.py'));
  await fs.symlink(path.join(outside, 'lib'), path.join(dir, 'lib'), 'junction');
  const items = (await sourceItems({ path: dir, excludes: [] }))?.items ?? [];
  expect(Object.fromEntries(items.map(({ name, kind }) => [name, kind]))).toEqual({
    bin: 'folder',
    'bin/tool': 'link',
    'bin/tool.js': 'file',
    'lib/a.py': 'file',
    'shared.py': 'file',
  });
});

it.each([
  ['fine', 5_000_123.25, 5_000_200, 5_000_300, true],
  ['coarse, and the file was just saved', 5_000_000, 5_000_800, 5_000_900, false],
  ['coarse, and the file was saved a while ago', 5_000_000, 5_003_000, 5_004_000, true],
])('whether a file looks unchanged where the clock of the file system is %s', (_, time, once, again, same) => {
  const values = { mode: 0o100644, size: 7, mtimeMs: time, ctimeMs: time, ino: 3 };
  expect(stampOf(values, once) === stampOf(values, again)).toBe(same);
});
