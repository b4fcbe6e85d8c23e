import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { startIndex } from '../support/python-packages.ts';
import type { TinyPackage } from '../support/python-packages.ts';
import { pythonEnv, pythonTemplate } from '../support/python-env.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { uvFolder } from '../support/uv.ts';

const hashed = (tiny: TinyPackage): TinyPackage => ({ ...tiny, hashed: true });
const PACKAGES = [
  hashed({
    name: 'thing',
    version: '1.0',
    files: {
      'thing/__init__.py': 'X = 1\n',
      'thing/a b.txt': 'x\n',
      'thing-1.0.data/purelib/more.py': 'Y = 1\n',
      'thing-1.0.data/scripts/tool': '#!python\nprint(1)\n',
    },
    scripts: { thing: 'thing:X' },
    requires: ['other>=1', 'windows ; sys_platform == "win32"'],
  }),
  hashed({ name: 'thing', version: '2.0', files: { 'thing/__init__.py': 'X = 2\n' } }),
  hashed({ name: 'other', version: '1.5', files: { 'other.py': 'Z = 1\n' } }),
  // without hashes there is nothing to compare uv's cache with
  { name: 'unhashed', version: '1.0', files: { 'unhashed.py': 'X = 1\n' } },
];

/** Builds one function. `PATH` with the pinned uv, or without any. */
async function build(
  requirements: string,
  how: { uv: boolean; index: string; caches?: string; more?: Record<string, string> },
) {
  const dir = await tempFolder({
    'template.yaml': pythonTemplate('src'),
    'src/app.py': 'def handler(event, context): pass\n',
    'src/requirements.txt': requirements,
  });
  const { uv, index, caches = await tempFolder(), more = {} } = how;
  const env = await pythonEnv({
    caches,
    more: {
      ...(uv
        ? {}
        : {
            PATH: (process.env['PATH'] ?? '')
              .split(path.delimiter)
              .filter((folder) => folder !== uvPath)
              .join(path.delimiter),
          }),
      HOME: caches,
      PIP_INDEX_URL: index,
      ...more,
    },
  });
  const app = await buildApp(dir, { env });
  const tools = new Set(
    app.commands.map((line) => (line.startsWith('uv ') ? 'uv' : line.includes('pip download') ? 'pip' : line)),
  );
  return { app, tools: [...tools], files: app.failures.length === 0 ? await app.files('Fn') : {} };
}
const uvPath = await uvFolder();

describe('requirements.txt, with uv on PATH', () => {
  it('is installed by uv, with the files that pip installs', async () => {
    const { url: index } = await startIndex(PACKAGES);
    const text = '# plain\nthing[extra] ~= 1.0 ; python_version >= "3.9"\nwindows; sys_platform == "win32"\n';
    const byUv = await build(text, { uv: true, index });
    const byPip = await build(text, { uv: false, index });
    expect(byUv.tools).toEqual(['uv']);
    expect(byPip.tools).toEqual(['pip']);
    expect(byUv.files).toMatchObject({ 'thing/__init__.py': 'X = 1\n', 'more.py': 'Y = 1\n', 'other.py': 'Z = 1\n' });
    expect(byUv.files).toEqual(byPip.files);
  });

  it('is left to pip when uv cannot do it as pip does, and pip reports what fails', async () => {
    const { url: index } = await startIndex(PACKAGES);
    const unhashed = await build('unhashed\n', { uv: true, index });
    expect(unhashed).toMatchObject({ tools: ['uv', 'pip'], files: { 'unhashed.py': 'X = 1\n' } });
    const { app } = await build('missing==1.0\n', { uv: true, index });
    expect(app.failures).toMatchObject([{ message: expect.stringContaining('pip download failed') }]);
  });

  it('is installed as the wheels have it, whatever another environment wrote into the cache of uv', async () => {
    const { url: index } = await startIndex(PACKAGES);
    const edits: ((root: string) => Promise<void>)[] = [
      (root) => fs.appendFile(path.join(root, 'other.py'), '# edited\n'),
      (root) => fs.writeFile(path.join(root, 'new.py'), ''),
      (root) => fs.rm(path.join(root, 'other.py')),
    ];
    for (const edit of edits) {
      const caches = await tempFolder();
      const first = await build('other\n', { uv: true, index, caches });
      const archives = path.join(caches, 'uv', 'archive-v0');
      for (const name of await fs.readdir(archives)) {
        const root = path.join(archives, name);
        if ((await fs.readdir(root)).includes('other.py')) await edit(root);
      }
      const second = await build('other\n', { uv: true, index, caches });
      expect([first.tools, second.tools]).toEqual([['uv'], ['uv', 'pip']]);
      expect(second.files).toEqual(first.files);
    }
  });
});
