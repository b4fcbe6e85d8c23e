import { DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { zipBytes } from '../support/zip-bytes.ts';

const ROLE = 'arn:aws:iam::000000000000:role/x';
const template = (name: string): string => `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler, CodeUri: fn}}
Resources:
  Fn: {Type: AWS::Serverless::Function, Properties: {FunctionName: ${name}, Role: "${ROLE}"}}
`;
const PARENT = `
Transform: AWS::Serverless-2016-10-31
Resources: {Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}}
`;
const code = (version: string): Record<string, string> => ({
  'fn/app.py': `def handler(event, context):\n    return '${version}'\n`,
});
const foreignZip = zipBytes({ 'app.py': "def handler(event, context):\n    return 'foreign'\n" });

let cloud: TestCloud;
let proxy: FaultProxy;
const apps: CodeApp[] = [];

/** An application whose stack is deployed, and whose function an earlier `--code` has found. */
async function knownApp(stackName: string, files: Record<string, string>, id = 'Fn'): Promise<CodeApp> {
  const app = await openApp(stackName, { ...code('v1'), ...files });
  await app.plain();
  await app.write(code('v2'));
  expect((await app.code([id])).outcomes).toEqual({ [id]: 'synced' });
  proxy.clear();
  return app;
}

async function openApp(stackName: string, files: Record<string, string>): Promise<CodeApp> {
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const app = await createCodeApp(env, files, { stackName, dependencyLayer: false });
  apps.push(app);
  return app;
}

/** The functions that were sent code, in order. */
const updated = (): string[] =>
  proxy.calls
    .filter(({ operation }) => operation === 'UpdateFunctionCode')
    .map(({ path: url }) => /functions\/([^/]+)/.exec(url)?.[1] ?? url);
const hashOf = async (name: string): Promise<string | undefined> =>
  (await clients(cloud.endpoint).lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).CodeSha256;

beforeAll(async () => {
  cloud = await startTestCloud({ SAM_SYNC_CLOUD_STATE_DELAY: '0' });
});
beforeEach(async () => {
  proxy = await startFaultProxy(cloud.endpoint);
});
afterEach(async () => {
  await proxy.stop();
  for (const app of apps.splice(0)) await app.remove();
  await cloud.reset();
});
afterAll(async () => {
  await cloud.stop();
});

it('--code of a known function asks CloudFormation and Lambda and builds at the same time, and sends code after both answered', async () => {
  const app = await knownApp('known', { 'template.yaml': template('known-fn') });
  await app.write(code('v3'));
  const held = proxy.hold({ operation: 'DescribeStackResource' });
  const syncing = app.code(['Fn']);
  await held.arrived;
  await poll(async () => (proxy.count('GetFunction') > 0 ? true : undefined));
  const built = path.join(app.dir, '.aws-sam/build/Fn/app.py');
  await poll(async () => ((await fs.readFile(built, 'utf8').catch(() => '')).includes('v3') ? true : undefined));
  expect(updated()).toEqual([]);
  held.release();
  expect((await syncing).outcomes).toEqual({ Fn: 'synced' });
  const operations = proxy.calls.map(({ operation }) => operation);
  const update = operations.indexOf('UpdateFunctionCode');
  expect(operations.slice(0, update).sort()).toEqual(['DescribeStackResource', 'GetFunction']);
  // until the update is complete, if its answer does not say so
  expect(operations.slice(update + 1).filter((operation) => operation !== 'GetFunction')).toEqual([]);
  expect(await invoke(cloud.endpoint, 'known-fn')).toBe('v3');
});

it('--code that fails while it builds ahead ends the build: a missing stack is reported at once', async () => {
  const made = (recipe: string): Record<string, string> => ({
    'template.yaml': template('ended-fn').replace('Fn: {', 'Fn: {Metadata: {BuildMethod: makefile}, '),
    'fn/Makefile': `build-Fn:\n\tcp app.py $(ARTIFACTS_DIR)/\n\t${recipe}\n`,
  });
  const app = await knownApp('ended', made('true'));
  const begun = path.join(app.dir, 'begun');
  await app.write({ ...code('v3'), ...made(`echo begun > '${begun}'; sleep 600`) });
  const held = proxy.hold({ operation: 'DescribeStackResource' });
  const failing = app.code(['Fn']).catch((error: unknown) => String(error));
  await poll(async () => ((await fs.readFile(begun, 'utf8').catch(() => '')) === '' ? undefined : true));
  await clients(cloud.endpoint).cloudformation.send(new DeleteStackCommand({ StackName: 'ended' }));
  await poll(async () =>
    hashOf('ended-fn').then(
      () => undefined,
      () => true,
    ),
  );
  held.release();
  expect(await failing).toContain('There is no stack ended');
  expect(updated()).toEqual([]);
});

it('--code of a known function in a nested stack asks both stacks and Lambda at the same time', async () => {
  const files = { 'template.yaml': PARENT, 'child.yaml': template('nested-fn') };
  const app = await knownApp('nested', files, 'Child/Fn');
  await app.write(code('v3'));
  const held = proxy.hold({ operation: 'DescribeStackResource' });
  const syncing = app.code(['Child/Fn']);
  await poll(async () =>
    proxy.count('DescribeStackResource') === 2 && proxy.count('GetFunction') === 1 ? true : undefined,
  );
  held.release();
  expect((await syncing).outcomes).toEqual({ 'Child/Fn': 'synced' });
  expect(proxy.count('DescribeStackResource')).toBe(2);
  expect(await invoke(cloud.endpoint, 'nested-fn')).toBe('v3');
});

it.each([
  ['at the root', 'Fn', (name: string) => ({ 'template.yaml': template(name) })],
  ['in a nested stack', 'Child/Fn', (name: string) => ({ 'template.yaml': PARENT, 'child.yaml': template(name) })],
])(
  'a stack that was deleted and created again %s: code goes to its function, never to the one that has the old name',
  async (_where, id, files) => {
    const app = await knownApp('again', files('old-name'), id);
    const { cloudformation, lambda } = clients(cloud.endpoint);
    await cloudformation.send(new DeleteStackCommand({ StackName: 'again' }));
    await poll(async () =>
      hashOf('old-name').then(
        () => undefined,
        () => true,
      ),
    );
    const foreign = { FunctionName: 'old-name', Role: ROLE, Runtime: 'python3.11', Handler: 'app.handler' } as const;
    await lambda.send(new CreateFunctionCommand({ ...foreign, Code: { ZipFile: foreignZip } }));
    const before = await hashOf('old-name');
    // from another checkout, so that this one remembers the old stack
    await (await openApp('again', { ...code('v1'), ...files('new-name') })).plain();
    await app.write({ ...files('new-name'), ...code('v3') });
    proxy.clear();
    expect((await app.code([id])).outcomes).toEqual({ [id]: 'synced' });
    expect(updated()).toEqual(['new-name']);
    expect(await hashOf('old-name')).toBe(before);
    expect(await invoke(cloud.endpoint, 'new-name')).toBe('v3');
  },
);

it('a known function that someone deleted fails, and no code is sent', async () => {
  const app = await knownApp('deleted', { 'template.yaml': template('deleted-fn') });
  await clients(cloud.endpoint).lambda.send(new DeleteFunctionCommand({ FunctionName: 'deleted-fn' }));
  await app.write(code('v3'));
  const { outcomes, exitCode } = await app.code(['Fn']);
  expect([outcomes, exitCode]).toEqual([{ Fn: 'failed' }, 1]);
  expect(updated()).toEqual([]);
});

it('a known function that someone changed by hand gets the code of the project again', async () => {
  const app = await knownApp('by-hand', { 'template.yaml': template('by-hand-fn') });
  const { lambda } = clients(cloud.endpoint);
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'by-hand-fn', ZipFile: foreignZip }));
  expect((await app.code(['Fn'])).outcomes).toEqual({ Fn: 'synced' });
  expect(await invoke(cloud.endpoint, 'by-hand-fn')).toBe('v2');
});

it('a resource that left the stack is not found, although an earlier run knows it', async () => {
  const app = await knownApp('left', { 'template.yaml': template('left-fn') });
  const other = template('left-other').replace('  Fn:', '  Other:');
  await (await openApp('left', { ...code('v1'), 'template.yaml': other })).plain();
  await app.write(code('v3'));
  proxy.clear();
  expect((await app.code(['Fn'])).outcomes).toEqual({ Fn: 'failed' });
  expect(updated()).toEqual([]);
});
