import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { bunFolder } from '../support/bun.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
const BUN = await bunFolder();
/** With pnpm and yarn, which are development dependencies of ours, and Bun. */
const ENV = toolEnv({ PATH: [BIN, ...(BUN === undefined ? [] : [BUN]), process.env['PATH']].join(path.delimiter) });

function template(functions: Record<string, string>, metadata = ''): string {
  const resources = Object.entries(functions).map(
    ([id, code]) => `  ${id}: { Type: 'AWS::Serverless::Function', ${metadata} Properties: { CodeUri: ${code} } }`,
  );
  return `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: nodejs22.x, Handler: app.handler } }
Resources:
${resources.join('\n')}
`;
}

const manifest = (value: object): string => JSON.stringify(value, null, 2);

/** `name@version` of each package in the artifact, by its place. */
function packagesIn(files: Record<string, string>): Record<string, string> {
  const found = Object.entries(files).filter(([name]) =>
    /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(name),
  );
  return Object.fromEntries(
    found.map(([name, text]) => [path.posix.dirname(name), (JSON.parse(text) as { version: string }).version]),
  );
}

describe('npm', () => {
  it('takes what npm would publish, and the packages without development', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b' }),
      // neither name nor version
      'a/package.json': manifest({
        files: ['app.js', 'lib'],
        dependencies: { 'is-odd': '3.0.1' },
        devDependencies: { 'does-not-exist-at-all': '1.0.0' },
      }),
      'a/app.js': 'A',
      'a/lib/x.js': 'X',
      'a/test.js': 'not published',
      'a/.npmrc': 'fund=false\n',
      'b/package.json': manifest({ name: 'b', dependencies: { 'is-odd': '3.0.1' } }),
      'b/app.js': 'B',
      'b/.gitignore': 'secret.txt\n',
      'b/secret.txt': 'S',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const files = await app.files('A');
    expect(
      Object.keys(files)
        .filter((name) => !name.startsWith('node_modules/'))
        .sort(),
    ).toEqual(['app.js', 'lib/x.js', 'package.json']);
    expect(packagesIn(files)).toEqual({ 'node_modules/is-odd': '3.0.1', 'node_modules/is-number': '6.0.0' });
    expect(files).not.toHaveProperty(['node_modules/.package-lock.json']);
    expect(Object.keys(await app.files('B'))).not.toContain('secret.txt');
    expect(await buildApp(dir)).toMatchObject({ commands: [], outcomes: { A: 'unchanged', B: 'unchanged' } });

    await writeFiles(dir, { 'a/app.js': 'A2' });
    const edited = await buildApp(dir);
    expect(edited).toMatchObject({ commands: [], outcomes: { A: 'done', B: 'unchanged' } });
    expect((await edited.files('A'))['app.js']).toBe('A2');

    await writeFiles(dir, { 'a/package.json': manifest({ dependencies: { 'is-odd': '3.0.0' } }) });
    expect(packagesIn(await (await buildApp(dir)).files('A'))).toMatchObject({ 'node_modules/is-odd': '3.0.0' });
  });

  it('shares packages between functions, and between the function and a layer of its own', async () => {
    const dependencies = { 'is-number': '6.0.0' };
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a', B: 'b' }),
      'a/package.json': manifest({ name: 'a', version: '1.0.0', dependencies }),
      'a/app.js': 'A',
      'b/package.json': manifest({ name: 'b', scripts: { test: 'x' }, dependencies }),
      'b/app.js': 'B',
    });
    const apart = await buildApp(dir, { dependencyLayer: true });
    expect(apart.commands).toHaveLength(1);
    expect(Object.keys(await apart.files('A')).sort()).toEqual(['app.js', 'package.json']);
    expect(packagesIn(await apart.layerFiles('A'))).toEqual({ 'nodejs/node_modules/is-number': '6.0.0' });
    expect(apart.result.dependencyLayers.get('A')?.path).toBe(apart.result.dependencyLayers.get('B')?.path);
    const together = await buildApp(dir);
    expect(together.commands).toEqual([]);
    expect(packagesIn(await together.files('B'))).toEqual({ 'node_modules/is-number': '6.0.0' });
  });

  it('follows the lock file, with npm ci if asked for', async () => {
    const lock = (version: string): string =>
      manifest({
        name: 'a',
        lockfileVersion: 3,
        packages: {
          '': { name: 'a', dependencies: { 'is-number': '>=6' } },
          'node_modules/is-number': {
            version,
            resolved: `https://registry.npmjs.org/is-number/-/is-number-${version}.tgz`,
          },
        },
      });
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/package.json': manifest({ name: 'a', dependencies: { 'is-number': '>=6' } }),
      'a/package-lock.json': lock('6.0.0'),
      'a/app.js': '',
    });
    const files = await (await buildApp(dir)).files('A');
    expect(packagesIn(files)).toEqual({ 'node_modules/is-number': '6.0.0' });
    expect(Object.keys(files)).toContain('package-lock.json');
    await writeFiles(dir, {
      'a/package-lock.json': lock('7.0.0'),
      'template.yaml': template({ A: 'a' }, 'Metadata: { BuildProperties: { UseNpmCi: true } },'),
    });
    const ci = await buildApp(dir);
    expect(ci.failures).toEqual([]);
    expect(ci.commands[0]).toMatch(/^npm ci /);
    expect(packagesIn(await ci.files('A'))).toEqual({ 'node_modules/is-number': '7.0.0' });
  });

  it('copies local packages (file:) as they would be published, with what they need', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'fn/a' }),
      'fn/a/package.json': manifest({ dependencies: { shared: 'file:../../libs/shared' } }),
      'fn/a/app.js': '',
      'libs/shared/package.json': manifest({
        name: 'shared',
        version: '1.0.0',
        files: ['index.js'],
        dependencies: { 'is-number': '6.0.0' },
      }),
      'libs/shared/index.js': 'one',
      'libs/shared/test.js': 'not published',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const files = await app.files('A');
    expect(packagesIn(files)).toEqual({ 'node_modules/shared': '1.0.0', 'node_modules/is-number': '6.0.0' });
    expect(files).toMatchObject({ 'node_modules/shared/index.js': 'one' });
    expect(Object.keys(files)).not.toContain('node_modules/shared/test.js');
    expect((await fs.lstat(path.join(app.result.folders.get('A')!.path, 'node_modules/shared'))).isSymbolicLink()).toBe(
      false,
    );
    expect(app.inputs('A').map((input) => path.relative(dir, input.path))).toContain('libs/shared');
    await writeFiles(dir, { 'libs/shared/index.js': 'two' });
    expect(await (await buildApp(dir)).files('A')).toMatchObject({ 'node_modules/shared/index.js': 'two' });
  });

  it('a layer with a BuildMethod has its packages and its own modules in nodejs/', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: nodejs22.x }
    Properties: { ContentUri: l }
`,
      'l/package.json': manifest({ name: 'l', dependencies: { 'is-number': '6.0.0' } }),
      'l/mine.js': 'M',
    });
    const files = await (await buildApp(dir, { dependencyLayer: true })).files('L');
    expect(packagesIn(files)).toEqual({ 'nodejs/node_modules/is-number': '6.0.0' });
    expect(files).toMatchObject({ 'nodejs/mine.js': 'M' });
  });

  it('runs the package’s own scripts: those that make what is packed, and those after an installation', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/package.json': manifest({
        files: ['dist', 'data'],
        scripts: { prepare: 'node compile.js', postinstall: 'node after.js' },
        dependencies: { 'is-number': '6.0.0' },
      }),
      'a/compile.js': `const fs = require('fs'); fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/app.js', fs.readFileSync('app.txt'));`,
      'a/app.txt': 'compiled 1',
      'a/data/x': '',
      'a/after.js': '',
    });
    await writeFiles(dir, {
      'a/package.json': (await fs.readFile(path.join(dir, 'a/package.json'), 'utf8')).replace(
        'node after.js',
        `node -e \\"require('fs').writeFileSync('node_modules/is-number/patched', '')\\"`,
      ),
    });
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(app.failures).toEqual([]);
    const files = await app.files('A');
    expect(files).toMatchObject({ 'dist/app.js': 'compiled 1', 'node_modules/is-number/patched': '' });
    // scripts may need both source and packages, so these are not apart; and they did not reach the shared ones
    expect(app.result.dependencyLayers.size).toBe(0);
    expect(app.result.notes).toEqual([
      expect.objectContaining({
        ids: ['A'],
        text: expect.stringContaining('its install scripts need source and packages together'),
      }),
    ]);
    const deps = path.join(dir, '.aws-sam/sam-sync/deps');
    const [key = ''] = await fs.readdir(deps);
    expect(await fs.readdir(path.join(deps, key, 'content/nodejs/node_modules/is-number'))).not.toContain('patched');
    expect(await buildApp(dir, { dependencyLayer: true })).toMatchObject({ commands: [] });
    await writeFiles(dir, { 'a/app.txt': 'compiled 2' });
    expect((await (await buildApp(dir)).files('A'))['dist/app.js']).toBe('compiled 2');
  });

  it('says what npm said, and which tool is missing', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ Bad: 'bad', Plain: 'plain' }),
      'bad/package.json': manifest({ dependencies: { 'is-number': '99.99.99' } }),
      'bad/app.js': '',
      'plain/app.js': 'P',
      'plain/node_modules/mine/index.js': 'vendored',
    });
    const { failures, files } = await buildApp(dir);
    expect(failures).toEqual([
      expect.objectContaining({
        ids: ['Bad'],
        message: expect.stringContaining('npm install failed'),
        output: expect.stringContaining('is-number@99.99.99'),
      }),
    ]);
    expect(await files('Plain')).toEqual({ 'app.js': 'P', 'node_modules/mine/index.js': 'vendored' });
    const without = await buildApp(dir, { env: toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) }) });
    expect(without.failures).toEqual([
      expect.objectContaining({ message: expect.stringContaining('npm is needed to install the packages of Bad') }),
    ]);
    await writeFiles(dir, { 'bad/package.json': '{ "dependencies": ' });
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/bad\/package\.json is not valid JSON/) }),
    ]);
  });

  it('--build-in-source uses and updates the source’s own node_modules', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/package.json': manifest({ name: 'a', version: '1.0.0', dependencies: { 'is-number': '6.0.0' } }),
      'a/app.js': '',
    });
    const app = await buildApp(dir, { buildInSource: true });
    expect(app.failures).toEqual([]);
    expect(packagesIn(await app.files('A'))).toEqual({ 'node_modules/is-number': '6.0.0' });
    expect(await buildApp(dir, { buildInSource: true })).toMatchObject({ commands: [], outcomes: { A: 'unchanged' } });
    await writeFiles(dir, { 'a/node_modules/is-number/index.js': 'patched by hand' });
    const patched = await buildApp(dir, { buildInSource: true });
    expect((await patched.files('A'))['node_modules/is-number/index.js']).toBe('patched by hand');
  });
});

const PNPM_LOCK = `lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false
importers:
  .:
    dependencies:
      is-number:
        specifier: '>=6'
        version: 6.0.0
packages:
  is-number@6.0.0:
    resolution: {integrity: sha512-Wu1VHeILBK8KAWJUAiSZQX94GmOE45Rg6/538fKwiloUu21KncEkYGPqob2oSZ5mUT73vLGrHQjKw3KMPwfDzg==}
    engines: {node: '>=0.10.0'}
snapshots:
  is-number@6.0.0: {}
`;
const YARN_LOCK = `# yarn lockfile v1


is-number@>=6:
  version "6.0.0"
  resolved "https://registry.yarnpkg.com/is-number/-/is-number-6.0.0.tgz#e6d15ad31fc262887cccf217ae5f9316f81b1995"
  integrity sha512-Wu1VHeILBK8KAWJUAiSZQX94GmOE45Rg6/538fKwiloUu21KncEkYGPqob2oSZ5mUT73vLGrHQjKw3KMPwfDzg==
`;

const BUN_LOCK = `{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "a",
      "dependencies": {
        "is-number": ">=6",
      },
    },
  },
  "packages": {
    "is-number": ["is-number@6.0.0", "", {}, "sha512-Wu1VHeILBK8KAWJUAiSZQX94GmOE45Rg6/538fKwiloUu21KncEkYGPqob2oSZ5mUT73vLGrHQjKw3KMPwfDzg=="],
  }
}
`;

describe.each([
  ['pnpm', 'pnpm-lock.yaml', PNPM_LOCK],
  ['yarn', 'yarn.lock', YARN_LOCK],
  ...(BUN === undefined ? [] : [['bun', 'bun.lock', BUN_LOCK]]),
] as [string, string, string][])('%s by its lock file', (manager, lockName, lock) => {
  it('installs what it says, without links and bookkeeping', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/package.json': manifest({ name: 'a', version: '1.0.0', dependencies: { 'is-number': '>=6' } }),
      [`a/${lockName}`]: lock,
      'a/app.js': '',
    });
    const app = await buildApp(dir, { env: ENV });
    expect(app.failures).toEqual([]);
    expect(app.commands[0]).toMatch(new RegExp(`^${manager} install `));
    const files = await app.files('A');
    expect(packagesIn(files)).toEqual({ 'node_modules/is-number': '6.0.0' });
    expect(Object.keys(files).filter((name) => /node_modules\/\./.test(name))).toEqual([]);
    expect(await buildApp(dir, { env: ENV })).toMatchObject({ commands: [] });
    const without = await buildApp(dir, { env: toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) }) });
    expect(without.failures).toEqual([]);
  });

  it('says how to get it where it is missing', async () => {
    const dir = await tempFolder({
      'template.yaml': template({ A: 'a' }),
      'a/package.json': manifest({ dependencies: { 'is-number': '>=6' } }),
      [`a/${lockName}`]: lock,
    });
    const { failures } = await buildApp(dir, { env: toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) }) });
    expect(failures).toEqual([
      expect.objectContaining({
        message: `${manager} is needed to install the packages of A (there is a ${lockName}), and it is not on PATH`,
        hint: expect.stringContaining(`npm install --global ${manager}`),
      }),
    ]);
  });
});

describe('workspaces', () => {
  const shared = manifest({
    name: '@my/shared',
    version: '1.0.0',
    main: 'index.js',
    files: ['index.js'],
    dependencies: { 'is-number': '6.0.0' },
  });
  const files = {
    'template.yaml': template({ A: 'packages/fn' }),
    'package.json': manifest({ name: 'root', private: true, workspaces: ['packages/*'] }),
    // another version than the shared package needs: each must find its own
    'packages/fn/package.json': manifest({
      name: 'fn',
      version: '1.0.0',
      dependencies: { '@my/shared': '1.0.0', 'is-number': '7.0.0' },
    }),
    'packages/fn/app.js': `exports.handler = async () => [require('is-number/package.json').version, require('@my/shared')()];`,
    'packages/shared/package.json': shared,
    'packages/shared/index.js': `module.exports = () => require('is-number/package.json').version;`,
    'packages/shared/test.js': 'not published',
    'packages/other/package.json': manifest({ name: 'other', version: '1.0.0', dependencies: { 'is-odd': '3.0.1' } }),
  };
  const lockWith: Record<string, { command: string[]; more?: Record<string, string> }> = {
    npm: { command: ['npm', 'install', '--package-lock-only', '--ignore-scripts'] },
    pnpm: {
      command: [path.join(BIN, 'pnpm'), 'install', '--lockfile-only'],
      more: {
        'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
        'package.json': manifest({ name: 'root', private: true }),
        'packages/fn/package.json': manifest({
          name: 'fn',
          version: '1.0.0',
          dependencies: { '@my/shared': 'workspace:*', 'is-number': '7.0.0' },
        }),
      },
    },
    yarn: { command: [path.join(BIN, 'yarn'), 'install', '--silent', '--ignore-scripts', '--non-interactive'] },
    ...(BUN === undefined ? {} : { bun: { command: [path.join(BUN, 'bun'), 'install', '--lockfile-only'] } }),
  };

  it.each(Object.keys(lockWith))('%s: a member has its own packages and real copies of local ones', async (manager) => {
    const { command, more } = lockWith[manager]!;
    const dir = await tempFolder({ ...files, ...more });
    const { execFileSync } = await import('node:child_process');
    execFileSync(command[0]!, command.slice(1), { cwd: dir, stdio: 'pipe', env: ENV });
    await Promise.all(
      ['', 'packages/fn/', 'packages/shared/'].map((folder) =>
        fs.rm(path.join(dir, folder, 'node_modules'), { recursive: true, force: true }),
      ),
    );
    const app = await buildApp(dir, { env: ENV });
    expect(app.failures).toEqual([]);
    expect(app.commands[0]).toMatch(new RegExp(`^${manager} `));
    expect(packagesIn(await app.files('A'))).toEqual({
      'node_modules/@my/shared': '1.0.0',
      'node_modules/@my/shared/node_modules/is-number': '6.0.0',
      'node_modules/is-number': '7.0.0',
    });
    expect(Object.keys(await app.files('A'))).not.toContain('node_modules/@my/shared/test.js');
    const { createRequire } = await import('node:module');
    const folder = await fs.realpath(app.result.folders.get('A')!.path);
    const { handler } = createRequire(path.join(folder, 'x.js'))('./app.js') as { handler: () => Promise<unknown> };
    expect(await handler()).toEqual(['7.0.0', '6.0.0']);
    expect(await buildApp(dir, { env: ENV })).toMatchObject({ commands: [] });
    await writeFiles(dir, { 'packages/shared/index.js': 'changed' });
    expect((await (await buildApp(dir, { env: ENV })).files('A'))['node_modules/@my/shared/index.js']).toBe('changed');
  });
});
