import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { lockToolFolder } from '../support/python-lock-tools.ts';
import { localPackage, startIndex } from '../support/python-packages.ts';
import { pythonEnv, pythonTemplate } from '../support/python-env.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const poetryProject = (index: string): string => `[tool.poetry]
name = "fn"
version = "0.1.0"
package-mode = false
[tool.poetry.dependencies]
python = ">=3.9"
thing = "^1.0"
lib = { path = "../lib", develop = true }
[tool.poetry.group.dev.dependencies]
other = "*"
[[tool.poetry.source]]
name = "own"
url = "${index}"
priority = "primary"
`;
const pipfile = (index: string): string => `[[source]]
name = "own"
url = "${index}"
verify_ssl = false
[packages]
thing = ">=1.0"
lib = { path = "../lib", editable = true }
[dev-packages]
other = "*"
`;

it.each([
  ['poetry', 'pyproject.toml', poetryProject, ['lock', '--no-interaction'], 'poetry.lock'],
  ['pipenv', 'Pipfile', pipfile, ['lock'], 'Pipfile.lock'],
] as const)(
  '%s’s lock is installed, with the folders that it names; without a lock it is said what is not',
  async (tool, manifest, manifestOf, lockCommand, lockFile) => {
    const bin = await lockToolFolder(tool);
    const index = await startIndex([
      { name: 'thing', version: '1.0', files: { 'thing.py': 'ORIGIN = "locked"\n' } },
      { name: 'other', version: '1.0', files: { 'other.py': '' } },
    ]);
    const dir = await tempFolder({
      'template.yaml': pythonTemplate('fn', { architecture: 'arm64' }),
      'fn/app.py': '',
      [`fn/${manifest}`]: manifestOf(index.url),
      ...localPackage('lib', 'lib', { value: 'first', dependencies: ['thing>=1.0'] }),
    });
    const caches = path.join(dir, 'caches');
    const plain = await pythonEnv({ caches, index: index.url });
    const env = {
      ...plain,
      PATH: `${bin}${path.delimiter}${plain['PATH']}`,
      POETRY_CACHE_DIR: path.join(caches, 'poetry'),
      PIPENV_CACHE_DIR: path.join(caches, 'pipenv'),
      WORKON_HOME: path.join(caches, 'venvs'),
    };
    const without = await buildApp(dir, { env });
    expect(without.failures).toEqual([]);
    expect(without.result.notes.map((note) => note.text)).toContainEqual(
      expect.stringMatching(new RegExp(`not installed: there is no ${lockFile}; run ${tool} lock`)),
    );

    await promisify(execFile)(path.join(bin, tool), lockCommand, {
      cwd: path.join(dir, 'fn'),
      env: env,
    });
    const app = await buildApp(dir, { env });
    expect(app.failures).toEqual([]);
    expect(app.result.notes.filter(({ level }) => level === 'warning')).toEqual([]);
    const files = await app.files('Fn');
    expect(files).toMatchObject({ 'thing.py': 'ORIGIN = "locked"\n', 'lib/__init__.py': 'VALUE = "first"\n' });
    expect(Object.keys(files).filter((name) => /other\.py|\.pth$|direct_url/.test(name))).toEqual([]);
    expect(app.inputs('Fn').map((input) => path.relative(dir, input.path))).toEqual(
      expect.arrayContaining([`fn/${manifest}`, `fn/${lockFile}`, 'lib']),
    );
    expect(await buildApp(dir, { env })).toMatchObject({ commands: [] });

    await writeFiles(dir, { 'lib/src/lib/__init__.py': 'VALUE = "edited"\n' });
    expect(await (await buildApp(dir, { env })).files('Fn')).toMatchObject({ 'lib/__init__.py': 'VALUE = "edited"\n' });

    // a hash of the lock counts
    const lock = path.join(dir, 'fn', lockFile);
    const text = await fs.readFile(lock, 'utf8');
    await fs.writeFile(lock, text.replace(/sha256:[0-9a-f]{64}/g, `sha256:${'2'.repeat(64)}`));
    const [failure] = (await buildApp(dir, { env })).failures;
    expect(failure?.message).toMatch(/THESE PACKAGES DO NOT MATCH THE HASHES/);
  },
  240_000,
);
