import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { uvFolder } from '../support/uv.ts';

/** A template of python functions: logical id → folder, or more properties. */
function template(functions: Record<string, string>, runtime = 'python3.13'): string {
  const resources = Object.entries(functions).map(
    ([id, properties]) =>
      `  ${id}: { Type: 'AWS::Serverless::Function', Properties: { ${properties.includes(':') ? properties : `CodeUri: ${properties}`} } }`,
  );
  return `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: ${runtime}, Handler: app.handler } }
Resources:
${resources.join('\n')}
`;
}

describe('pip', () => {
  it('installs wheels as they are, leaves out what is no source, and builds nothing twice', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b' }),
      'a/requirements.txt': 'idna==3.10  # a comment\n',
      'a/app.py': 'A',
      'a/lib/x.py': 'X',
      'a/lib/__pycache__/x.pyc': '',
      'a/.env': 'SECRET',
      'a/venv/y': '',
      'b/requirements.txt': '\nidna==3.10\n',
      'b/app.py': 'B',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const files = await app.files('A');
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(['app.py', 'lib/x.py', 'requirements.txt', 'idna/core.py', 'idna-3.10.dist-info/RECORD']),
    );
    expect(Object.keys(files).filter((name) => /pyc|\.env|venv|INSTALLER|REQUESTED|direct_url/.test(name))).toEqual([]);
    expect((await app.files('B'))['app.py']).toBe('B');
    // the same packages by another text in another folder: installed once, stored once
    expect(app.commands.filter((line) => line.includes('pip download'))).toHaveLength(1);
    const [one, two] = await Promise.all(
      ['A', 'B'].map((id) => fs.stat(path.join(app.result.folders.get(id)!.path, 'idna/core.py'))),
    );
    expect(one?.ino).toBe(two?.ino);

    const again = await buildApp(dir);
    expect(again).toMatchObject({ commands: [], outcomes: { A: 'unchanged', B: 'unchanged' } });

    await writeFiles(dir, { 'a/app.py': 'A2' });
    const edited = await buildApp(dir);
    expect(edited).toMatchObject({ commands: [], outcomes: { A: 'done', B: 'unchanged' } });
    expect((await edited.files('A'))['app.py']).toBe('A2');
    expect((await edited.files('A'))['idna/core.py']).toBe(files['idna/core.py']);
  });

  it('installs again when the manifest, or a file that it includes, asks for something else', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/requirements.txt': '-r more.txt\n-c limits.txt\n',
      'a/more.txt': 'idna\n',
      'a/limits.txt': 'idna==3.7\n',
      'a/app.py': '',
    });
    expect(Object.keys(await (await buildApp(dir)).files('A'))).toContain('idna-3.7.dist-info/METADATA');
    await writeFiles(dir, { 'a/limits.txt': 'idna==3.6\n' });
    const app = await buildApp(dir);
    expect(Object.keys(await app.files('A')).filter((name) => name.endsWith('/METADATA'))).toEqual([
      'idna-3.6.dist-info/METADATA',
    ]);
    expect(app.inputs('A').map((input) => path.relative(dir, input.path))).toEqual(
      expect.arrayContaining(['a', 'a/more.txt', 'a/limits.txt']),
    );
  });

  it('takes wheels and markers for the function’s Python and processor, whatever this machine has', async () => {
    const dir = await tempFolder({
      'template.yaml': template({
        Old: 'CodeUri: f, Runtime: python3.9',
        Arm: 'CodeUri: f, Runtime: python3.13, Architectures: [arm64]',
      }),
      'f/requirements.txt': [
        'markupsafe==3.0.2',
        'idna==3.10; python_version < "3.10"',
        'six==1.17.0; python_version >= "3.10" and platform_machine == "aarch64"',
        'colorama; sys_platform == "win32"',
      ].join('\n'),
      'f/app.py': '',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const [old, arm] = [Object.keys(await app.files('Old')), Object.keys(await app.files('Arm'))];
    expect(old).toEqual(
      expect.arrayContaining(['idna/core.py', 'markupsafe/_speedups.cpython-39-x86_64-linux-gnu.so']),
    );
    expect(arm).toEqual(expect.arrayContaining(['six.py', 'markupsafe/_speedups.cpython-313-aarch64-linux-gnu.so']));
    expect([...old.filter((name) => name === 'six.py'), ...arm.filter((name) => name.startsWith('idna/'))]).toEqual([]);
    expect([...old, ...arm].filter((name) => name.startsWith('colorama/'))).toEqual([]);
  });

  it('builds what has no wheel from source', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/requirements.txt': 'docopt==0.6.2\n',
      'a/app.py': '',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(await app.files('A')).toMatchObject({ 'docopt.py': expect.stringContaining('docopt') });
  });

  it('builds local packages, again when they change', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/requirements.txt': '../shared\n',
      'a/app.py': '',
      'shared/pyproject.toml':
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "shared"\nversion = "0.1"\n',
      'shared/shared/__init__.py': 'VALUE = 1',
      'shared/shared/gone.py': '',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(await app.files('A')).toMatchObject({ 'shared/__init__.py': 'VALUE = 1' });
    expect(app.inputs('A').map((input) => path.relative(dir, input.path))).toContain('shared');
    expect(await buildApp(dir)).toMatchObject({ commands: [] });
    await writeFiles(dir, { 'shared/shared/__init__.py': 'VALUE = 2' });
    await fs.rm(path.join(dir, 'shared/shared/gone.py'));
    const edited = await (await buildApp(dir)).files('A');
    expect(edited).toMatchObject({ 'shared/__init__.py': 'VALUE = 2' });
    // setuptools keeps what it built before in the source, and takes it from there
    expect(Object.keys(edited)).not.toContain('shared/gone.py');
    expect((await fs.readdir(path.join(dir, 'shared'))).sort()).toEqual(['pyproject.toml', 'shared']);
  });

  it('refuses a folder that is no Python project without reading what it holds', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/requirements.txt': '../shared\n',
      'a/app.py': '',
      'shared/app.py': '',
    });
    const app = await buildApp(dir);
    const shared = path.join(dir, 'shared');
    expect(app.failures.map(({ message }) => message)).toEqual([
      `${shared} cannot be installed: it has neither pyproject.toml nor setup.py`,
    ]);
    // one of them may come; everything below a folder such as `..` would be hashed and watched
    const inputs = app.inputs('A').map((input) => path.relative(dir, input.path));
    expect(inputs).toEqual(expect.arrayContaining(['shared/pyproject.toml', 'shared/setup.py']));
    expect(inputs).not.toContain('shared');
  });

  it('defect 12: a manifest without packages installs nothing, ever', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b' }),
      'a/requirements.txt': '# nothing yet\n\n--index-url https://pypi.org/simple\n',
      'a/app.py': '',
      'b/app.py': '',
    });
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(app).toMatchObject({ commands: [], failures: [] });
    expect(app.result.dependencyLayers.size).toBe(0);
    expect(app.result.notes.map(({ ids, text }) => `${ids.join()}: ${text}`).sort()).toEqual([
      'A: no dependency layer: there are no packages to put into it',
      'B: no dependency layer: there are no packages to put into it',
    ]);
  });

  it('tells what pip said, whose packages they are, and finishes the other builds', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ Bad: 'bad', Good: 'good' }),
      'bad/requirements.txt': 'idna==99.99\n',
      'bad/app.py': '',
      'good/app.py': 'fine',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([
      expect.objectContaining({
        ids: ['Bad'],
        message: expect.stringContaining('pip download failed'),
        output: expect.stringContaining('idna==99.99'),
      }),
    ]);
    expect(app.outcomes).toEqual({ Bad: 'failed', Good: 'done' });
    expect(await app.files('Good')).toEqual({ 'app.py': 'fine' });
    expect(app.inputs('Bad')).toContainEqual(expect.objectContaining({ path: path.join(dir, 'bad') }));
    await writeFiles(dir, { 'bad/requirements.txt': 'idna==3.10\n' });
    expect((await buildApp(dir)).failures).toEqual([]);
  });

  it('says which tool is missing, for whom and how to get it; what needs none is built', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b' }),
      'a/requirements.txt': 'idna==3.10\n',
      'a/app.py': '',
      'b/app.py': '',
    });
    // version managers leave commands on PATH that only print that nothing is installed
    await writeFiles(dir, { 'bin/python3.13': '#!/bin/sh\nexit 127\n', 'bin/python3': '#!/bin/sh\nexit 127\n' });
    await Promise.all(['python3.13', 'python3'].map((name) => fs.chmod(path.join(dir, 'bin', name), 0o755)));
    const app = await buildApp(dir, { env: toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) }) });
    expect(app.outcomes).toEqual({ A: 'failed', B: 'done' });
    expect(app.failures).toEqual([
      expect.objectContaining({
        ids: ['A'],
        message: 'Python with pip is needed to install the packages of A, and there is none on PATH',
        hint: expect.stringContaining('Python 3.13'),
      }),
    ]);
  });

  it('an interrupted installation leaves nothing, and the next build is right', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/requirements.txt': 'idna==3.10\n',
      'a/app.py': 'A',
    });
    const stop = new AbortController();
    const interrupted = buildApp(dir, {
      signal: stop.signal,
      onEvent: (event) => event.type === 'tool-output' && stop.abort(new Error('stopped')),
    });
    await expect(interrupted).rejects.toThrow('stopped');
    const store = path.join(dir, '.aws-sam/sam-sync');
    expect(await fs.readdir(path.join(store, 'tmp'))).toEqual([]);
    expect(await fs.readdir(store)).not.toContain('deps');
    const app = await buildApp(dir);
    expect(await app.files('A')).toMatchObject({ 'app.py': 'A', 'idna/core.py': expect.any(String) });
  });

  it('two builds at once give the same', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/requirements.txt': 'idna==3.10\n',
      'a/app.py': 'A',
    });
    const [one, two] = await Promise.all([buildApp(dir), buildApp(dir)]);
    expect(one.result.folders.get('A')?.path).toBe(two.result.folders.get('A')?.path);
    expect(Object.keys(await one.files('A'))).toContain('idna/core.py');
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'a file that may not be read is said with its name',
    async () => {
      const dir = await tempFolder({ 'template.yaml': template({ A: 'a', B: 'b' }), 'a/app.py': '', 'b/app.py': '' });
      await fs.chmod(path.join(dir, 'a/app.py'), 0);
      expect((await buildApp(dir)).failures).toEqual([
        expect.objectContaining({ ids: ['A'], message: expect.stringContaining('a/app.py') }),
      ]);
    },
  );

  it('puts the source into its parent packages', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { ParentPackageMode: explicit, ParentPackages: app.api } }
    Properties: { CodeUri: app/api, Runtime: python3.13, Handler: app.api.main.handler }
`,
      'app/api/main.py': 'M',
    });
    expect(await (await buildApp(dir)).files('A')).toEqual({ 'app/api/main.py': 'M' });
  });
});

describe('dependency layer', () => {
  it('keeps packages apart, shared by all functions with the same ones', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b', C: 'c' }),
      'a/requirements.txt': 'idna==3.10\n',
      'a/app.py': 'A',
      'b/requirements.txt': 'idna==3.10\n',
      'b/app.py': 'B',
      'c/app.py': 'C',
    });
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(await app.files('A')).toEqual({ 'app.py': 'A', 'requirements.txt': 'idna==3.10\n' });
    expect(Object.keys(await app.layerFiles('A'))).toContain('python/idna/core.py');
    expect(app.result.dependencyLayers.get('A')?.path).toBe(app.result.dependencyLayers.get('B')?.path);
    expect([...app.result.dependencyLayers.keys()].sort()).toEqual(['A', 'B']);
    expect(app.builtEarly).toEqual(expect.arrayContaining(['dependencies A', 'code A', 'code C']));
    // a change of code alone touches no dependencies
    await writeFiles(dir, { 'a/app.py': 'A2' });
    const edited = await buildApp(dir, { dependencyLayer: true });
    expect(edited.commands).toEqual([]);
    expect(edited.result.dependencyLayers.get('A')).toMatchObject({ cached: true });
  });

  it('defect 9: functions that swap their manifests swap their layers', async () => {
    const manifests = { 'a/requirements.txt': 'idna==3.10\n', 'b/requirements.txt': 'six==1.17.0\n' };
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b' }),
      'a/app.py': 'A',
      'b/app.py': 'B',
      ...manifests,
    });
    const before = await buildApp(dir, { dependencyLayer: true });
    await writeFiles(dir, { 'a/requirements.txt': 'six==1.17.0\n', 'b/requirements.txt': 'idna==3.10\n' });
    const after = await buildApp(dir, { dependencyLayer: true });
    expect(Object.keys(await after.layerFiles('A'))).toContain('python/six.py');
    expect(Object.keys(await after.layerFiles('B'))).toContain('python/idna/core.py');
    expect(after.result.dependencyLayers.get('A')?.path).toBe(before.result.dependencyLayers.get('B')?.path);
    expect(after.commands).toEqual([]);
  });
});

it('a layer with a BuildMethod has its packages and its own modules in python/', async () => {
  const dir = await tempFolder({
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: python3.13 }
    Properties: { ContentUri: l, CompatibleRuntimes: [python3.13] }
`,
    'l/requirements.txt': 'six==1.17.0\n',
    'l/mine.py': 'M',
  });
  const files = await (await buildApp(dir, { dependencyLayer: true })).files('L');
  expect(files).toMatchObject({ 'python/mine.py': 'M', 'python/six.py': expect.any(String) });
});

/** A template of one function for arm64, with more on its level. */
function method(properties: string): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Function
    ${properties}
    Properties: { CodeUri: a, Handler: app.h, Runtime: python3.13, Architectures: [arm64] }
`;
}

describe('uv', () => {
  let bin: string | undefined;
  beforeAll(async () => {
    bin = await uvFolder();
  });
  const withUv = (): Record<string, string | undefined> =>
    toolEnv({ PATH: `${bin}${path.delimiter}${process.env['PATH']}` });
  const project =
    '[project]\nname = "p"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ["markupsafe==3.0.2"]\n';
  it.each([
    ['a project by itself', '', { 'a/pyproject.toml': project }],
    ['a project by BuildMethod', 'Metadata: { BuildMethod: python-uv }', { 'a/pyproject.toml': project }],
    [
      'requirements by BuildMethod',
      'Metadata: { BuildMethod: python-uv }',
      { 'a/requirements.txt': 'markupsafe==3.0.2\n' },
    ],
  ])('installs %s for Lambda', async (_what, properties, files) => {
    expect(bin, 'uv from PyPI').toBeDefined();
    const dir = await tempFolder({
      'template.yaml': method(properties),
      'a/app.py': 'A',
      ...(files as Record<string, string>),
    });
    const app = await buildApp(dir, { env: withUv() });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('A'))).toContain('markupsafe/_speedups.cpython-313-aarch64-linux-gnu.so');
    expect(await fs.readdir(path.join(dir, 'a'))).not.toContain('uv.lock');
    expect(await buildApp(dir, { env: withUv() })).toMatchObject({ commands: [] });
  });

  it('installs what uv.lock says', async () => {
    const dir = await tempFolder({
      'template.yaml': method(''),
      'a/app.py': '',
      'a/pyproject.toml': project.replace('markupsafe==3.0.2', 'idna'),
    });
    const { execFileSync } = await import('node:child_process');
    const lock = (...args: string[]): void =>
      void execFileSync(path.join(bin!, 'uv'), ['lock', '--quiet', '--no-python-downloads', ...args], {
        cwd: path.join(dir, 'a'),
      });
    lock('--upgrade-package', 'idna==3.6');
    const app = await buildApp(dir, { env: withUv() });
    expect(Object.keys(await app.files('A'))).toContain('idna-3.6.dist-info/METADATA');
    lock('--upgrade-package', 'idna==3.7');
    expect(Object.keys(await (await buildApp(dir, { env: withUv() })).files('A'))).toContain(
      'idna-3.7.dist-info/METADATA',
    );
  });

  it('a pyproject.toml that only configures tools is no project; one with packages needs uv', async () => {
    const dir = await tempFolder({
      'template.yaml': method(''),
      'a/app.py': '',
      'a/pyproject.toml': '[tool.black]\nline-length = 100\n',
    });
    const env = toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) });
    expect((await buildApp(dir, { env })).result.notes).toEqual([]);
    await writeFiles(dir, { 'a/pyproject.toml': project });
    const { result } = await buildApp(dir, { env });
    expect(result.notes).toEqual([
      expect.objectContaining({ level: 'warning', text: expect.stringContaining('uv is not on PATH') }),
    ]);
  });

  it('BuildMethod python-uv without uv says how to get it', async () => {
    const dir = await tempFolder({
      'template.yaml': method('Metadata: { BuildMethod: python-uv }'),
      'a/app.py': '',
      'a/pyproject.toml': project,
    });
    const app = await buildApp(dir, { env: toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) }) });
    expect(app.failures).toEqual([
      expect.objectContaining({
        message: expect.stringContaining('uv is needed to build A'),
        hint: expect.stringContaining('docs.astral.sh/uv'),
      }),
    ]);
  });
});
