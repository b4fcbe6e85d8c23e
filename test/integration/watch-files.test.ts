import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FileWatcher, FileWatcherOptions, OpenWatch } from '../../src/files/file-watcher.ts';
import { FolderWatcher } from '../../src/files/folder-watcher.ts';
import { openSystemWatch } from '../../src/files/open-watch.ts';
import { TreeWatcher } from '../../src/files/tree-watcher.ts';
import { poll } from '../support/cloud.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { openTreeWatch } from '../support/tree-watch.ts';

/** A watcher of everything but `node_modules` in the roots, and what it has told. */
function start(
  ground: string,
  roots: string[],
  more: Partial<FileWatcherOptions> & {
    Watcher?: new (options: FileWatcherOptions) => FileWatcher;
    since?: number;
  } = {},
) {
  const { Watcher = FolderWatcher, since, ...options } = more;
  const openWatch = Watcher === TreeWatcher ? openTreeWatch : undefined;
  const told = new Set<string>();
  const limits: string[] = [];
  const watcher = new Watcher({
    ground,
    onChange: ({ path: target }) => void told.add(path.relative(ground, target)),
    onLimit: ({ code }) => void limits.push(code),
    openWatch,
    ...options,
  });
  onTestFinished(() => watcher.close());
  const absolute = roots.map((root) => path.resolve(ground, root));
  const isWatched = (folder: string) =>
    !folder.includes('node_modules') && absolute.some((root) => folder === root || folder.startsWith(root + path.sep));
  watcher.watch({ roots: absolute, isWatched }, since);
  return {
    watcher,
    told,
    limits,
    /** Waits until all of these were told, and forgets what was told. */
    sees: async (...names: string[]) => {
      await poll(async () => (names.every((name) => told.has(name)) ? true : undefined), 5_000).catch(() => {});
      expect([...told]).toEqual(expect.arrayContaining(names));
      told.clear();
    },
  };
}

/** A system that never tells anything. */
const deaf: OpenWatch = () => ({ close: () => {} });

const write = (folder: string, name: string, text = String(Math.random())) => writeFiles(folder, { [name]: text });

describe.each([
  ['one watch for each folder', FolderWatcher],
  ['one watch for the tree', TreeWatcher],
])('watching, %s', (_name, Watcher) => {
  it('sees files written, made and removed, and nothing else', async () => {
    const dir = await tempFolder({ 'fn/app.py': '1', 'fn/sub/mod.py': '1', 'other/x': '1' });
    const { sees, told } = start(dir, ['fn'], { Watcher });
    await write(dir, 'fn/app.py');
    await sees('fn/app.py');
    await write(dir, 'fn/sub/new.py');
    await sees('fn/sub/new.py');
    await fs.rm(path.join(dir, 'fn/sub/mod.py'));
    await sees('fn/sub/mod.py');
    await write(dir, 'other/x');
    await write(dir, 'fn/app.py');
    await sees('fn/app.py');
    expect([...told].filter((name) => name.startsWith('other'))).toEqual([]);
  });

  it('sees a file that is saved by renaming', async () => {
    const dir = await tempFolder({ 'fn/app.py': '1' });
    const { sees } = start(dir, ['fn'], { Watcher });
    for (let round = 0; round < 3; round++) {
      await write(dir, 'fn/.app.py.tmp');
      await fs.rename(path.join(dir, 'fn/.app.py.tmp'), path.join(dir, 'fn/app.py'));
      await sees('fn/app.py');
    }
  });

  it('sees all files of a folder that is moved in, or made with everything in it at once', async () => {
    const dir = await tempFolder({ 'fn/app.py': '1' });
    const environment = await tempFolder({ 'lib/a/one.py': '1', 'lib/b/c/two.py': '1' });
    const { sees } = start(dir, ['fn'], { Watcher });
    await fs.rename(path.join(environment, 'lib'), path.join(dir, 'fn/lib'));
    await sees('fn/lib/a/one.py', 'fn/lib/b/c/two.py');
    await write(dir, 'fn/lib/b/c/two.py');
    await sees('fn/lib/b/c/two.py');
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`fn/deep/${n % 7}/${n % 3}/f${n}.py`, '1']));
    await writeFiles(dir, files);
    await sees(...Object.keys(files));
  });

  it('sees folders come into a folder of which only names count, also those that came before it was watched', async () => {
    const dir = await tempFolder({ 'mod/one/a': '1' });
    const { watcher, sees, told } = start(dir, ['other'], { Watcher });
    const since = Date.now() - 1000;
    const roots = [path.join(dir, 'mod'), path.join(dir, 'late')];
    watcher.watch({ roots, isWatched: (folder) => roots.includes(folder) }, since);
    await sees('mod/one');
    await fs.mkdir(path.join(dir, 'mod/two'));
    await sees('mod/two');
    await fs.rm(path.join(dir, 'mod/two'), { recursive: true });
    await sees('mod/two');
    await write(dir, 'late/three/b');
    await sees('late');
    expect([...told].filter((name) => /[ab]$/.test(name))).toEqual([]);
  });

  it('goes on after rm -r and re-creation, of a root too', async () => {
    const dir = await tempFolder({ 'apps/fn/app.py': '1', 'apps/fn/sub/mod.py': '1' });
    const { sees } = start(dir, ['apps/fn'], { Watcher });
    for (const gone of ['apps/fn/sub', 'apps/fn', 'apps']) {
      await fs.rm(path.join(dir, gone), { recursive: true });
      await sees(gone);
      await writeFiles(dir, { 'apps/fn/app.py': '2', 'apps/fn/sub/mod.py': '2' });
      await sees('apps/fn/sub/mod.py');
      await write(dir, 'apps/fn/sub/mod.py');
      await sees('apps/fn/sub/mod.py');
    }
  });

  it('sees a folder above the root renamed away and back', async () => {
    const dir = await tempFolder({ 'a/b/fn/app.py': '1' });
    const { sees } = start(dir, ['a/b/fn'], { Watcher });
    await fs.rename(path.join(dir, 'a'), path.join(dir, 'z'));
    await sees('a');
    await write(dir, 'z/b/fn/app.py');
    await fs.rename(path.join(dir, 'z'), path.join(dir, 'a'));
    await sees('a');
    await write(dir, 'a/b/fn/app.py');
    await sees('a/b/fn/app.py');
  });

  it('waits for roots that are not there yet', async () => {
    const dir = await tempFolder({});
    const { sees } = start(dir, ['later/template.yaml', 'even/later/src'], { Watcher });
    await write(dir, 'later/template.yaml');
    await sees('later/template.yaml');
    await write(dir, 'later/template.yaml');
    await sees('later/template.yaml');
    await write(dir, 'even/later/src/x.py');
    await sees('even/later/src/x.py');
  });

  it('waits for roots outside of the project too, and watches all of them from then on', async () => {
    const dir = await tempFolder({ 'app/x': '1', 'lib/here.ts': '1', 'out/y': '1' });
    const roots = ['../lib/here.ts', '../later', '../out/even/later'];
    const { sees } = start(path.join(dir, 'app'), roots, { Watcher });
    for (const root of ['later', 'out/even/later']) {
      for (let round = 0; round < 2; round++) {
        await write(dir, `${root}/deep/down/x.py`);
        await sees(`../${root}/deep/down/x.py`);
        await write(dir, `${root}/deep/down/x.py`);
        await sees(`../${root}/deep/down/x.py`);
        await write(dir, 'lib/here.ts');
        await sees('../lib/here.ts');
        await fs.rm(path.join(dir, root), { recursive: true });
        await sees(`../${root}`);
      }
    }
  });

  it('watches single files and what is outside the project', async () => {
    const dir = await tempFolder({
      'app/template.yaml': '1',
      'app/unrelated.txt': '1',
      'shared/lib/x.ts': '1',
      'one/y.ts': '1',
    });
    const { sees, told } = start(path.join(dir, 'app'), ['template.yaml', '../shared/lib', '../one/y.ts'], { Watcher });
    await write(dir, 'app/unrelated.txt');
    await write(dir, 'app/template.yaml');
    await write(dir, 'shared/lib/x.ts');
    await write(dir, 'one/y.ts');
    await poll(async () => (told.size >= 3 ? true : undefined));
    expect([...told].sort()).toEqual(['../one/y.ts', '../shared/lib/x.ts', 'template.yaml']);
    await sees();
  });

  it('sees changes behind links to files and folders', async () => {
    const dir = await tempFolder({ 'fn/app.py': '1', 'shared/util.py': '1', 'lib/deep/mod.py': '1' });
    await fs.symlink('../shared/util.py', path.join(dir, 'fn/util.py'));
    await fs.symlink('../lib', path.join(dir, 'fn/lib'));
    await fs.symlink('..', path.join(dir, 'fn/circle'));
    const { sees } = start(dir, ['fn'], { Watcher });
    await write(dir, 'shared/util.py');
    await sees('fn/util.py');
    await write(dir, 'lib/deep/mod.py');
    await sees('fn/lib/deep/mod.py');
    await fs.rm(path.join(dir, 'fn/util.py'));
    await sees('fn/util.py');
    await fs.symlink('../shared/util.py', path.join(dir, 'fn/util2.py'));
    await sees('fn/util2.py');
    await write(dir, 'shared/util.py');
    await sees('fn/util2.py');
  });

  it('sees changes of links that links lead through', async () => {
    const dir = await tempFolder({
      'fn/app.py': '1',
      'rel/v1/sh/d.txt': '1',
      'rel/v2/sh/d.txt': '2',
      'rel/v3/other': '',
    });
    const point = async (link: string, target: string): Promise<void> => {
      await fs.symlink(target, path.join(dir, `${link}.new`));
      await fs.rename(path.join(dir, `${link}.new`), path.join(dir, link));
    };
    await point('rel/current', 'v1');
    await point('fn/data', '../rel/current/sh');
    await point('fn/file.txt', '../rel/current/sh/d.txt');
    // the folder of the project may be one itself
    await point('app', 'rel/current');
    const { sees, told } = start(dir, ['fn', 'app/sh'], { Watcher });
    await point('rel/current', 'v2');
    await sees('fn/data', 'fn/data/d.txt', 'fn/file.txt', 'app/sh', 'app/sh/d.txt');
    await write(dir, 'rel/v2/sh/d.txt');
    await sees('fn/data/d.txt', 'fn/file.txt', 'app/sh/d.txt');
    await write(dir, 'rel/v1/sh/d.txt');
    await write(dir, 'fn/app.py');
    await sees('fn/app.py');
    expect(told).toEqual(new Set());
    // to nowhere, and back
    await point('rel/current', 'v3');
    await sees('fn/data', 'fn/file.txt', 'app/sh');
    await write(dir, 'rel/v3/sh/d.txt');
    await sees('fn/data/d.txt', 'fn/file.txt', 'app/sh/d.txt');
  });

  it('sees what a link leads to come, also if the link is new', async () => {
    const dir = await tempFolder({ 'fn/app.py': '1' });
    await fs.symlink('../later/one', path.join(dir, 'fn/one'));
    const { sees } = start(dir, ['fn'], { Watcher });
    await fs.symlink('../later/deep/two.py', path.join(dir, 'fn/two.py'));
    await sees('fn/two.py');
    await writeFiles(dir, { 'later/one/a.py': '1', 'later/deep/two.py': '1' });
    await sees('fn/one/a.py', 'fn/two.py');
    await write(dir, 'later/one/a.py');
    await write(dir, 'later/deep/two.py');
    await sees('fn/one/a.py', 'fn/two.py');
  });

  it('follows a change of what is watched, and tells what was changed in it before', async () => {
    const dir = await tempFolder({ 'one/a': '1', 'two/b': '1', 'two/old': '1', 'file.ts': '1', 'unread/c': '1' });
    const past = new Date(Date.now() - 60_000);
    await fs.utimes(path.join(dir, 'two/old'), past, past);
    const { watcher, sees, told } = start(dir, ['one'], { Watcher });
    // ctime tells that the past was made up, so what is old must be older than the moment
    const since = Date.now() + 5;
    await poll(async () => (Date.now() > since + 20 ? true : undefined));
    await write(dir, 'two/b');
    await write(dir, 'file.ts');
    await write(dir, 'unread/c');
    const roots = ['unread', 'two', 'file.ts'].map((name) => path.join(dir, name));
    const [unread, two] = roots;
    const isWatched = (folder: string): boolean => folder === two || folder === unread;
    watcher.watch({ roots, isWatched, wasRead: (root) => root !== unread }, since);
    await sees('two/b', 'file.ts');
    // it will be read from now on; the notification of a tree that is watched already may come late
    if (Watcher === FolderWatcher) expect(told.has('unread/c')).toBe(false);
    await write(dir, 'unread/c');
    await sees('unread/c');
    await write(dir, 'one/a');
    await write(dir, 'two/b');
    await sees('two/b');
    expect(told.has('one/a')).toBe(false);
    expect(told.has('two/old')).toBe(false);
  });
});

it('a tree is watched as such only where it is: not what leads there, and not around single files', async () => {
  const dir = await tempFolder({ 'app/x': '1', 'one/y.ts': '1', 'out/z': '1' });
  const open = new Set<string>();
  const openWatch: OpenWatch = (folder, { recursive }, listeners) => {
    const name = `${path.relative(dir, folder)}${recursive ? '/**' : ''}`;
    open.add(name);
    const handle = openTreeWatch(folder, { recursive }, listeners);
    return { close: () => (open.delete(name), handle.close()) };
  };
  const roots = ['.', '../one/y.ts', '../out/later/lib'];
  const { sees } = start(path.join(dir, 'app'), roots, { Watcher: TreeWatcher, openWatch });
  expect([...open].sort()).toEqual(['app/**', 'one', 'out']);
  await fs.mkdir(path.join(dir, 'out/later'));
  await sees('../out/later');
  expect([...open].sort()).toEqual(['app/**', 'one', 'out/later']);
  await write(dir, 'out/later/lib/deep/a.py');
  await sees('../out/later/lib/deep/a.py');
  expect([...open].sort()).toEqual(['app/**', 'one', 'out/later/**']);
  await fs.rm(path.join(dir, 'out/later/lib'), { recursive: true });
  await sees('../out/later/lib');
  expect([...open].sort()).toEqual(['app/**', 'one', 'out/later']);
  await fs.rm(path.join(dir, 'out/later'), { recursive: true });
  await write(dir, 'out/later/lib/deep/a.py');
  await sees('../out/later/lib/deep/a.py');
});

describe('watching on Linux', () => {
  it('knows which files are new', async () => {
    const dir = await tempFolder({ 'fn/app.py': '1' });
    const changes = new Map<string, boolean | undefined>();
    const watcher = new FolderWatcher({
      ground: dir,
      // the first notification of each
      onChange: ({ path: target, isNew }) =>
        void changes.set(path.basename(target), changes.get(path.basename(target)) ?? isNew),
      onLimit: () => {},
    });
    onTestFinished(() => watcher.close());
    watcher.watch({ roots: [path.join(dir, 'fn')], isWatched: () => true });
    await write(dir, 'fn/app.py');
    await write(dir, 'fn/new.py');
    await poll(async () => (changes.size === 2 ? true : undefined));
    expect([...changes]).toEqual(
      expect.arrayContaining([
        ['app.py', false],
        ['new.py', true],
      ]),
    );
  });

  it('needs no more watches than folders, and none in what is excluded', async () => {
    const files: Record<string, string> = {};
    for (let n = 0; n < 200; n++) files[`src/d${n % 20}/f${n}.py`] = '';
    for (let n = 0; n < 200; n++) files[`src/node_modules/p${n}/index.js`] = '';
    const dir = await tempFolder(files);
    const { watcher } = start(dir, ['src']);
    expect(watcher.folders).toBe(1 + 20 + 1); // src, its folders, the project
  });

  it('without more watches to have says so once and looks regularly', async () => {
    const dir = await tempFolder({ 'fn/a/one.py': '1', 'fn/b/two.py': '1', 'fn/c/three.py': '1' });
    let left = 2;
    const openWatch: OpenWatch = (...args) => {
      if (left-- > 0) return openSystemWatch(...args);
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    const { sees, limits } = start(dir, ['fn'], { openWatch, pollMs: 20 });
    await write(dir, 'fn/a/one.py');
    await write(dir, 'fn/b/two.py');
    await sees('fn/a/one.py', 'fn/b/two.py');
    await write(dir, 'fn/c/new/four.py');
    await sees('fn/c/new/four.py');
    await fs.rm(path.join(dir, 'fn/c'), { recursive: true });
    await sees('fn/c');
    await write(dir, 'fn/c/three.py');
    await sees('fn/c/three.py');
    expect(limits).toEqual(['ENOSPC']);
  });

  it('takes a late notification of a folder that is a file by now', async () => {
    const dir = await tempFolder({ 'fn/k/one.py': '1' });
    const late = new Map<string, (name: string) => void>();
    const openWatch: OpenWatch = (folder, _, { onEvent }) => {
      late.set(folder, (name) => onEvent(name, 'rename'));
      return { close: () => {} };
    };
    const { sees } = start(dir, ['fn'], { openWatch });
    await fs.rm(path.join(dir, 'fn/k'), { recursive: true });
    await write(dir, 'fn/k');
    late.get(path.join(dir, 'fn/k'))?.('one.py');
    await sees('fn/k/one.py');
    late.get(path.join(dir, 'fn'))?.('k');
    await sees('fn/k');
  });

  it('finds with a rescan what no notification told', async () => {
    const dir = await tempFolder({ 'fn/a/one.py': '1' });
    const { watcher, sees } = start(dir, ['fn'], { openWatch: deaf });
    await write(dir, 'fn/b/two.py');
    await fs.rm(path.join(dir, 'fn/a/one.py'));
    watcher.rescan();
    await sees('fn/b/two.py', 'fn/a/one.py');
  });
});
