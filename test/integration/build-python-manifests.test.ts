import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, pathWith } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { localPackage, startIndex } from '../support/python-packages.ts';
import type { TinyPackage } from '../support/python-packages.ts';
import { pythonEnv, pythonTemplate } from '../support/python-env.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const thing: TinyPackage = { name: 'thing', version: '1.0', files: { 'thing.py': 'X = 1\n' } };
const other: TinyPackage = { name: 'other', version: '1.0', files: { 'other.py': 'X = 1\n' } };

const project = (dependencies: string, more = ''): string =>
  `[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = [${dependencies}]\n${more}`;

const packagesIn = async (app: BuiltApp): Promise<string[]> => {
  expect(app.failures).toEqual([]);
  return Object.keys(await app.files('Fn')).filter((name) => /^(thing|other)\.py$/.test(name));
};
const said = (app: BuiltApp): string[] =>
  app.result.notes.filter(({ level }) => level !== 'debug').map(({ level, text }) => `${level}: ${text}`);

describe('BuildMethod python-uv', () => {
  const script = '# /// script\n# requires-python = ">=3.9"\n# dependencies = ["thing"]\n# ///\nX = 1\n';
  it.each([
    ['requirements.txt', { 'requirements.txt': 'thing\n' }, ['thing.py'], []],
    ['pyproject.toml', { 'pyproject.toml': project('"thing"') }, ['thing.py'], []],
    [
      'both: requirements.txt, as with SAM CLI, and it is said',
      { 'requirements.txt': 'other\n', 'pyproject.toml': project('"thing"') },
      ['other.py'],
      ['info: installing requirements.txt, not pyproject.toml, as SAM CLI does; remove one of the two'],
    ],
    [
      'requirements.txt beside a pyproject.toml of tools',
      { 'requirements.txt': 'other\n', 'pyproject.toml': '[tool.black]\nline-length = 99\n' },
      ['other.py'],
      [],
    ],
    [
      'dependency groups, which are for development',
      { 'pyproject.toml': project('', '[dependency-groups]\ndev = ["thing"]\n') },
      [],
      ['info: dependency groups are not installed; list packages under dependencies of [project]'],
    ],
    [
      'dependencies and groups: the dependencies',
      { 'pyproject.toml': project('"other"', '[dependency-groups]\ndev = ["thing"]\n') },
      ['other.py'],
      [],
    ],
    ['the metadata of the handler’s script (PEP 723)', { 'app.py': script }, ['thing.py'], []],
    [
      'requirements-dev.txt, if there is nothing else',
      { 'requirements-dev.txt': 'thing\n' },
      ['thing.py'],
      [
        'info: installing requirements-dev.txt, because there is neither requirements.txt nor a [project] in pyproject.toml',
      ],
    ],
    [
      'nothing',
      {},
      [],
      [expect.stringMatching(/^warning: no packages are installed: .*neither requirements\.txt nor/)],
    ],
  ] as const)('installs %s', async (_what, files, installed, notes) => {
    const index = await startIndex([thing, other]);
    const own = Object.entries({ 'app.py': '', ...files }).map(([name, text]) => [`fn/${name}`, text]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      ...(Object.fromEntries(own) as Record<string, string>),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const app = await buildApp(dir, { env });
    expect(await packagesIn(app)).toEqual(installed);
    expect(said(app)).toEqual(notes);
  });

  it('an edit of a script installs again only if its metadata changes', async () => {
    const index = await startIndex([thing, other]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': script,
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    expect(await packagesIn(await buildApp(dir, { env }))).toEqual(['thing.py']);
    await writeFiles(dir, { 'fn/app.py': `${script}X = 2\n` });
    expect(await buildApp(dir, { env })).toMatchObject({ commands: [], outcomes: { Fn: 'done' } });
    await writeFiles(dir, { 'fn/app.py': script.replace('"thing"', '"other"') });
    expect(await packagesIn(await buildApp(dir, { env }))).toEqual(['other.py']);
  });

  it('commands of packages look for Python where they run', async () => {
    const index = await startIndex([{ ...thing, scripts: { run: 'thing:X' } }]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
      'fn/app.py': '',
      'fn/requirements.txt': 'thing\n',
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const files = await (await buildApp(dir, { env })).files('Fn');
    expect(files['bin/run']).toMatch(/^#!\/usr\/bin\/env python3\n/);
    const hash = createHash('sha256')
      .update(files['bin/run'] ?? '')
      .digest('base64url');
    expect(files['thing-1.0.dist-info/RECORD']?.split('\n')).toContain(
      `bin/run,sha256=${hash},${files['bin/run']?.length}`,
    );
  });
});

describe('what cannot run in Lambda', () => {
  const windows: TinyPackage = { ...thing, tag: 'cp313-cp313-win_amd64' };
  it.each([
    ['uv, requirements', 'python-uv', { 'fn/requirements.txt': 'thing==1.0\n' }],
    ['uv, project', 'python-uv', { 'fn/pyproject.toml': project('"thing"') }],
    ['pip', undefined, { 'fn/requirements.txt': 'thing==1.0\n' }],
  ])('%s: the message names package, version and platform, and what to do', async (_what, method, files) => {
    const index = await startIndex([windows]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { architecture: 'arm64', ...(method && { method }) }),
      'fn/app.py': '',
      ...(files as Record<string, string>),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const [failure] = (await buildApp(dir, { env })).failures;
    expect(failure?.message).toMatch(/\bthing\b.*\b1\.0\b|thing==1\.0/);
    expect(failure?.message).toContain('Python 3.13 on Linux arm64');
    expect(failure?.hint).toBeDefined();
  });
});

describe.skipIf(process.platform !== 'linux')('pip, where a package has no wheel', () => {
  const [here, there] = process.arch === 'x64' ? ['x86_64', 'aarch64'] : ['aarch64', 'x86_64'];
  const native = (machine: string, origin: string): TinyPackage => ({
    name: 'native',
    version: '1.0',
    files: { 'native.py': `ORIGIN = "${origin}"\n` },
    tag: `py3-none-manylinux2014_${machine}`,
  });
  const sourceOf = (name: string, value: string): TinyPackage => {
    const files = Object.entries(localPackage('x', name, { value })).map(([file, text]) => [file.slice(2), text]);
    return { name, version: '1.0', files: Object.fromEntries(files) as Record<string, string>, isSource: true };
  };

  it('the others still come from the indexes that the requirements name, and none by name that came by URL', async () => {
    const publicIndex = await startIndex([
      native(there, 'public'),
      { name: 'direct', version: '1.0', files: { 'direct/__init__.py': 'VALUE = "public"\n' } },
    ]);
    const privateIndex = await startIndex([
      native(here, 'private'),
      native(there, 'private'),
      sourceOf('plain', 'source'),
      sourceOf('direct', 'direct'),
    ]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { architecture: there === 'aarch64' ? 'arm64' : 'x86_64' }),
      'fn/app.py': '',
      'fn/requirements.txt': [
        `--index-url ${privateIndex.url}`,
        'native',
        'plain',
        `direct @ ${new URL('/files/direct-1.0.tar.gz', privateIndex.url).href}`,
        '',
      ].join('\n'),
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: publicIndex.url });
    const app = await buildApp(dir, { env });
    expect(app.failures).toEqual([]);
    expect(await app.files('Fn')).toMatchObject({
      'native.py': 'ORIGIN = "private"\n',
      'plain/__init__.py': 'VALUE = "source"\n',
      'direct/__init__.py': 'VALUE = "direct"\n',
    });
    expect(publicIndex.requests).toEqual([]);
  });
});

describe('requirements.txt', () => {
  it.each(['-r', '-c'])(
    '%s of a file that is not there is an error that names it, and is waited for',
    async (option) => {
      const index = await startIndex([thing]);
      const dir = await tempFolder({
        'template.yaml': pythonTemplate('fn'),
        'fn/app.py': '',
        'fn/requirements.txt': `${option} "../common/req.txt"\n`,
      });
      const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
      const app = await buildApp(dir, { env });
      const missing = path.join(dir, 'common/req.txt');
      expect(app.failures).toEqual([
        expect.objectContaining({
          message: `${path.join(dir, 'fn/requirements.txt')} includes ${missing}, which does not exist (${option} "../common/req.txt")`,
        }),
      ]);
      expect(app.inputs('Fn').map((input) => input.path)).toContain(missing);
      await writeFiles(dir, { 'common/req.txt': 'thing==1.0\n' });
      expect(await packagesIn(await buildApp(dir, { env }))).toEqual(option === '-r' ? ['thing.py'] : []);
    },
  );

  it('a file that is included as constraints and as requirements is installed', async () => {
    const index = await startIndex([thing]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn'),
      'fn/app.py': '',
      'fn/requirements.txt': '-c ../base.txt\n-r ../base.txt\n',
      'base.txt': 'thing==1.0\n',
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    expect(await packagesIn(await buildApp(dir, { env }))).toEqual(['thing.py']);
  });

  it('a folder that it names and is not there is waited for, wherever it may be meant', async () => {
    const index = await startIndex([thing]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn'),
      'fn/app.py': '',
      'fn/requirements.txt': '-e ./lib\n',
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const app = await buildApp(dir, { env });
    expect(app.failures).toHaveLength(1);
    expect(app.inputs('Fn').map((input) => path.relative(dir, input.path))).toEqual(
      expect.arrayContaining(['lib', 'fn/lib']),
    );
    await writeFiles(dir, localPackage('lib', 'lib', { value: 'there' }));
    expect(await (await buildApp(dir, { env })).files('Fn')).toMatchObject({ 'lib/__init__.py': 'VALUE = "there"\n' });
  });

  it('a local package that is for a newer Python than the one here is built all the same', async () => {
    const files = localPackage('lib', 'lib', { value: 'new' });
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { runtime: 'python3.14' }),
      'fn/app.py': '',
      'fn/requirements.txt': '../lib\n',
      ...files,
      'lib/pyproject.toml': (files['lib/pyproject.toml'] ?? '').replace('>=3.9', '>=3.14'),
    });
    const index = await startIndex([thing]);
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const app = await buildApp(dir, { env });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Fn'))).toContain('lib/__init__.py');
  });
});

it('what is not installed, and how it would be, is said once', async () => {
  const cases: Record<string, [Record<string, string>, RegExp]> = {
    poetry: [
      { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"\nsix = "1.17.0"\n' },
      /^\[tool\.poetry\.dependencies\] of pyproject\.toml names packages that are not installed: poetry is not on PATH; install/,
    ],
    pipenv: [
      { Pipfile: '[packages]\nsix = "==1.17.0"\n' },
      /^Pipfile names packages that are not installed: pipenv is not/,
    ],
    conda: [
      { 'environment.yml': 'name: x\ndependencies:\n  - six\n' },
      /^environment\.yml names packages that are not/,
    ],
    uv: [
      { 'pyproject.toml': project('"six"') },
      /^pyproject\.toml names packages that are not installed, because uv is not/,
    ],
    tools: [
      { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"\n', Pipfile: '[dev-packages]\nsix = "*"\n' },
      /^$/,
    ],
  };
  for (const [name, [files, text]] of Object.entries(cases)) {
    const own = Object.entries(files).map(([file, content]) => [`fn/${file}`, content]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn'),
      'fn/app.py': '',
      ...(Object.fromEntries(own) as Record<string, string>),
    });
    const none = await pathWith(path.join(dir, 'bin'), {});
    const app = await buildApp(dir, { env: { ...process.env, PATH: none } });
    expect(app.failures, name).toEqual([]);
    const notes = app.result.notes.filter(({ level }) => level === 'warning').map((note) => note.text);
    expect(notes, name).toEqual(text.source === '^$' ? [] : [expect.stringMatching(text)]);
  }
});
