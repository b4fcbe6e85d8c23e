import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { localPackage, startIndex, writeWheel } from '../support/python-packages.ts';
import type { TinyPackage } from '../support/python-packages.ts';
import { pythonEnv, pythonTemplate } from '../support/python-env.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

type Env = Record<string, string | undefined>;

const uvLock = (dir: string, env: Env, ...args: string[]): Promise<unknown> =>
  promisify(execFile)('uv', ['lock', '--quiet', ...args], { cwd: dir, env: env });

/** A package that says where it comes from. */
const from = (origin: string, version = '1.0'): TinyPackage => ({
  name: 'thing',
  version,
  files: { 'thing.py': `ORIGIN = "${origin}"\n` },
});

const project = (dependencies: readonly string[], more = ''): string =>
  `[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ${JSON.stringify(dependencies)}\n${more}`;

const origin = async (app: BuiltApp): Promise<string | undefined> => {
  expect(app.failures).toEqual([]);
  return (await app.files('Fn'))['thing.py'];
};

const ownIndex = (url: string): string =>
  `[tool.uv.sources]\nthing = { index = "own" }\n[[tool.uv.index]]\nname = "own"\nurl = "${url}"\nexplicit = true\n`;

describe('uv takes each package from where the project has it', () => {
  it.each([true, false])('a private index, with a public package of the same name (lock: %s)', async (locked) => {
    const [publicIndex, privateIndex] = await Promise.all([
      startIndex([from('public')]),
      startIndex([from('private')]),
    ]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['thing==1.0'], ownIndex(privateIndex.url)),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: publicIndex.url });
    if (locked) await uvLock(path.join(dir, 'fn'), env);
    expect(await origin(await buildApp(dir, { env }))).toContain('private');
    expect(publicIndex.requests.filter((request) => request.includes('thing'))).toEqual([]);
    expect((await fs.readdir(path.join(dir, 'fn'))).includes('uv.lock')).toBe(locked);
  });

  it.each([true, false])('an index that wants a login, which is in the environment (lock: %s)', async (locked) => {
    const index = await startIndex([from('private')], 'aws:token');
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['thing'], ownIndex(index.url)),
    });
    const login = { UV_INDEX_OWN_USERNAME: 'aws', UV_INDEX_OWN_PASSWORD: 'token' };
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url, more: login });
    if (locked) await uvLock(path.join(dir, 'fn'), env);
    expect(await origin(await buildApp(dir, { env }))).toContain('private');
    // a new token installs nothing again
    const renewed = { ...env, UV_INDEX_OWN_PASSWORD: 'another' };
    expect(await buildApp(dir, { env: renewed })).toMatchObject({ commands: [], failures: [] });
  });

  it('the settings of a project without a lock count: constraints, overrides, a folder of wheels', async () => {
    const index = await startIndex([from('1', '1.0'), from('2', '2.0'), from('3', '3.0')]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['thing'], '[tool.uv]\nconstraint-dependencies = ["thing<3"]\n'),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    expect(await origin(await buildApp(dir, { env }))).toContain('"2"');
    await writeFiles(dir, {
      'fn/pyproject.toml': project(['thing==3.0'], '[tool.uv]\noverride-dependencies = ["thing==1.0"]\n'),
    });
    expect(await origin(await buildApp(dir, { env }))).toContain('"1"');
    await writeWheel(path.join(dir, 'wheels'), from('folder', '9.0'));
    const flat = '[[tool.uv.index]]\nname = "own"\nurl = "../wheels"\nformat = "flat"\n';
    await writeFiles(dir, { 'fn/pyproject.toml': project(['thing'], flat) });
    const app = await buildApp(dir, { env });
    expect(await origin(app)).toContain('folder');
    expect(app.inputs('Fn').map((input) => input.path)).toContain(path.join(dir, 'wheels'));
    await writeWheel(path.join(dir, 'wheels'), from('newer', '9.1'));
    expect(await origin(await buildApp(dir, { env }))).toContain('newer');
  });

  it.each([
    ['beside the project', 'fn/uv.toml'],
    ['of the user', 'config/uv/uv.toml'],
  ])('uv.toml %s counts, and a change of it', async (_where, file) => {
    const [one, two] = await Promise.all([startIndex([from('one')]), startIndex([from('two')])]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['thing']),
      [file]: `[[index]]\nurl = "${one.url}"\ndefault = true\n`,
    });
    const more = { XDG_CONFIG_HOME: path.join(dir, 'config') };
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), more });
    expect(await origin(await buildApp(dir, { env }))).toContain('one');
    await writeFiles(dir, { [file]: `[[index]]\nurl = "${two.url}"\ndefault = true\n` });
    expect(await origin(await buildApp(dir, { env }))).toContain('two');
  });
});

describe('uv.lock decides', () => {
  it('refuses a package whose hash is another', async () => {
    const index = await startIndex([from('public')]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['thing']),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    await uvLock(path.join(dir, 'fn'), env);
    const lock = path.join(dir, 'fn/uv.lock');
    await fs.writeFile(lock, (await fs.readFile(lock, 'utf8')).replace(/sha256:\w+/g, `sha256:${'2'.repeat(64)}`));
    expect((await buildApp(dir, { env })).failures).toEqual([
      expect.objectContaining({ message: expect.stringContaining('Hash mismatch for `thing==1.0`') }),
    ]);
  });

  it('also when the index has a newer version, and says so when the project asks for something else', async () => {
    const index = await startIndex([from('1', '1.0'), from('2', '2.0')]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['Thing >=1.0, <3']),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    await uvLock(path.join(dir, 'fn'), env, '--upgrade-package', 'thing==1.0');
    const app = await buildApp(dir, { env });
    expect(await origin(app)).toContain('"1"');
    expect(app.result.notes.filter(({ level }) => level === 'warning')).toEqual([]);
    await writeFiles(dir, { 'fn/pyproject.toml': project(['thing>=2', 'other']) });
    const stale = await buildApp(dir, { env });
    expect(await origin(stale)).toContain('"1"');
    expect(stale.result.notes).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        text: expect.stringMatching(/uv\.lock does not match pyproject\.toml \(thing>=2, other\).*Run uv lock/),
      }),
    );
  });

  it('a lock for another Python than the function’s is an error that names both', async () => {
    const index = await startIndex([from('public')]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv', runtime: 'python3.9' }),
      'fn/app.py': '',
      'fn/pyproject.toml': project(['thing']).replace('>=3.9', '>=3.11'),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const message = 'pyproject.toml is for Python >=3.11, and Fn runs on Python 3.9';
    expect((await buildApp(dir, { env })).failures).toEqual([expect.objectContaining({ message })]);
    await uvLock(path.join(dir, 'fn'), env);
    expect((await buildApp(dir, { env })).failures).toEqual([
      expect.objectContaining({ message: message.replace('pyproject.toml', 'uv.lock') }),
    ]);
  });

  it('of a workspace for its members, in any depth, and for no one else', async () => {
    const index = await startIndex([from('1', '1.0'), from('2', '2.0')]);
    const member = project(['thing']);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('apps/deep/member', { method: 'python-uv' }),
      'pyproject.toml': '[tool.uv.workspace]\nmembers = ["apps/*/*", "lone"]\nexclude = ["apps/deep/other"]\n',
      'apps/deep/member/pyproject.toml': member,
      'apps/deep/member/app.py': '',
      'apps/deep/other/pyproject.toml': member.replace('"app"', '"other"'),
      'apps/deep/other/app.py': '',
      'apps/deep/member/nested/pyproject.toml': member.replace('"app"', '"nested"'),
      'apps/deep/member/nested/app.py': '',
      'lone/pyproject.toml': member.replace('"app"', '"lone"'),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    await uvLock(dir, env, '--upgrade-package', 'thing==1.0');
    const found: Record<string, string | undefined> = {};
    for (const place of ['apps/deep/member', 'apps/deep/other', 'apps/deep/member/nested']) {
      await writeFiles(dir, { 'template.yaml': pythonTemplate(place, { method: 'python-uv' }) });
      found[place] = await origin(await buildApp(dir, { env }));
    }
    expect(found).toEqual({
      'apps/deep/member': expect.stringContaining('"1"'),
      'apps/deep/other': expect.stringContaining('"2"'),
      'apps/deep/member/nested': expect.stringContaining('"2"'),
    });
  });
});

it('what a requirements file says by hash is refused from elsewhere, also beside a folder', async () => {
  const [right, wrong] = await Promise.all([startIndex([from('right')]), startIndex([from('wrong')])]);
  const dir = await tempFolder({
    'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
    'fn/app.py': '',
    ...localPackage('lib', 'lib', { value: 'a' }),
  });
  const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: right.url });
  const [hash] = /[0-9a-f]{64}/.exec(await (await fetch(`${right.url}thing/`)).text()) ?? [];
  await writeFiles(dir, { 'fn/requirements.txt': `thing==1.0 --hash=sha256:${hash}\n../lib\n` });
  expect(await origin(await buildApp(dir, { env }))).toContain('right');
  const elsewhere = await pythonEnv({ caches: path.join(dir, 'other-caches'), index: wrong.url });
  expect((await buildApp(dir, { env: elsewhere })).failures).toEqual([
    expect.objectContaining({ message: expect.stringContaining('thing: no file of the index has a hash') }),
  ]);
});
