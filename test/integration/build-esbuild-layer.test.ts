import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

/** A template of one layer in `layer`. */
function template(properties = ''): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: esbuild, BuildProperties: { ${properties} } }
    Properties: { ContentUri: layer, CompatibleRuntimes: [nodejs22.x] }
`;
}

/** What a function gets that requires the module, with the layer below /opt as Lambda has it. */
async function required(app: BuiltApp, module: string): Promise<unknown> {
  const layer = app.result.folders.get('L')?.path ?? '';
  const name = module.replace('/opt', layer);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-p', 'JSON.stringify(require(process.argv[1]).v)', name],
    { cwd: '/', env: { ...process.env, NODE_PATH: path.join(layer, 'nodejs/node_modules') } },
  );
  return JSON.parse(stdout);
}

const saying = (value: string): string => `export const v: string = '${value}';\n`;

describe('a layer that esbuild builds', () => {
  it.each<[what: string, properties: string, files: Record<string, string>, modules: string[]]>([
    ['its index', '', { 'layer/index.ts': saying('new') }, ['/opt/nodejs/index']],
    [
      'the index of its sources, by the name of its package',
      '',
      {
        'layer/src/index.ts': `export { v } from '../../lib/x';\n`,
        'lib/x.ts': saying('new'),
        'layer/package.json': '{ "name": "@me/shared", "main": "dist/index.js" }',
        'layer/dist/index.js': 'exports.v = "old"',
      },
      ['@me/shared', '/opt/nodejs/index'],
    ],
    [
      'what package.json calls its main module',
      '',
      { 'layer/lib.ts': saying('new'), 'layer/package.json': '{ "name": "shared", "main": "./lib" }' },
      ['shared', 'lib', '/opt/nodejs/lib'],
    ],
    [
      'several entry points, each by its name',
      'EntryPoints: [src/orders.ts, src/tools/dates]',
      {
        'layer/src/orders.ts': saying('new'),
        'layer/src/tools/dates.ts': saying('new'),
        'layer/package.json': '{ "name": "shared" }',
      },
      ['orders', 'tools/dates', '/opt/nodejs/orders', '/opt/nodejs/tools/dates.js'],
    ],
  ])('holds %s', async (_what, properties, files, modules) => {
    const dir = await tempFolder({ 'template.yaml': template(properties), ...files });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    for (const module of modules) expect([module, await required(app, module)]).toEqual([module, 'new']);
    expect(await buildApp(dir)).toMatchObject({ outcomes: { L: 'unchanged' } });
    await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
    expect((await buildApp(dir)).result.folders.get('L')?.path).toBe(app.result.folders.get('L')?.path);
  });

  it('holds packages that it needs, and is built again when shared code changes', async () => {
    const dir = await tempFolder({
      'template.yaml': template('EntryPoints: [shared.ts], Sourcemap: true'),
      'layer/package.json': '{ "dependencies": { "is-number": "6.0.0" } }',
      'layer/shared.ts': `import isNumber from 'is-number';\nimport { x } from '../lib/x';\nexport const v = [isNumber(5), x];\n`,
      'lib/x.ts': 'export const x = 1;\n',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('L')).sort()).toEqual([
      'nodejs/node_modules/shared.js',
      'nodejs/node_modules/shared.js.map',
      'nodejs/shared.js',
    ]);
    expect(await required(app, 'shared')).toEqual([true, 1]);
    await writeFiles(dir, { 'lib/x.ts': 'export const x = 2;\n' });
    expect(await required(await buildApp(dir), 'shared')).toEqual([true, 2]);
  });

  it('holds ES modules by their path', async () => {
    const dir = await tempFolder({
      'template.yaml': template('EntryPoints: [src/shared.ts], Format: esm, OutExtension: [.js=.mjs]'),
      'layer/src/shared.ts': `export const v: number = 1;\n`,
    });
    expect(Object.keys(await (await buildApp(dir)).files('L'))).toEqual(['nodejs/shared.mjs']);
  });

  it('says what it looks for if there is nothing to bundle, and is built as soon as there is', async () => {
    const dir = await tempFolder({ 'template.yaml': template(), 'layer/readme.md': '' });
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({
        ids: ['L'],
        message: `there is nothing to bundle, neither index nor src/index, in ${path.join(dir, 'layer')}`,
        hint: expect.stringContaining('EntryPoints'),
      }),
    ]);
    await writeFiles(dir, { 'layer/src/index.ts': saying('new') });
    expect(await required(await buildApp(dir), '/opt/nodejs/index')).toBe('new');
    // it comes first
    await writeFiles(dir, { 'layer/index.ts': saying('first') });
    expect(await required(await buildApp(dir), '/opt/nodejs/index')).toBe('first');
  });
});
