import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { stubTools } from '../support/stub-tools.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild }
    Properties: { CodeUri: app/fn, Handler: app.handler, Runtime: nodejs22.x }
`;
const APP = { 'template.yaml': TEMPLATE, 'app/.git/HEAD': '', 'app/fn/app.js': 'exports.handler = async () => 1;' };

/** Something that answers as esbuild does, in a version of its own. */
function installed(version: string): Record<string, string> {
  return {
    'app/node_modules/esbuild/package.json': `{"name":"esbuild","version":"${version}","main":"lib/main.js"}`,
    'app/node_modules/esbuild/lib/main.js': `exports.version = '${version}';
exports.build = async (o) => ({ warnings: [], outputFiles: [{ path: require('path').join(o.outdir, 'app.js'), text: '${version}', contents: Buffer.from('${version}') }], metafile: { inputs: {}, outputs: {} } });`,
  };
}

/** The step's label names the version that was used. */
async function build(dir: string, more: Parameters<typeof buildApp>[1] = {}): Promise<BuiltApp & { label: string }> {
  let label = '';
  const app = await buildApp(dir, {
    ...more,
    onEvent: (event) => {
      if (event.type === 'step-finished') label = event.detail ?? '';
    },
  });
  return { ...app, label };
}

const OURS = JSON.parse(await fs.readFile('node_modules/esbuild/package.json', 'utf8')) as { version: string };
const lockOf = (version: string): string => `{"packages":{"node_modules/esbuild":{"version":"${version}"}}}`;

describe('which esbuild bundles an application', () => {
  it.each<[what: string, files: Record<string, string>, version: string]>([
    ['ours, if nothing names one', {}, OURS.version],
    ['the installed one, if nothing names one', installed('0.20.0'), '0.20.0'],
    [
      'the installed one that package.json asks for',
      { ...installed('0.20.3'), 'app/fn/package.json': '{"devDependencies":{"esbuild":"^0.20.0"}}' },
      '0.20.3',
    ],
    [
      'the installed one that the lock file above says',
      {
        ...installed('0.20.3'),
        'app/package.json': '{"devDependencies":{"esbuild":"^0.20.0"}}',
        'app/package-lock.json': lockOf('0.20.3'),
        'app/fn/package.json': '{"name":"fn"}',
      },
      '0.20.3',
    ],
    [
      'ours, where it is the locked one',
      {
        'app/package.json': '{"devDependencies":{"esbuild":"^0.20.0"}}',
        'app/package-lock.json': lockOf(OURS.version),
      },
      OURS.version,
    ],
    [
      'the installed one, if it is no package of a registry',
      { ...installed('0.20.3'), 'app/package.json': '{"devDependencies":{"esbuild":"github:me/esbuild"}}' },
      '0.20.3',
    ],
    [
      'ours, if another repository above names one',
      { 'package.json': '{"dependencies":{"esbuild":"0.1.0"}}' },
      OURS.version,
    ],
  ])('%s', async (_what, files, version) => {
    const app = await build(await tempFolder({ ...APP, ...files }));
    expect(app.failures).toEqual([]);
    expect(app.label).toBe(`esbuild ${version}`);
    expect(app.commands).toEqual([]);
  });

  it('the locked one, with and without node_modules, on a second machine too: the same bundle', async () => {
    const files = {
      ...APP,
      'app/package.json': '{"devDependencies":{"esbuild":"^0.14.0"}}',
      'app/package-lock.json': lockOf('0.14.14'),
    };
    const dir = await tempFolder(files);
    const first = await build(dir);
    expect(first.failures).toEqual([]);
    expect(first.label).toBe('esbuild 0.14.14');
    expect(first.commands).toEqual([expect.stringContaining('esbuild@0.14.14')]);
    expect(first.inputs('F').map((input) => path.relative(dir, input.path))).toEqual(
      expect.arrayContaining(['app/package.json', 'app/package-lock.json']),
    );
    expect(await build(dir)).toMatchObject({ commands: [], outcomes: { F: 'unchanged' } });

    await writeFiles(dir, { ...installed('0.14.0'), 'app/fn/app.js': 'exports.handler = async () => 2;' });
    const stale = await build(dir);
    expect(await stale.files('F')).toEqual({ 'app.js': expect.stringContaining('2') });
    expect(stale.result.notes).toEqual([
      expect.objectContaining({
        level: 'warning',
        text: 'node_modules has esbuild 0.14.0, but package-lock.json requests 0.14.14, which was installed separately',
      }),
    ]);

    await writeFiles(dir, installed('0.14.14'));
    expect(await build(dir)).toMatchObject({ commands: [], outcomes: { F: 'unchanged' }, label: 'esbuild 0.14.14' });
  });

  it('says what to do if it cannot be installed', async () => {
    const dir = await tempFolder({ ...APP, 'app/package.json': '{"devDependencies":{"esbuild":"0.14.14"}}' });
    const hint = expect.stringContaining(`Install the packages of ${path.join(dir, 'app')}`);
    const PATH = await pathWith(path.join(dir, 'bin'), {});
    expect((await build(dir, { env: toolEnv({ PATH }) })).failures).toMatchObject([
      {
        message: expect.stringMatching(/^npm is needed to install esbuild 0\.14\.14, which .*package\.json requests/),
        hint,
      },
    ]);
    const offline = toolEnv({
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_fetch_retries: '0',
      npm_config_cache: path.join(dir, 'cache'),
    });
    expect((await build(dir, { env: offline })).failures).toMatchObject([
      { message: expect.stringMatching(/^esbuild 0\.14\.14, which .* requests, could not be installed/), hint },
    ]);
  });

  it('says so if npm succeeds and does not install it', async () => {
    const dir = await tempFolder({ ...APP, 'app/fn/package.json': '{"devDependencies":{"esbuild":"0.20.0"}}' });
    const { path: PATH } = await stubTools();
    const { failures } = await build(dir, { env: { PATH } });
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('npm did not install esbuild 0.20.0'),
    ]);
  });

  it('is another one as soon as another one is installed in its place, also while we run', async () => {
    const manifest = { 'app/package.json': '{"devDependencies":{"esbuild":"^0.20.0"}}' };
    const dir = await tempFolder({ ...APP, ...manifest, ...installed('0.20.0') });
    expect(await (await build(dir)).files('F')).toEqual({ 'app.js': '0.20.0' });
    await writeFiles(dir, installed('0.20.1'));
    expect(await (await build(dir)).files('F')).toEqual({ 'app.js': '0.20.1' });
  });
});
