import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, invokeBundle, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

/** A template of one esbuild function in `fn`. */
function template(properties: string, handler = 'src/app.handler', more = ''): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { ${properties} } }
    Properties: { CodeUri: fn, Handler: ${handler}, Runtime: nodejs22.x ${more} }
`;
}

/** An app without dependencies of its own, whose code imports a file beside its folder. */
const APP = {
  'fn/src/app.ts': `import { shared } from '../../lib/shared';\nexport const handler = async (): Promise<string> => shared + 1;\n`,
  'lib/shared.ts': `export const shared: string = 'one';\n`,
};

describe('esbuild', () => {
  it('bundles code from outside the function’s folder, and notices when that changes', async () => {
    const dir = await tempFolder({ 'template.yaml': template('Minify: true'), ...APP });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(app.result.handlers.get('F')).toBe('app.handler');
    expect(Object.keys(await app.files('F'))).toEqual(['app.js']);
    const bundle = path.join(app.result.folders.get('F')!.path, 'app.js');
    expect(await invokeBundle(bundle)).toBe('one1');
    expect(app.inputs('F').map((input) => path.relative(dir, input.path))).toEqual(
      expect.arrayContaining(['fn/src/app.ts', 'lib/shared.ts']),
    );

    const again = await buildApp(dir);
    expect(again.outcomes).toEqual({ F: 'unchanged' });
    expect(again.result.handlers.get('F')).toBe('app.handler');

    await writeFiles(dir, { 'lib/shared.ts': `export const shared: string = 'two';\n` });
    const edited = await buildApp(dir);
    expect(edited.outcomes).toEqual({ F: 'done' });
    expect(await invokeBundle(path.join(edited.result.folders.get('F')!.path, 'app.js'))).toBe('two1');

    await writeFiles(dir, { 'lib/shared.ts': APP['lib/shared.ts'], 'fn/unused.md': 'no input' });
    expect((await buildApp(dir)).outcomes).toEqual({ F: 'unchanged' });
  });

  it.each([
    ['a file that is found instead', { 'fn/src/dep.tsx': `export const dep = 'tsx';` }, 'tsx'],
    [
      'a tsconfig.json with other paths',
      { 'fn/tsconfig.json': '{"compilerOptions":{"baseUrl":".","paths":{"#dep":["./other"]}}}' },
      'other',
    ],
    [
      'a base that tsconfig.json extends',
      { 'config/base.json': '{"compilerOptions":{"baseUrl":".","paths":{"#dep":["../fn/other"]}}}' },
      'other',
    ],
  ])('notices %s', async (_what, files, expected) => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'fn/src/app.ts': `import { dep } from '${_what.startsWith('a file') ? './dep' : '#dep'}';\nexport const handler = async () => dep;\n`,
      'fn/src/dep.js': `export const dep = 'js';`,
      'fn/other.ts': `export const dep = 'other';`,
      'fn/tsconfig.json': '{"extends":"../config/base.json"}',
      'config/base.json': '{"compilerOptions":{"baseUrl":".","paths":{"#dep":["../fn/src/dep.js"]}}}',
    });
    const first = await buildApp(dir);
    expect(await invokeBundle(path.join(first.result.folders.get('F')!.path, 'app.js'))).toBe('js');
    await writeFiles(dir, files);
    const second = await buildApp(dir);
    expect(await invokeBundle(path.join(second.result.folders.get('F')!.path, 'app.js'))).toBe(expected);
  });

  it('installs what package.json asks for once, and takes the app’s own where that fits', async () => {
    const dir = await tempFolder({
      'template.yaml': template('Minify: false'),
      'fn/package.json': '{"dependencies":{"is-number":"6.0.0"}}',
      'fn/src/app.ts': `import isNumber from 'is-number';\nexport const handler = async () => isNumber(5);\n`,
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(app.commands.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['npm install']);
    expect(await invokeBundle(path.join(app.result.folders.get('F')!.path, 'app.js'))).toBe(true);
    expect((await app.files('F'))['app.js']).not.toContain('sam-sync');
    expect(await buildApp(dir)).toMatchObject({ commands: [], outcomes: { F: 'unchanged' } });

    // as if the developer had run npm install, in a version of the package that says something else
    const own = {
      'fn/node_modules/is-number/package.json': '{"version":"6.0.0","main":"index.js"}',
      'fn/node_modules/is-number/index.js': 'module.exports = () => "own"',
    };
    await writeFiles(dir, own);
    const withOwn = await buildApp(dir);
    expect(withOwn.commands).toEqual([]);
    expect(await invokeBundle(path.join(withOwn.result.folders.get('F')!.path, 'app.js'))).toBe('own');

    await writeFiles(dir, { 'fn/node_modules/is-number/package.json': '{"version":"5.0.0","main":"index.js"}' });
    const outdated = await buildApp(dir);
    expect(await invokeBundle(path.join(outdated.result.folders.get('F')!.path, 'app.js'))).toBe(true);
    expect(outdated.result.notes).toEqual([
      expect.objectContaining({
        level: 'warning',
        text: expect.stringContaining('is-number 5.0.0 (package.json: 6.0.0)'),
      }),
    ]);
  });

  it('bundles a folder that is a link', async () => {
    const dir = await tempFolder({
      'template.yaml': template('Minify: false'),
      'real/src/app.ts': `export const handler = async () => 'linked';\n`,
    });
    await fs.symlink('real', path.join(dir, 'fn'));
    const app = await buildApp(dir);
    expect(app.result.handlers.get('F')).toBe('app.handler');
    expect(await invokeBundle(path.join(app.result.folders.get('F')!.path, 'app.js'))).toBe('linked');
    await writeFiles(dir, { 'real/src/app.ts': `export const handler = async () => 'changed';\n` });
    expect((await buildApp(dir)).outcomes).toEqual({ F: 'done' });
  });

  it('takes the app’s own esbuild', async () => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'fn/src/app.js': 'exports.handler = async () => 1;',
      'fn/node_modules/esbuild/package.json': '{"name":"esbuild","version":"0.0.1-test","main":"lib/main.js"}',
      'fn/node_modules/esbuild/lib/main.js': `exports.build = async (o) => ({ warnings: [], outputFiles: [{ path: require('path').join(o.outdir, 'app.js'), text: 'own', contents: Buffer.from('own') }], metafile: { inputs: {}, outputs: {} } });`,
    });
    expect(await (await buildApp(dir)).files('F')).toEqual({ 'app.js': 'own' });
  });

  it('makes several entries, other endings and source maps', async () => {
    const dir = await tempFolder({
      'template.yaml': template(
        'EntryPoints: [src/app.ts, src/sub/other], Format: esm, OutExtension: [.js=.mjs], Sourcemap: true',
      ),
      ...APP,
      'fn/src/sub/other.ts': 'export const x = 1;',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const files = await app.files('F');
    expect(Object.keys(files).sort()).toEqual(['app.mjs', 'app.mjs.map', 'sub/other.mjs', 'sub/other.mjs.map']);
    expect(JSON.parse(files['app.mjs.map'] ?? '')).toMatchObject({ sources: ['src/app.ts'] });
    expect([...app.result.sourceMaps]).toEqual(['F']);
    expect(await invokeBundle(path.join(app.result.folders.get('F')!.path, 'app.mjs'))).toBe('one1');
  });

  it('source maps are on if NODE_OPTIONS asks for them, off if Sourcemap says so', async () => {
    const environment = ', Environment: { Variables: { NODE_OPTIONS: --enable-source-maps } }';
    const dir = await tempFolder({ 'template.yaml': template('', 'src/app.handler', environment), ...APP });
    expect(Object.keys(await (await buildApp(dir)).files('F'))).toContain('app.js.map');
    await writeFiles(dir, { 'template.yaml': template('Sourcemap: false', 'src/app.handler', environment) });
    const off = await buildApp(dir);
    expect(Object.keys(await off.files('F'))).toEqual(['app.js']);
    expect(off.result.sourceMaps.size).toBe(0);
  });

  it('leaves what is external outside the bundle', async () => {
    const dir = await tempFolder({
      'template.yaml': template('External: ["./node_modules/*", "@aws-sdk/*"]'),
      'fn/package.json': '{"dependencies":{"is-number":"6.0.0"}}',
      'fn/node_modules/is-number/package.json': '{"version":"6.0.0"}',
      'fn/src/app.ts': `import isNumber from 'is-number';\nimport { S3 } from '@aws-sdk/client-s3';\nexport const handler = () => [isNumber, S3];\n`,
    });
    const bundle = (await (await buildApp(dir)).files('F'))['app.js'];
    expect(bundle).toContain('require("is-number")');
    expect(bundle).toContain('require("@aws-sdk/client-s3")');
  });

  it('shows esbuild’s own message with file and line', async () => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'fn/src/app.ts': `import x from 'not-there';\nexport const handler = x;\n`,
    });
    const { failures } = await buildApp(dir);
    expect(failures).toEqual([
      expect.objectContaining({
        ids: ['F'],
        message: 'esbuild could not bundle F: src/app.ts:1:14: Could not resolve "not-there"',
        output: expect.stringMatching(/Could not resolve "not-there"[\s\S]*src\/app\.ts:1:14/),
        hint: expect.stringContaining('package.json'),
      }),
    ]);
    await writeFiles(dir, { 'fn/src/app.ts': `export const handler = 1;\n` });
    expect((await buildApp(dir)).failures).toEqual([]);
  });

  it.each([
    [
      'an option that esbuild does not have',
      'Minfy: true',
      'src/app.handler',
      /esbuild refused the BuildProperties of F: .*"minfy"/,
    ],
    ['an entry that is not there', '', 'src/nope.handler', /^the file of entry point src\/nope does not exist in/],
  ])('says what is wrong with %s', async (_what, properties, handler, message) => {
    const dir = await tempFolder({ 'template.yaml': template(properties, handler), ...APP });
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({ message: expect.stringMatching(message) }),
    ]);
  });

  it('without npm, an app that needs packages says so', async () => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'fn/package.json': '{"dependencies":{"is-number":"6.0.0"}}',
      'fn/src/app.ts': `export const handler = 1;\n`,
    });
    const { failures } = await buildApp(dir, { env: toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) }) });
    expect(failures).toEqual([
      expect.objectContaining({
        message: expect.stringContaining('npm is needed to install the packages of F'),
        hint: expect.stringContaining('nodejs.org'),
      }),
    ]);
  });

  it('a lost or broken record of inputs only costs time', async () => {
    const dir = await tempFolder({ 'template.yaml': template(''), ...APP });
    await buildApp(dir);
    const bundles = path.join(dir, '.aws-sam/sam-sync/bundles');
    for (const text of ['', '{"files":[', '[]', '{"files":1,"folders":[]}']) {
      const [record = ''] = await fs.readdir(bundles);
      await fs.writeFile(path.join(bundles, record), text);
      const app = await buildApp(dir);
      expect(await invokeBundle(path.join(app.result.folders.get('F')!.path, 'app.js'))).toBe('one1');
    }
  });
});
