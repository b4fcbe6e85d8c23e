import * as path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ToolError } from '../../../../../src/builder/tools/tools.ts';
import { parentPackages } from '../../../../../src/builder/workflows/python/parent-packages.ts';
import { readPyProject, readScriptMetadata } from '../../../../../src/builder/workflows/python/pyproject.ts';
import {
  localPathOf,
  logicalLines,
  readRequirements,
} from '../../../../../src/builder/workflows/python/requirements.ts';
import { explainUvFailure } from '../../../../../src/builder/workflows/python/uv-errors.ts';
import { allowsPython } from '../../../../../src/builder/workflows/python/requires-python.ts';
import { distributionOf, platformTags, runsInLambda } from '../../../../../src/builder/workflows/python/wheel.ts';
import { tempFolder } from '../../../../support/temp-folder.ts';

test.each([
  ['pyproject.toml', '[project\n', readPyProject],
  ['app.py', '# /// script\n# dependencies =\n# ///\n', (dir: string) => readScriptMetadata(path.join(dir, 'app.py'))],
])('a broken %s is named', async (name, text, read) => {
  const dir = await tempFolder({ [name]: text });
  await expect(read(dir)).rejects.toThrow(`${path.join(dir, name)} is not valid TOML: `);
});

describe('requirements', () => {
  test.each([
    ['requests==2\n', ['requests==2']],
    ['# a comment\n\n  \n', []],
    ['a # why\nb#no-space\n', ['a', 'b#no-space']],
    ['a==1 \\\n  --hash=sha256:x\n', ['a==1   --hash=sha256:x']],
    ['\uFEFFa\r\nb', ['a', 'b']],
  ])('%j has the lines %j', (text, lines) => {
    expect(logicalLines(text)).toEqual(lines);
  });

  test.each([
    ['./pkg', './pkg'],
    ['../shared[extra]', '../shared'],
    ['-e ../shared', '../shared'],
    ['--editable=./x', './x'],
    ['.', '.'],
    ['/abs/pkg.whl', '/abs/pkg.whl'],
    ['libs/shared', 'libs/shared'],
    ['wheels/torch-2.1.0+cpu-cp311-cp311-linux_x86_64.whl', 'wheels/torch-2.1.0+cpu-cp311-cp311-linux_x86_64.whl'],
    ['shared-1.0-py3-none-any.whl[extra]', 'shared-1.0-py3-none-any.whl'],
    ['shared-1.0.tar.gz', 'shared-1.0.tar.gz'],
    ['shared @ file:///abs/my%20pkg', '/abs/my pkg'],
    ['file:///abs/pkg#egg=x', '/abs/pkg'],
    ['./pkg; python_version < "3.12"', './pkg'],
    ['requests==2.0', undefined],
    ['requests[socks]>=2', undefined],
    ['a @ https://example.com/a.whl', undefined],
    ['git+https://example.com/a.git@v1', undefined],
    ['-e git+ssh://git@example.com/a.git', undefined],
    ['--index-url https://example.com/simple', undefined],
    ['-r other.txt', undefined],
    ['shared @ ../shared', '../shared'],
    ['"./my pkg"', './my pkg'],
    ['file:../shared', '../shared'],
    ['-e file:///abs/pkg ; python_version < "4"', '/abs/pkg'],
  ])('%j names the local path %j', (line, local) => {
    expect(localPathOf(line)).toBe(local);
  });
});

describe('requirements files', () => {
  it('options say where packages come from, whatever file they are in', async () => {
    const dir = await tempFolder({
      'requirements.txt':
        '-i https://one.example/simple\n-r more/deps.txt\n-c limits.txt\nidna\n-r ${WHERE}/last.txt\n',
      'more/deps.txt':
        '--extra-index-url=https://two.example/simple\n-f ./wheels\n--find-links https://three.example\nsix\n',
      'more/wheels/x': '',
      'limits.txt': 'idna<4\n',
      'env/last.txt': '../lib\n',
    });
    const found = await readRequirements(path.join(dir, 'requirements.txt'), { WHERE: 'env' });
    expect(found?.indexOptions).toEqual([
      '--index-url=https://one.example/simple',
      '--extra-index-url=https://two.example/simple',
      `--find-links=${path.join(dir, 'more/wheels')}`,
      '--find-links=https://three.example',
    ]);
    expect(found?.linkedPlaces).toEqual([path.join(dir, 'more/wheels')]);
    expect(found?.lines.filter(({ isIndexOption }) => !isIndexOption)).toEqual([
      { text: 'six', isConstraint: false, local: undefined, isIndexOption: false },
      { text: 'idna<4', isConstraint: true, local: undefined, isIndexOption: false },
      { text: 'idna', isConstraint: false, local: undefined, isIndexOption: false },
      { text: '../lib', isConstraint: false, local: '../lib', isIndexOption: false },
    ]);
  });
});

test.each([
  ['>=3.11', '3.11', true],
  ['>=3.11', '3.10', false],
  ['>=3.9,<3.12', '3.12', false],
  ['>=3.9, <3.12.4', '3.12', true],
  ['>3.12', '3.12', true],
  ['<=3.12', '3.13', false],
  ['~=3.11', '3.13', true],
  ['~=3.11.2', '3.12', false],
  ['==3.12.*', '3.12', true],
  ['==3.*', '3.9', true],
  ['!=3.9.*', '3.9', false],
  ['!=3.9.1', '3.9', true],
  ['what?', '3.9', true],
])('requires-python %j allows %s: %s', (specifiers, version, allowed) => {
  expect(allowsPython(specifiers, version)).toBe(allowed);
});

test.each([
  [
    'error: Failed to download and build `markupsafe==3.0.2`\n  cause: The built wheel `markupsafe-3.0.2-cp311-cp311-linux_x86_64.whl` is not compatible with the target Python 3.13 on Linux aarch64.',
    'markupsafe 3.0.2 has no wheel for Python 3.13 on Linux arm64, and could not be built for it here',
  ],
  [
    "error: Package `pywin32` can't be installed because it doesn't have a source distribution or wheel for the current platform\n\nhint: You're on Linux (`manylinux_2_34_aarch64`), but `pywin32` (v308) only has wheels for the following platforms: `win32`",
    'pywin32 308 has no wheel for Python 3.13 on Linux arm64, and could not be built for it here',
  ],
  [
    'error: No solution found when resolving dependencies\n  cause: Because there is no version of idna==99.1 and you require idna==99.1, we can conclude that your requirements are unsatisfiable.',
    'uv pip install failed: No solution found when resolving dependencies: Because there is no version of idna==99.1 and you require idna==99.1, we can conclude that your requirements are unsatisfiable.',
  ],
  ["error: invalid value 'pylock.toml' for '--format <FORMAT>'", 'uv pip install failed: this uv is too old'],
  ['something else', 'uv pip install failed with exit code 2'],
])('uv’s %j is told as %j', (output, message) => {
  const error = new ToolError('uv pip install failed with exit code 2', output);
  expect(explainUvFailure(error, 'uv pip install', { version: '3.13', architecture: 'arm64' }).message).toBe(message);
});

describe('wheels', () => {
  const x86 = { version: '3.11', architecture: 'x86_64' } as const;
  const arm = { version: '3.13', architecture: 'arm64' } as const;
  test.each([
    ['idna-3.10-py3-none-any.whl', x86, true],
    ['six-1.17.0-py2.py3-none-any.whl', arm, true],
    ['numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl', x86, true],
    ['numpy-1.26.4-cp311-cp311-manylinux2014_x86_64.whl', x86, true],
    ['numpy-1.26.4-cp312-cp312-manylinux2014_x86_64.whl', x86, false],
    ['numpy-1.26.4-cp311-cp311-manylinux2014_aarch64.whl', x86, false],
    ['a-1-cp311-cp311-manylinux_2_24_x86_64.whl', x86, true],
    ['a-1-cp311-cp311-manylinux_2_28_x86_64.whl', x86, false],
    ['a-1-cp313-cp313-manylinux_2_28_aarch64.whl', arm, true],
    ['a-1-cp313-cp313-manylinux_2_34_aarch64.whl', arm, true],
    ['a-1-cp313-cp313-manylinux_2_38_aarch64.whl', arm, false],
    ['a-1-cp313-cp313t-manylinux2014_aarch64.whl', arm, false],
    ['cryptography-43-cp37-abi3-manylinux_2_17_x86_64.whl', x86, true],
    ['a-1-cp312-abi3-manylinux_2_17_x86_64.whl', x86, false],
    ['a-1-cp311-cp311-linux_x86_64.whl', x86, true],
    ['a-1-cp311-cp311-musllinux_1_2_x86_64.whl', x86, false],
    ['a-1-cp311-cp311-macosx_11_0_arm64.whl', arm, false],
    ['a-1-cp311-cp311-win_amd64.whl', x86, false],
    ['a-1-py3-none-manylinux2014_x86_64.whl', x86, true],
    ['a-1-1-cp311-cp311-manylinux1_x86_64.whl', x86, true],
  ])('%s for %j runs: %s', (file, target, runs) => {
    expect(runsInLambda(file, target)).toBe(runs);
  });

  it('asks pip for the newest glibc that the runtime has first', () => {
    expect(platformTags(arm)[0]).toBe('manylinux_2_34_aarch64');
    expect(platformTags(x86)[0]).toBe('manylinux_2_26_x86_64');
    expect(platformTags(x86)).toEqual(
      expect.arrayContaining(['manylinux2014_x86_64', 'manylinux1_x86_64', 'linux_x86_64']),
    );
    expect(platformTags(arm)).not.toContain('manylinux1_aarch64');
  });

  test.each([
    ['a_b-1.0-py3-none-any.whl', { name: 'a_b', version: '1.0' }],
    ['docopt-0.6.2.tar.gz', { name: 'docopt', version: '0.6.2' }],
    ['my-pkg-1.0.zip', { name: 'my-pkg', version: '1.0' }],
    ['noversion.zip', undefined],
  ])('%s is %j', (file, distribution) => {
    expect(distributionOf(file)).toEqual(distribution);
  });
});

test.each([
  ['explicit', 'app.main.handler', '/x/y', 'a.b', ['a', 'b']],
  ['explicit', undefined, '/x/y', undefined, []],
  ['auto', 'app.api.main.handler', '/home/me/app/api', undefined, ['app', 'api']],
  ['auto', 'main.handler', '/home/me/app/api', undefined, []],
  ['auto', 'other.main.handler', '/home/me/app/api', undefined, []],
  [undefined, 'app.main.handler', '/home/me/app', 'a', []],
])(
  'parent packages: mode %s, handler %s, code in %s, ParentPackages %s → %j',
  (mode, handler, codeDir, packages, expected) => {
    const buildProperties = { ...(mode && { ParentPackageMode: mode }), ...(packages && { ParentPackages: packages }) };
    expect(parentPackages({ buildProperties, handler, codeDir })).toEqual(expected);
  },
);
