import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, invokeBundle } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { arrivals, isNoticed } from '../support/watched-inputs.ts';

type Files = Readonly<Record<string, string>>;

/** A template of one esbuild function in `fn`. */
function template(properties = ''): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { ${properties} } }
    Properties: { CodeUri: fn, Handler: src/app.handler, Runtime: nodejs22.x }
`;
}

/** A handler that answers what it imports. */
function importing(name: string): string {
  return `import { v } from '${name}';\nexport const handler = async () => v;\n`;
}

function saying(value: string): string {
  return `export const v = '${value}';\n`;
}

const answerOf = (app: BuiltApp): Promise<unknown> =>
  invokeBundle(path.join(app.result.folders.get('F')?.path ?? '', 'app.js'));

const PATHS = '{ "compilerOptions": { "paths": { "@/*": ["../over/*", "../base/*"] } } }';

describe('a new file that is found instead', () => {
  it.each<[what: string, before: Files, added: Files, properties?: string]>([
    [
      'in an earlier target of tsconfig paths',
      { 'fn/src/app.ts': importing('@/x'), 'fn/tsconfig.json': PATHS, 'base/x.ts': saying('old') },
      { 'over/x.ts': saying('new') },
    ],
    [
      'in the folder of baseUrl, before an installed package',
      {
        'fn/src/app.ts': importing('lent'),
        'fn/tsconfig.json': '{ "compilerOptions": { "baseUrl": "./own" } }',
        'fn/node_modules/lent/package.json': '{ "main": "x.js" }',
        'fn/node_modules/lent/x.js': saying('old'),
      },
      { 'fn/own/lent.ts': saying('new') },
    ],
    [
      'as a file beside a folder with an index',
      { 'fn/src/app.ts': importing('../../shared/z'), 'shared/z/index.js': saying('old') },
      { 'shared/z.js': saying('new') },
    ],
    [
      'with an ending that comes first, outside the code',
      { 'fn/src/app.ts': importing('../../shared/z'), 'shared/z.js': saying('old') },
      { 'shared/z.ts': saying('new') },
    ],
    [
      'by the package.json of a folder',
      {
        'fn/src/app.ts': importing('../../shared/z'),
        'shared/z/index.js': saying('old'),
        'shared/other/y.js': saying('new'),
      },
      { 'shared/z/package.json': '{ "main": "../other/y.js" }' },
    ],
    [
      'by a package.json that leads elsewhere than before',
      {
        'fn/src/app.ts': importing('../../shared/z'),
        'shared/z/package.json': '{ "main": "../other/x.js" }',
        'shared/other/x.js': saying('old'),
        'shared/other/y.js': saying('new'),
      },
      { 'shared/z/package.json': '{ "main": "../other/y.js" }' },
    ],
    [
      'by a nearer tsconfig.json',
      {
        'fn/src/app.ts': importing('@/x'),
        'fn/tsconfig.json': PATHS,
        'base/x.ts': saying('old'),
        'fn/src/x.ts': saying('new'),
      },
      { 'fn/src/tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }' },
    ],
    [
      'by a tsconfig.json of a package that another one extends',
      {
        'fn/src/app.ts': importing('@/x'),
        'fn/tsconfig.json': '{ "extends": "house/tsconfig.json" }',
        'fn/node_modules/house/package.json': '{ "name": "house" }',
        'fn/node_modules/house/tsconfig.json':
          '{ "compilerOptions": { /* base */ "paths": { "@/*": ["../../../base/*"] }, } }',
        'base/x.ts': saying('old'),
        'over/x.ts': saying('new'),
      },
      {
        'fn/node_modules/house/tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["../../../over/*"] } } }',
      },
    ],
    [
      'by BuildProperties Tsconfig in another folder',
      {
        'fn/src/app.ts': importing('@/x'),
        'config/ts.json': '{ "compilerOptions": { "paths": { "@/*": ["../base/*"] } } }',
        'base/x.ts': saying('old'),
        'over/x.ts': saying('new'),
      },
      { 'config/ts.json': '{ "compilerOptions": { "paths": { "@/*": ["../over/*"] } } }' },
      'Tsconfig: ../config/ts.json',
    ],
    [
      'in a nearer node_modules',
      {
        'fn/src/app.ts': importing('lent'),
        'node_modules/lent/package.json': '{ "main": "x.js" }',
        'node_modules/lent/x.js': saying('old'),
      },
      {
        'fn/node_modules/lent/package.json': '{ "main": "x.js" }',
        'fn/node_modules/lent/x.js': saying('new'),
      },
    ],
    [
      'by an import with a pattern',
      {
        'fn/src/app.ts':
          'const read = async (id: string) => (await import(`../../texts/${id}.ts`)).v;\n' +
          "export const handler = () => read('new').catch(() => read('old'));\n",
        'texts/old.ts': saying('old'),
      },
      { 'texts/new.ts': saying('new') },
    ],
    [
      'as an entry point with an ending that comes first',
      { 'fn/src/app.js': 'exports.handler = async () => "old";\n' },
      { 'fn/src/app.ts': 'export const handler = async () => "new";\n' },
    ],
    [
      'behind an alias',
      { 'fn/src/app.ts': importing('al/x'), 'shared/x.js': saying('old') },
      { 'shared/x.ts': saying('new') },
      'Alias: { al: ../shared }',
    ],
  ])('is noticed %s', async (_what, before, added, properties) => {
    const dir = await tempFolder({ 'template.yaml': template(properties), 'fn/src/unused.ts': '', ...before });
    const first = await buildApp(dir);
    expect(first.failures).toEqual([]);
    expect(await answerOf(first)).toBe('old');
    for (const { place, folder } of await arrivals(dir, added))
      expect({ place, noticed: isNoticed(first, 'F', place, folder) }).toEqual({ place, noticed: true });
    expect(isNoticed(first, 'F', 'fn/src/unused.ts')).toBe(false);

    await writeFiles(dir, added);
    const second = await buildApp(dir);
    expect(await answerOf(second)).toBe('new');
    await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
    expect((await buildApp(dir)).result.folders.get('F')).toEqual({
      path: second.result.folders.get('F')?.path,
      cached: false,
    });
  });

  it('is noticed where a linked package leads elsewhere', async () => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/src/app.ts': importing('lent'),
      'one/package.json': '{ "main": "x.js" }',
      'one/x.js': saying('old'),
      'two/package.json': '{ "main": "x.js" }',
      'two/x.js': saying('new'),
      'fn/node_modules/.keep': '',
    });
    const link = path.join(dir, 'fn/node_modules/lent');
    await fs.symlink(path.join(dir, 'one'), link);
    const first = await buildApp(dir);
    expect(await answerOf(first)).toBe('old');
    expect(isNoticed(first, 'F', 'fn/node_modules/lent', true)).toBe(true);
    await fs.unlink(link);
    await fs.symlink(path.join(dir, 'two'), link);
    expect(await answerOf(await buildApp(dir))).toBe('new');
  });
});

describe('what a failed bundle failed on', () => {
  it.each<[what: string, before: Files, repair: Files, properties?: string]>([
    [
      'a module outside the code that is missing',
      { 'fn/src/app.ts': importing('../../shared/x'), 'shared/other.ts': '' },
      { 'shared/x.ts': saying('new') },
    ],
    [
      'a mistake in a module outside the code',
      { 'fn/src/app.ts': importing('../../shared/x'), 'shared/x.ts': 'export const v = ;' },
      { 'shared/x.ts': saying('new') },
    ],
    [
      'a mistake two imports deep',
      {
        'fn/src/app.ts': importing('../../shared/x'),
        'shared/x.ts': "export { v } from '../other/y';\n",
        'other/y.ts': 'export const v = ;',
      },
      { 'other/y.ts': saying('new') },
    ],
    [
      'a missing module two imports deep, in a folder that is not there',
      { 'fn/src/app.ts': importing('../../shared/x'), 'shared/x.ts': "export { v } from '../new/deep/y';\n" },
      { 'new/deep/y.ts': saying('new') },
    ],
    [
      'a target of tsconfig paths that is not there',
      { 'fn/src/app.ts': importing('@/x'), 'fn/tsconfig.json': PATHS },
      { 'over/x.ts': saying('new') },
    ],
    [
      'a package that is not installed',
      { 'fn/src/app.ts': importing('@lent/x') },
      { 'node_modules/@lent/x/package.json': '{ "main": "x.js" }', 'node_modules/@lent/x/x.js': saying('new') },
    ],
    [
      'a package that is not installed beside others of its scope',
      { 'fn/src/app.ts': importing('@lent/x'), 'fn/node_modules/@lent/y/package.json': '{}' },
      { 'fn/node_modules/@lent/x/package.json': '{ "main": "x.js" }', 'fn/node_modules/@lent/x/x.js': saying('new') },
    ],
    [
      'an entry point outside the code',
      { 'fn/src/other.ts': '' },
      { 'entry/app.ts': 'export const handler = async () => "new";\n' },
      'EntryPoints: [../entry/app]',
    ],
  ])('is watched: %s', async (_what, before, repair, properties) => {
    const dir = await tempFolder({ 'template.yaml': template(properties), ...before });
    const failed = await buildApp(dir);
    expect(failed.failures).toMatchObject([{ ids: ['F'] }]);
    for (const { place, folder } of await arrivals(dir, repair))
      expect({ place, noticed: isNoticed(failed, 'F', place, folder) }).toEqual({ place, noticed: true });
    await writeFiles(dir, repair);
    const repaired = await buildApp(dir);
    expect(repaired.failures).toEqual([]);
    expect(await answerOf(repaired)).toBe('new');
  });

  it('is watched: what a linked package has not built yet', async () => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/src/app.ts': importing('lent'),
      'lent/package.json': '{ "exports": { ".": { "import": "./dist/index.js" } } }',
      'fn/node_modules/.keep': '',
    });
    await fs.symlink('../../lent', path.join(dir, 'fn/node_modules/lent'));
    const failed = await buildApp(dir);
    expect(failed.failures).toMatchObject([{ ids: ['F'] }]);
    expect(isNoticed(failed, 'F', 'lent/dist', true)).toBe(true);
    expect(isNoticed(failed, 'F', 'lent/package.json')).toBe(true);
    await writeFiles(dir, { 'lent/dist/index.js': saying('new') });
    expect(await answerOf(await buildApp(dir))).toBe('new');
  });

  it('is watched also if it was good before', async () => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/src/app.ts': importing('../../shared/x'),
      'shared/x.ts': saying('old'),
    });
    expect((await buildApp(dir)).failures).toEqual([]);
    await writeFiles(dir, { 'shared/x.ts': "export { v } from '../late/y';\n" });
    const failed = await buildApp(dir);
    expect(failed.failures).toMatchObject([{ message: expect.stringContaining('Could not resolve "../late/y"') }]);
    expect(isNoticed(failed, 'F', 'late', true)).toBe(true);
    expect(isNoticed(failed, 'F', 'shared/x.ts')).toBe(true);
  });
});
