import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildApp, toolEnv } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
/** With pnpm and yarn, which are development dependencies of ours. */
const ENV = toolEnv({ PATH: `${BIN}${path.delimiter}${process.env['PATH']}` });

const manifest = (value: object): string => JSON.stringify(value, null, 2);

function template(metadata = '', ids: readonly string[] = ['A']): string {
  const resources = ids.map(
    (id) =>
      `  ${id}: { Type: 'AWS::Serverless::Function', ${metadata} Properties: { CodeUri: fn/${id.toLowerCase()} } }`,
  );
  return `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: nodejs22.x, Handler: app.handler } }
Resources:
${resources.join('\n')}
`;
}

/** Packs `vend` with this content into a folder, under the same name and version each time. */
async function packVend(into: string, content: string): Promise<void> {
  const source = await tempFolder({
    'package.json': manifest({ name: 'vend', version: '2.0.0', main: 'i.js' }),
    'i.js': content,
  });
  await fs.mkdir(into, { recursive: true });
  await promisify(execFile)('npm', ['pack', '--pack-destination', into], {
    cwd: source,
    shell: process.platform === 'win32',
  });
}

const VEND = 'node_modules/vend/i.js';

describe('an archive on this machine', () => {
  const apps: Record<string, { files: Record<string, string>; archives: string; metadata?: string }> = {
    'below the code, with file:': {
      archives: 'fn/a/vendor',
      files: { 'fn/a/package.json': manifest({ dependencies: { vend: 'file:vendor/vend-2.0.0.tgz' } }) },
    },
    'as a path': {
      archives: 'fn/a/vendor',
      files: { 'fn/a/package.json': manifest({ dependencies: { vend: './vendor/vend-2.0.0.tgz' } }) },
    },
    'beside the code': {
      archives: 'vendor',
      files: { 'fn/a/package.json': manifest({ dependencies: { vend: 'file:../../vendor/vend-2.0.0.tgz' } }) },
    },
    'of a local package': {
      archives: 'vendor',
      files: {
        'fn/a/package.json': manifest({ dependencies: { mid: 'file:../../mid' } }),
        'mid/package.json': manifest({
          name: 'mid',
          version: '1.0.0',
          dependencies: { vend: 'file:../vendor/vend-2.0.0.tgz' },
        }),
      },
    },
    'of a workspace': {
      archives: 'vendor',
      files: {
        'package.json': manifest({ private: true, workspaces: ['fn/*'] }),
        'fn/a/package.json': manifest({
          name: 'a',
          version: '1.0.0',
          dependencies: { vend: 'file:../../vendor/vend-2.0.0.tgz' },
        }),
      },
    },
    'that an override names': {
      archives: 'fn/a/vendor',
      files: {
        'fn/a/package.json': manifest({
          dependencies: { 'is-odd': '3.0.1' },
          overrides: { 'is-number': 'file:vendor/vend-2.0.0.tgz' },
        }),
      },
    },
    'of a layer': {
      archives: 'fn/a/vendor',
      files: {
        'template.yaml': `Resources:
  A:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: nodejs22.x }
    Properties: { ContentUri: fn/a }
`,
        'fn/a/package.json': manifest({ dependencies: { vend: 'file:vendor/vend-2.0.0.tgz' } }),
      },
    },
  };

  it.each(Object.entries(apps))(
    '%s is installed, and again when it is packed anew',
    async (_what, { files, archives }) => {
      const dir = await tempFolder({ 'template.yaml': template(), 'fn/a/app.js': '', ...files });
      await packVend(path.join(dir, archives), 'one');
      const vend = async (app: BuiltApp): Promise<string | undefined> => {
        expect(app.failures).toEqual([]);
        return Object.entries(await app.files('A')).find(([name]) => name.endsWith('/i.js'))?.[1];
      };
      const first = await buildApp(dir);
      expect(await vend(first)).toBe('one');
      expect(first.inputs('A').map((input) => path.relative(dir, input.path))).toContain(
        path.join(archives, 'vend-2.0.0.tgz'),
      );
      await packVend(path.join(dir, archives), 'two');
      expect(await vend(await buildApp(dir))).toBe('two');
      await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
      expect(await vend(await buildApp(dir))).toBe('two');
    },
  );

  it.each(['npm', 'npm ci', 'pnpm', 'yarn'])('with the lock file of %s', async (manager) => {
    const metadata = manager === 'npm ci' ? 'Metadata: { BuildProperties: { UseNpmCi: true } },' : '';
    const dir = await tempFolder({
      'template.yaml': template(metadata),
      'fn/a/app.js': '',
      'fn/a/package.json': manifest({
        name: 'a',
        version: '1.0.0',
        dependencies: { vend: 'file:vendor/vend-2.0.0.tgz' },
      }),
    });
    const code = path.join(dir, 'fn/a');
    await packVend(path.join(code, 'vendor'), 'one');
    const lock =
      {
        npm: ['npm', 'install', '--package-lock-only'],
        'npm ci': ['npm', 'install', '--package-lock-only'],
        pnpm: ['pnpm', 'install', '--lockfile-only'],
        yarn: ['yarn', 'install', '--ignore-scripts'],
      }[manager] ?? [];
    const [program = '', ...args] = lock;
    await promisify(execFile)(program, args, { cwd: code, env: ENV, shell: process.platform === 'win32' });
    await fs.rm(path.join(code, 'node_modules'), { recursive: true, force: true });
    const env = { ...ENV, npm_config_cache: await tempFolder() };
    const app = await buildApp(dir, { env });
    expect(app.failures).toEqual([]);
    expect((await app.files('A'))[VEND]).toBe('one');
  });

  it('that was packed again counts with a lock file as other sources do, except with npm ci', async () => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/a/app.js': '',
      'fn/a/package.json': manifest({
        name: 'a',
        version: '1.0.0',
        dependencies: { vend: 'file:vendor/vend-2.0.0.tgz' },
      }),
    });
    const code = path.join(dir, 'fn/a');
    await packVend(path.join(code, 'vendor'), 'one');
    await promisify(execFile)('npm', ['install', '--package-lock-only'], {
      cwd: code,
      shell: process.platform === 'win32',
    });
    await packVend(path.join(code, 'vendor'), 'two');
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect((await app.files('A'))[VEND]).toBe('two');
    await writeFiles(dir, { 'template.yaml': template('Metadata: { BuildProperties: { UseNpmCi: true } },') });
    // npm's cache has what was locked
    const env = toolEnv({ npm_config_cache: await tempFolder() });
    const [failure] = (await buildApp(dir, { env })).failures;
    expect(failure?.output).toContain('EINTEGRITY');
  });

  it('is bundled by esbuild as it is now, even if an older one is installed', async () => {
    const dir = await tempFolder({
      'template.yaml': template('Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [app.js] } },'),
      'fn/a/app.js': 'exports.handler = async () => require("vend");',
      'fn/a/package.json': manifest({
        name: 'a',
        version: '1.0.0',
        dependencies: { vend: 'file:vendor/vend-2.0.0.tgz' },
      }),
    });
    const code = path.join(dir, 'fn/a');
    const bundled = async (): Promise<string | undefined> => {
      const app = await buildApp(dir);
      expect(app.failures).toEqual([]);
      return /v-(?:one|two|three)/.exec((await app.files('A'))['app.js'] ?? '')?.[0];
    };
    await packVend(path.join(code, 'vendor'), 'module.exports = "v-one";');
    expect(await bundled()).toBe('v-one');
    await packVend(path.join(code, 'vendor'), 'module.exports = "v-two";');
    expect(await bundled()).toBe('v-two');
    await promisify(execFile)('npm', ['install'], { cwd: code, shell: process.platform === 'win32' });
    expect(await bundled()).toBe('v-two');
    await packVend(path.join(code, 'vendor'), 'module.exports = "v-three";');
    expect(await bundled()).toBe('v-three');
  });
});

describe('a local package that is not there', () => {
  it.each([
    ['a folder', 'file:../../libs/gone', 'libs/gone'],
    ['a folder as a path', '../../libs/gone', 'libs/gone'],
    ['an archive', 'file:gone-1.0.0.tgz', 'fn/a/gone-1.0.0.tgz'],
  ])('%s is an error that names it, and the place is watched', async (_what, spec, place) => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/a/app.js': '',
      'fn/a/package.json': manifest({ dependencies: { gone: spec } }),
    });
    const app = await buildApp(dir);
    expect(app.failures).toMatchObject([
      {
        message: `${path.join(dir, 'fn/a/package.json')} needs gone from ${spec}, which does not exist`,
        hint: `Put a package at ${path.join(dir, place)}, or correct the dependency.`,
      },
    ]);
    expect(app.commands).toEqual([]);
    expect(app.inputs('A').map((input) => path.relative(dir, input.path))).toContain(path.normalize(place));
  });

  it('is fine if it is optional, and found when it is made', async () => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/a/app.js': '',
      'fn/a/package.json': manifest({
        dependencies: { 'is-number': '6.0.0' },
        optionalDependencies: { extra: 'file:../../libs/extra' },
      }),
    });
    expect((await buildApp(dir)).failures).toEqual([]);
    await writeFiles(dir, {
      'libs/extra/package.json': manifest({ name: 'extra', version: '1.0.0' }),
      'libs/extra/x.js': 'X',
    });
    expect(await (await buildApp(dir)).files('A')).toMatchObject({ 'node_modules/extra/x.js': 'X' });
  });
});

describe('bundled packages', () => {
  it.each([
    ['by name', { bundleDependencies: ['inside'] }],
    ['by the other spelling', { bundledDependencies: ['inside'] }],
    ['all of them', { bundleDependencies: true }],
  ])('%s come from the package’s own node_modules, with what they need', async (_what, bundled) => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/a/app.js': '',
      'fn/a/package.json': manifest({ name: 'a', version: '1.0.0', dependencies: { inside: '*' }, ...bundled }),
      'fn/a/node_modules/inside/package.json': manifest({
        name: 'inside',
        version: '1.0.0',
        dependencies: { deep: '*' },
      }),
      'fn/a/node_modules/inside/i.js': 'I',
      'fn/a/node_modules/deep/package.json': manifest({ name: 'deep', version: '1.0.0' }),
      'fn/a/node_modules/deep/d.js': 'D',
      'fn/a/node_modules/other/o.js': 'no part of it',
    });
    const app = await buildApp(dir);
    expect(app).toMatchObject({ failures: [], commands: [] });
    expect(Object.keys(await app.files('A')).sort()).toEqual([
      'app.js',
      'node_modules/deep/d.js',
      'node_modules/deep/package.json',
      'node_modules/inside/i.js',
      'node_modules/inside/package.json',
      'package.json',
    ]);
    await writeFiles(dir, { 'fn/a/node_modules/deep/d.js': 'D2' });
    expect(await (await buildApp(dir)).files('A')).toMatchObject({ 'node_modules/deep/d.js': 'D2' });
  });

  it('that lie above the package travel inside of it: nothing is written outside of the artifact', async () => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'node_modules/above/package.json': manifest({ name: 'above', version: '1.0.0' }),
      'fn/a/app.js': '',
      'fn/a/node_modules/inside/package.json': manifest({
        name: 'inside',
        version: '1.0.0',
        dependencies: { above: '*' },
      }),
      'fn/a/package.json': manifest({
        name: 'a',
        version: '1.0.0',
        dependencies: { inside: '*' },
        bundleDependencies: true,
      }),
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('A')).sort()).toEqual([
      'app.js',
      'node_modules/above/package.json',
      'node_modules/inside/package.json',
      'package.json',
    ]);
  });
});

it('functions of one workspace find its members, and a later build those that are new', async () => {
  const ids = ['A', 'B', 'C'];
  const dir = await tempFolder({
    'template.yaml': template('', ids),
    'package.json': manifest({ private: true, workspaces: ['fn/*', 'libs/*'] }),
    'libs/shared/package.json': manifest({ name: 'shared', version: '1.0.0' }),
    'libs/shared/index.js': 'S',
    ...Object.fromEntries(
      ids.flatMap((id) => [
        [`fn/${id.toLowerCase()}/package.json`, manifest({ name: id.toLowerCase(), dependencies: { shared: '*' } })],
        [`fn/${id.toLowerCase()}/app.js`, id],
      ]),
    ),
  });
  const app = await buildApp(dir);
  expect(app.failures).toEqual([]);
  for (const id of ids) expect(await app.files(id)).toMatchObject({ 'node_modules/shared/index.js': 'S' });
  await writeFiles(dir, {
    'libs/more/package.json': manifest({ name: 'more', version: '1.0.0' }),
    'libs/more/index.js': 'M',
    'fn/a/package.json': manifest({ name: 'a', dependencies: { more: '*' } }),
  });
  expect(await (await buildApp(dir)).files('A')).toMatchObject({ 'node_modules/more/index.js': 'M' });
});
