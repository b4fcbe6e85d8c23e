import { DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import type { Fault } from '../support/fault-answers.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { story } from '../support/story.ts';
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
async function trustedApp(stackName: string, files: Record<string, string>, id = 'Fn'): Promise<CodeApp> {
  const app = await openApp(stackName, { ...code('v1'), ...files });
  await app.plain();
  await app.write(code('v2'));
  expect((await app.code([id])).outcomes).toEqual({ [id]: 'synced' });
  proxy.clear();
  return app;
}

/** The same, too long ago to be trusted. */
async function knownApp(...parts: Parameters<typeof trustedApp>): Promise<CodeApp> {
  const app = await trustedApp(...parts);
  await fs.rm(confirmedFolder(app), { recursive: true, force: true });
  return app;
}

const confirmedFolder = ({ dir }: CodeApp): string => path.join(dir, '.aws-sam/sam-sync/confirmed');

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

/** The requests with code, in order: `ahead` has the condition that nothing has changed the function. */
const sent = (): string[] =>
  proxy.calls
    .filter(({ operation }) => operation === 'UpdateFunctionCode')
    .map(({ body, path: url, status }) => {
      const name = /functions\/([^/]+)/.exec(url)?.[1] ?? url;
      return `${'RevisionId' in (JSON.parse(body.toString()) as object) ? 'ahead to ' : ''}${name}: ${status ?? 'lost'}`;
    });

/** Syncs the function; CloudFormation answers when Lambda has answered to code that was sent ahead. */
async function codeAhead(
  app: CodeApp,
  asked = 'DescribeStackResource',
  answer?: Fault,
): Promise<Awaited<ReturnType<CodeApp['code']>>> {
  const held = proxy.hold({ operation: asked });
  const syncing = app.code(['Fn']);
  await held.arrived;
  await poll(async () => {
    const update = proxy.calls.find(({ operation }) => operation === 'UpdateFunctionCode');
    return update?.status === undefined && update?.fault === undefined ? undefined : true;
  });
  held.release(answer);
  return syncing;
}

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

/** What such a sync says about a function that is not the stack's. */
const SENT_EARLY = 'It had received the new code before CloudFormation answered';

const trusting = story('--code of a function that CloudFormation confirmed minutes ago', {
  afterEach: () => proxy.clear(),
});
const fn = 'trusted-fn';
// a deployment of two resources leaves their list, whose state one call confirms
const two = (properties: string): Record<string, string> => {
  const text = template(fn).replace('Properties: {', `Properties: {${properties}`);
  return {
    'template.yaml': `${text}${template('neighbour-fn').split('Resources:\n')[1]?.replace('Fn:', 'Other:') ?? ''}`,
  };
};
let app: CodeApp;
trusting('sends code before CloudFormation answers', async () => {
  app = await trustedApp('trusted', two(''));
  await app.write(code('v3'));
  expect((await codeAhead(app, 'DescribeStacks')).outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual([`ahead to ${fn}: 200`]);
  const operations = proxy.calls.map(({ operation }) => operation);
  const update = operations.indexOf('UpdateFunctionCode');
  expect(operations.slice(0, update).sort()).toEqual(['DescribeStacks', 'GetFunction']);
  expect(operations.slice(update + 1).filter((operation) => operation !== 'GetFunction')).toEqual([]);
  expect(await invoke(cloud.endpoint, fn)).toBe('v3');
});
trusting('compares as always if someone has changed a setting of it', async () => {
  const { lambda } = clients(cloud.endpoint);
  const Environment = { Variables: { BY: 'hand' } };
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: fn, Environment }));
  await app.write(code('v4'));
  expect((await codeAhead(app, 'DescribeStacks')).outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual([`ahead to ${fn}: 412`, `${fn}: 200`]);
  expect(await invoke(cloud.endpoint, fn)).toBe('v4');
});
trusting('compares as always if someone has changed its code', async () => {
  const { lambda } = clients(cloud.endpoint);
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: foreignZip }));
  await app.write(code('v5'));
  expect((await codeAhead(app, 'DescribeStacks')).outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual([`ahead to ${fn}: 412`, `${fn}: 200`]);
});
trusting('waits as always while another update is in progress', async () => {
  const busy = { status: 409, code: 'ResourceConflictException', message: 'An update is in progress' };
  proxy.fault({ operation: 'UpdateFunctionCode' }, { kind: 'error', ...busy });
  await app.write(code('v6'));
  expect((await codeAhead(app, 'DescribeStacks')).outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual([`ahead to ${fn}: 409`, `${fn}: 200`]);
});
trusting('sends the code again if the answer is lost', async () => {
  proxy.fault({ operation: 'UpdateFunctionCode' }, { kind: 'reset', when: 'after-answer' });
  await app.write(code('v7'));
  expect((await codeAhead(app, 'DescribeStacks')).outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual([`ahead to ${fn}: lost`, `${fn}: 200`]);
  expect(await invoke(cloud.endpoint, fn)).toBe('v7');
});
trusting('reports that it has the code if CloudFormation does not confirm it', async () => {
  await app.write(code('v8'));
  const error: unknown = await codeAhead(app, 'DescribeStacks', { kind: 'denied' }).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain('may not perform cloudformation:DescribeStacks');
  expect(String((error as Error).cause)).toContain(
    `${fn} has the new code, but CloudFormation did not confirm that it is still Fn of the stack / Sync again`,
  );
});
trusting('is sent code while CloudFormation updates the stack, which the sync warns of', async () => {
  await app.write(code('v9'));
  const body = (text: string): string => text.replace('CREATE_COMPLETE', 'UPDATE_IN_PROGRESS');
  const { outcomes, notes } = await codeAhead(app, 'DescribeStacks', { kind: 'change', body });
  expect(outcomes).toEqual({ Fn: 'synced' });
  expect(notes.join()).toContain('Stack trusted is in UPDATE_IN_PROGRESS: CloudFormation may still undo this sync');
});
trusting('is not trusted after a deployment', async () => {
  await app.write(two('MemorySize: 256, '));
  expect((await app.plain()).way).toBe('deploy');
  expect(await fs.readdir(confirmedFolder(app))).toEqual([]);
});

const correcting = story('code that was sent to a function that the stack has given up', {
  afterEach: () => proxy.clear(),
});
const retained = (name: string): Record<string, string> => ({
  'template.yaml': template(name).replace('Fn: {', 'Fn: {DeletionPolicy: Retain, UpdateReplacePolicy: Retain, '),
});
let other: CodeApp;
correcting('is put back, and the function that the stack has now gets it', async () => {
  app = await trustedApp('moved', retained('first-fn'));
  const before = await hashOf('first-fn');
  // from another checkout, so that this one does not know
  other = await openApp('moved', { ...code('v1'), ...retained('second-fn') });
  await other.plain();
  await app.write(code('v3'));
  proxy.clear();
  const { outcomes, notes } = await codeAhead(app);
  expect(outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual(['ahead to first-fn: 200', 'ahead to first-fn: 200', 'second-fn: 200']);
  expect(notes.join()).toContain(
    `first-fn is no longer in the stack: Fn is second-fn now / ${SENT_EARLY}, and has its previous code again.`,
  );
  expect(await hashOf('first-fn')).toBe(before);
  expect(await invoke(cloud.endpoint, 'second-fn')).toBe('v3');
});
correcting('stays where someone else has changed the function since', async () => {
  await other.write(retained('third-fn'));
  await other.plain();
  await app.write(code('v4'));
  proxy.clear();
  const changed = { status: 412, code: 'PreconditionFailedException', message: 'The RevisionId does not match' };
  proxy.fault({ operation: 'UpdateFunctionCode' }, { kind: 'error', ...changed }, { skip: 1 });
  const { outcomes, notes } = await codeAhead(app);
  expect(outcomes).toEqual({ Fn: 'synced' });
  expect(sent()).toEqual(['ahead to second-fn: 200', 'ahead to second-fn: 412', 'third-fn: 200']);
  expect(notes.join()).toContain(`${SENT_EARLY}, and its previous code could not be put back: `);
  expect(notes.join()).toContain('Sync or deploy the stack that second-fn belongs to.');
});
correcting('is put back if the stack no longer exists', async () => {
  const before = await hashOf('third-fn');
  await clients(cloud.endpoint).cloudformation.send(new DeleteStackCommand({ StackName: 'moved' }));
  await app.write(code('v5'));
  const error: unknown = await codeAhead(app).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain('There is no stack moved');
  expect(String((error as Error).cause)).toContain(`third-fn is no longer in the stack / ${SENT_EARLY}, and has its`);
  expect(await hashOf('third-fn')).toBe(before);
});
