import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { snapshotFolder, tempFolder, writeFiles } from '../support/temp-folder.ts';
import { startReadyWatch } from '../support/watch-cli.ts';

let cloud: TestCloud;
let proxy: FaultProxy;
let env: Record<string, string>;
beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
});
afterAll(async () => {
  await proxy?.stop();
  await cloud?.stop();
});

const FN = 'Type: AWS::Serverless::Function, Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: fn }';
const APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: { ${FN} }
  Layer: { Type: AWS::Serverless::LayerVersion, Metadata: { BuildMethod: python3.13 }, Properties: { ContentUri: layer } }
  User: { Type: AWS::Serverless::Function, Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: user, Layers: [!Ref Layer] } }
  Child: { Type: AWS::Serverless::Application, Properties: { Location: child.yaml } }
`,
  'child.yaml': `Transform: AWS::Serverless-2016-10-31\nResources:\n  Fn: { ${FN} }\n`,
  'fn/app.py': 'def handler(event, context): return 0',
  'user/app.py': 'def handler(event, context): return 0',
  'layer/mod.py': 'x = 0',
};

const sync = (cwd: string, stackName: string, ...args: string[]) =>
  runCli(['--stack-name', stackName, '--yes', ...args], { cwd, env });

async function synced(cwd: string, stackName: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sync(cwd, stackName, ...args);
  expect(code, stdout + stderr).toBe(0);
  return stdout + stderr;
}

/** What other commands find in the folder of built templates. */
const laidOut = (dir: string, file: string): Promise<string> =>
  fs.readFile(path.join(dir, '.aws-sam/auto-dependency-layer', file), 'utf8');

describe('an id that is no logical id', () => {
  it.each(['../../victim', 'a/../../../victim', '..', 'Fn-1'])('%s: refused before anything is written', async (id) => {
    const outer = await tempFolder({ 'victim/precious': 'p' });
    const app = path.join(outer, 'app');
    await writeFiles(app, { ...APP, 'template.yaml': APP['template.yaml'].replace(' Fn:', ` "${id}":`) });
    const before = await snapshotFolder(outer);
    for (const args of [[], ['--code'], ['--dry-run'], ['--no-dependency-layer', '--code', '--dry-run']]) {
      const { code, stderr } = await sync(app, 'ids', ...args);
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(stderr).toContain(`template.yaml:3:3: The logical ID "${id}" must have 1 to 255 characters`);
      expect(await snapshotFolder(outer)).toEqual(before);
    }
  });
});

it('a dry run writes nothing beside its cache', async () => {
  const app = await tempFolder({ ...APP, '.aws-sam/build.toml': 'x', '.aws-sam/build/Fn/app.py': 'of AWS SAM CLI' });
  const withoutCache = async () =>
    Object.entries(await snapshotFolder(app)).filter(([name]) => !name.startsWith('.aws-sam/sam-sync'));
  const before = await withoutCache();
  for (const args of [['--no-dependency-layer'], ['--dependency-layer'], ['--save-params', '--tags', 'a=b']]) {
    expect(await synced(app, 'dry', '--dry-run', ...args)).toContain('Stack dry would be created');
    expect(await withoutCache()).toEqual(before);
  }
});

describe('the folder of built templates', () => {
  it('follows plain syncs, code syncs of all and of some', async () => {
    const app = await tempFolder(APP);
    await synced(app, 'follows');
    const template = await laidOut(app, 'template.yaml');
    await writeFiles(app, { 'fn/app.py': 'one', 'layer/mod.py': 'x = 1' });
    await synced(app, 'follows', '--code', '--resource-id', 'Fn');
    const places = ['Fn/app.py', 'Child/Fn/app.py', 'Layer/python/mod.py'];
    const all = () => Promise.all(places.map((file) => laidOut(app, file)));
    expect(await all()).toEqual(['one', APP['fn/app.py'], 'x = 0']);
    await synced(app, 'follows', '--code');
    expect(await all()).toEqual(['one', 'one', 'x = 1']);
    await writeFiles(app, { 'fn/app.py': 'two' });
    await synced(app, 'follows', '--code', '--dry-run');
    expect(await all()).toEqual(['one', 'one', 'x = 1']);
    // settings and templates as they are: a plain sync by the services' own APIs
    await synced(app, 'follows');
    expect(await all()).toEqual(['two', 'two', 'x = 1']);
    expect(await laidOut(app, 'template.yaml')).toBe(template);
  });

  it('follows a watch, and leads to what is there after many saves', async () => {
    const app = await tempFolder(APP);
    const watch = await startReadyWatch(app, env, ['--stack-name', 'watched']);
    for (let n = 1; n <= 9; n++) {
      expect(await watch.save('fn/app.py', `def handler(event, context): return ${n}`, 'Fn')).toMatchObject({
        state: 'in-sync',
      });
      await watch.quiet(100);
    }
    const wanted = 'def handler(event, context): return 9';
    expect([await laidOut(app, 'Fn/app.py'), await laidOut(app, 'Child/Fn/app.py')]).toEqual([wanted, wanted]);
    expect(await laidOut(app, 'User/app.py')).toBe(APP['user/app.py']);
    expect(await laidOut(app, 'Layer/python/mod.py')).toBe('x = 0');
    await watch.stop();
  });
});

it('what a held sync is about to send stays while a watch builds many versions, and removed zips are made again', async () => {
  const other = APP['child.yaml'].replace('CodeUri: fn', 'CodeUri: user');
  const app = await tempFolder({ ...APP, 'other.yaml': other });
  await synced(app, 'held');
  await writeFiles(app, { 'user/app.py': 'def handler(event, context): return "held"', 'layer/mod.py': 'x = 2' });
  const held = proxy.hold({ operation: 'PublishLayerVersion' });
  // what its user is to have is zipped by now, and waits for the layer
  const waiting = sync(app, 'held', '--code', '--output', 'json');
  await held.arrived;
  // nothing but the sync that waits uses that version of the code then
  const watch = await startReadyWatch(app, env, ['--stack-name', 'other', '--template-file', 'other.yaml']);
  for (let n = 0; n < 8; n++) await watch.save('user/app.py', `def handler(event, context): return ${n}`, 'Fn');
  await watch.stop('SIGKILL');
  const store = path.join(app, '.aws-sam/sam-sync/artifacts');
  for (const key of await fs.readdir(store)) await fs.rm(path.join(store, key, 'package.zip'), { force: true });
  held.release();
  const { code, stdout, stderr } = await waiting;
  expect(code, stderr).toBe(0);
  const { resources } = JSON.parse(stdout) as { resources: { id: string; outcome: string }[] };
  expect(Object.fromEntries(resources.map(({ id, outcome }) => [id, outcome]))).toMatchObject({
    Layer: 'synced',
    User: 'synced',
  });
});

it('state files that are damaged cost time, nothing else', async () => {
  const app = await tempFolder(APP);
  await synced(app, 'damaged');
  const store = path.join(app, '.aws-sam/sam-sync');
  const names = Object.keys(await snapshotFolder(store)).filter(
    (name) => name.endsWith('.json') && !name.includes('/content/'),
  );
  expect(names).toEqual(
    expect.arrayContaining([expect.stringMatching(/^stacks\//), expect.stringMatching(/^artifacts\/.*entry\.json$/)]),
  );
  for (const text of [
    'null',
    '[]',
    '5',
    '{"version":1,"folders":[[1]],"listings":{"":null},"key":1,"sha256":{}}',
    '{',
  ]) {
    await writeFiles(store, Object.fromEntries(names.map((name) => [name, text])));
    expect(await synced(app, 'damaged'), text).toContain('Stack damaged is up to date');
    await writeFiles(store, Object.fromEntries(names.map((name) => [name, text])));
    expect(await synced(app, 'damaged', '--code'), text).toMatch(/Code sync: \d unchanged/);
  }
});

describe('a watch goes on', () => {
  const NODE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: { Type: AWS::Serverless::Function, Properties: { Runtime: nodejs22.x, Handler: app.handler, CodeUri: fn } }
`;

  it('when package.json gets shapes that nobody expects', async () => {
    const app = await tempFolder({ 'template.yaml': NODE, 'fn/app.js': '', 'fn/package.json': '{}' });
    const watch = await startReadyWatch(app, env, ['--stack-name', 'shapes']);
    expect(await watch.save('fn/package.json', '{"bundleDependencies": true, "files": "x"}', 'Fn')).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('files must be a list of strings') },
    });
    const valid = '{"bundleDependencies": true, "bin": {"x": "./app.js"}}';
    expect(await watch.save('fn/package.json', valid, 'Fn')).toMatchObject({ state: 'in-sync' });
    expect(await watch.save('fn/app.js', '// again', 'Fn')).toMatchObject({ state: 'in-sync' });
  });

  it('after something was thrown in a callback that nobody waits for', async () => {
    const hook = path.join(await tempFolder({ 'hook.cjs': HOOK }), 'hook.cjs');
    const app = await tempFolder({ 'template.yaml': NODE, 'fn/app.js': '' });
    const watch = await startReadyWatch(app, { ...env, NODE_OPTIONS: `--require ${hook}` }, ['--stack-name', 'stray']);
    expect(await watch.save('fn/app.js', '// throw', 'Fn')).toMatchObject({ state: 'in-sync' });
    process.kill(watch.pid, 'SIGUSR2');
    process.kill(watch.pid, 'SIGUSR2');
    expect(await watch.save('fn/app.js', '// goes on', 'Fn')).toMatchObject({ state: 'in-sync' });
    expect(watch.stderr().match(/Error: thrown in a callback/g)).toHaveLength(1);
    expect(watch.stderr()).toContain('The watch continues. This is a defect of sam-sync');
    expect((await watch.stop()).code).toBe(0);
  });
});

const HOOK = `process.on('SIGUSR2', () => { throw new Error('thrown in a callback'); });`;
