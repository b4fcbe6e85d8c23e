import * as path from 'node:path';
import { expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { localPackage, startIndex } from '../support/python-packages.ts';
import type { TinyPackage } from '../support/python-packages.ts';
import { pythonEnv, pythonTemplate } from '../support/python-env.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const thing: TinyPackage = { name: 'thing', version: '1.0', files: { 'thing.py': 'X = 1\n' } };

const project = (dependencies: readonly string[], more = ''): string =>
  `[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ${JSON.stringify(dependencies)}\n${more}`;

it('a folder that several functions need is built once', async () => {
  const index = await startIndex([thing]);
  const fn = (name: string): string => pythonTemplate(name, { method: 'python-uv' }).replace(/[\s\S]*Resources:\n/, '');
  const app = '[tool.uv.sources]\nlib = { path = "../lib", editable = true }\n';
  const dir = await tempFolder({
    'template.yaml': `${pythonTemplate('one', { method: 'python-uv' })}${fn('two').replace('Fn:', 'Other:')}`,
    'one/app.py': '',
    'one/pyproject.toml': project(['lib'], app),
    'two/app.py': '',
    'two/pyproject.toml': project(['lib', 'thing'], app),
    ...localPackage('lib', 'lib', { value: 'a' }),
  });
  const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
  const built = await buildApp(dir, { env });
  expect(built.failures).toEqual([]);
  expect(built.commands.filter((line) => line.includes('uv build'))).toHaveLength(1);
  expect(await built.files('Other')).toMatchObject({
    'lib/__init__.py': 'VALUE = "a"\n',
    'thing.py': expect.any(String),
  });
});

it('a workspace member that does not exist yet is waited for where members are', async () => {
  const index = await startIndex([thing]);
  const sources = '[tool.uv.sources]\nlib = { workspace = true }\n';
  const dir = await tempFolder({
    'template.yaml': pythonTemplate('fn', { method: 'python-uv' }),
    'pyproject.toml': '[tool.uv.workspace]\nmembers = ["fn", "libs/*"]\n',
    'fn/app.py': '',
    'fn/pyproject.toml': project(['lib'], sources),
  });
  const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
  const app = await buildApp(dir, { env });
  expect(app.failures).toHaveLength(1);
  expect(app.inputs('Fn').map((input) => input.path)).toContain(path.join(dir, 'libs'));
  await writeFiles(dir, localPackage('libs/lib', 'lib', { value: 'new' }));
  expect(await (await buildApp(dir, { env })).files('Fn')).toMatchObject({ 'lib/__init__.py': 'VALUE = "new"\n' });
});

it.each(['python-uv', undefined])(
  'a save while a folder is built is built too, and no state takes the place of another (%s)',
  async (method) => {
    const index = await startIndex([thing]);
    const files = localPackage('lib', 'lib', { value: 'first' });
    const saving = `
_build = build_wheel
def build_wheel(*args, **kwargs):
    made = _build(*args, **kwargs)
    if not os.path.exists("../saved"):
        open("../saved", "w").close()
        open("src/lib/__init__.py", "w").write('VALUE = "second"\\n')
    return made
`;
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', method === undefined ? {} : { method }),
      'fn/app.py': '',
      'fn/requirements.txt': '../lib\n',
      ...files,
      'lib/backend.py': `${files['lib/backend.py']}${saving}`,
    });
    const env = await pythonEnv({ caches: path.join(dir, 'caches'), index: index.url });
    const module = async (): Promise<string | undefined> =>
      (await (await buildApp(dir, { env })).files('Fn'))['lib/__init__.py'];
    expect(await module()).toBe('VALUE = "second"\n');
    await writeFiles(dir, { 'lib/src/lib/__init__.py': 'VALUE = "first"\n' });
    expect(await module()).toBe('VALUE = "first"\n');
  },
);
