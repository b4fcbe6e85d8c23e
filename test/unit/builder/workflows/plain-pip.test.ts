import * as path from 'node:path';
import { expect, it } from 'vitest';
import { isPlain, settingsLikePip } from '../../../../src/builder/workflows/python/plain-pip.ts';
import { readRequirements } from '../../../../src/builder/workflows/python/requirements.ts';
import { createTools } from '../../../../src/builder/tools/tools.ts';
import { silent } from '../../../support/cloud.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const PIP_FILE = path.join('config', 'pip', 'pip.conf');

it.for([
  ['requests\nnumpy==2.2.6 # comment\n', true],
  ['requests[socks,use_chardet_on_py3] >= 2, <3 ; python_version < "3.13" and sys_platform == "linux"\n', true],
  ['zope.interface~=6.0\nruamel_yaml (>=0.18)\nx===1!2.0+local\n', true],
  ['-r more.txt\n-c limits.txt\n', true],
  ['numpy==2.2.6 --hash=sha256:00\n', false],
  ['--no-binary numpy\nnumpy\n', false],
  ['--pre\nnumpy\n', false],
  ['--index-url https://example.com/simple\nnumpy\n', false],
  ['numpy @ https://example.com/numpy.whl\n', false],
  ['git+https://example.com/a.git\n', false],
  ['./local\n', false],
  ['-e ../local\n', false],
  ['local/thing.whl\n', false],
  ['numpy==${VERSION}\n', false],
  ['-r missing.txt\n', false],
] as const)('requirements %j are plain: %s', async ([text, expected]) => {
  const folder = await tempFolder({ 'requirements.txt': text, 'more.txt': 'idna\n', 'limits.txt': 'idna<4\n' });
  const requirements = await readRequirements(path.join(folder, 'requirements.txt'));
  expect(requirements && isPlain(requirements)).toBe(expected);
});

it.for([
  ['nothing', {}, {}, {}],
  [
    'an index of its own',
    { PIP_INDEX_URL: 'https://example.com/simple' },
    {},
    { UV_DEFAULT_INDEX: 'https://example.com/simple' },
  ],
  [
    'a cache, a certificate and a timeout',
    { PIP_CACHE_DIR: 'c', PIP_CERT: 'c', PIP_DEFAULT_TIMEOUT: '9', UV_CACHE_DIR: 'u' },
    {},
    {},
  ],
  ['a certificate in a file', {}, { [PIP_FILE]: '[global]\n# mine\ncert = /c.pem\n\ntimeout=60\n' }, {}],
  ['a second index', { PIP_INDEX_URL: 'https://a.example', PIP_EXTRA_INDEX_URL: 'https://b.example' }, {}, undefined],
  ['files to choose from', { PIP_FIND_LINKS: '/wheels' }, {}, undefined],
  ['pre-releases in a variable', { PIP_PRE: '1' }, {}, undefined],
  ['an index of uv', { UV_INDEX_URL: 'https://example.com' }, {}, undefined],
  ['an index in the file of the user', {}, { [PIP_FILE]: '[global]\nindex-url: https://example.com\n' }, undefined],
  [
    'a file that a variable names',
    { PIP_CONFIG_FILE: 'FOLDER/own.conf' },
    { 'own.conf': '[install]\npre = true\n' },
    undefined,
  ],
  [
    'a file of the machine',
    { XDG_CONFIG_DIRS: 'FOLDER/all' },
    { 'all/pip/pip.conf': '[global]\nno-index = true\n' },
    undefined,
  ],
  [
    'a file of the environment',
    { VIRTUAL_ENV: 'FOLDER/venv' },
    { 'venv/pip.conf': '[global]\nno-index = true\n' },
    undefined,
  ],
  ['a file of Python', {}, { 'python/pip.conf': '[global]\nno-index = true\n' }, undefined],
] as const)('pip with %s', async ([, variables, files, expected]) => {
  const folder = await tempFolder(files);
  const given = Object.entries(variables).map(([name, value]) => [name, value.replace('FOLDER', folder)]);
  const env = {
    HOME: folder,
    XDG_CONFIG_HOME: path.join(folder, 'config'),
    XDG_CONFIG_DIRS: folder,
    ...Object.fromEntries(given),
  };
  const tools = createTools({ env, signal: new AbortController().signal, reporter: silent });
  const python = { program: 'python3', version: '3.12', sameVersion: true, samePlatform: true };
  expect(await settingsLikePip(tools, { ...python, prefix: path.join(folder, 'python') })).toEqual(expected);
  expect(await settingsLikePip(tools, { ...python, prefix: undefined })).toBeUndefined();
});
