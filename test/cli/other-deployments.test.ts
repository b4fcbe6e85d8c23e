import * as fs from 'node:fs/promises';
import { DescribeStacksCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { zipSync } from 'fflate';
import { beforeEach, describe, expect, it } from 'vitest';
import { clients, invoke, poll } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isStack, startReadyWatch } from '../support/watch-cli.ts';
import { openCloud } from '../support/open-cloud.ts';

const template = (memory: number): string => `Transform: AWS::Serverless-2016-10-31
Parameters: {Note: {Type: String, Default: ours}}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, Handler: app.handler, CodeUri: fn, MemorySize: ${memory}, Description: !Ref Note}
Outputs: {Fn: {Value: !Ref Fn}}
`;
const OTHER = `  Other:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, Handler: app.handler, CodeUri: other}
`;
const python = (version: number): string => `def handler(event, context):\n    return ${version}\n`;
const SINCE = 'was deployed, but then changed';

const { cloud, proxy } = await openCloud();

beforeEach(() => proxy.clear());

/** An application that is deployed with version 1 of its code. */
async function deployed(stackName: string) {
  const app = await tempFolder({ 'template.yaml': template(128), 'fn/app.py': python(1) });
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const args = ['--stack-name', stackName];
  const sync = async (...more: string[]) => {
    const result = await runCli(['--yes', '--output', 'json', ...args, ...more], { cwd: app, env });
    return { ...result, document: JSON.parse(result.stdout) as Record<string, unknown> };
  };
  const { document } = await sync();
  const { Fn } = document['outputs'] as Record<string, string>;
  proxy.clear();
  return { app, env, args, sync, answer: () => invoke(cloud.endpoint, Fn ?? '') };
}

/** Somebody else changes a parameter, as soon as the stack can be updated, and it ends well. */
async function deployTheirs(StackName: string, note: string): Promise<void> {
  const { cloudformation } = clients(cloud.endpoint);
  const ended = (): Promise<true | undefined> =>
    poll(async () => {
      const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
      return Stacks?.[0]?.StackStatus?.endsWith('_IN_PROGRESS') === false ? true : undefined;
    });
  await ended();
  await cloudformation.send(
    new UpdateStackCommand({
      StackName,
      UsePreviousTemplate: true,
      Parameters: [{ ParameterKey: 'Note', ParameterValue: note }],
      Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    }),
  );
  await ended();
}

describe('someone else deploys right after us', () => {
  it.each([
    ['before we see the end of ours', 'events', { operation: 'DescribeStackEvents' }],
    [
      'before code is compared',
      'compare',
      { service: 'lambda', when: () => proxy.count('UpdateStack') > 0 && proxy.count('DescribeStackEvents') > 0 },
    ],
  ])('%s: it is said, and code is left as it is; the next sync brings both', async (_, name, when) => {
    const { app, sync, answer } = await deployed(`others-${name}`);
    // CloudFormation would not bring version 1 back: a code sync does, after the deployment
    await writeFiles(app, { 'fn/app.py': python(2) });
    expect((await sync('--code')).code).toBe(0);
    await writeFiles(app, { 'fn/app.py': python(1), 'template.yaml': template(192) });
    proxy.clear();

    const held = proxy.hold(when);
    const running = sync();
    await held.arrived;
    await deployTheirs(`others-${name}`, 'theirs');
    held.release();
    const { code, document, stderr } = await running;
    expect(code).toBe(1);
    expect(document).toMatchObject({ status: 'failed', error: { message: expect.stringContaining(SINCE) } });
    expect(stderr).not.toContain('is in sync');
    // their operation is not told as ours
    expect(stderr.match(/^UPDATE_COMPLETE .*AWS::CloudFormation::Stack/gm)).toHaveLength(1);
    expect(proxy.count('UpdateFunctionCode')).toBe(0);
    expect(await answer()).toBe(2);

    expect(await sync()).toMatchObject({ code: 0 });
    expect(await answer()).toBe(1);
  });

  it('in a watch: the stack is not told as in sync, and can be deployed again', async () => {
    const { app, env, args } = await deployed('others-watch');
    const watch = await startReadyWatch(app, env, args);
    const held = proxy.hold({ operation: 'DescribeStackEvents' });
    const mark = watch.lines.length;
    await watch.write('template.yaml', template(192));
    await held.arrived;
    await deployTheirs('others-watch', 'theirs');
    held.release();
    const { error } = await watch.seen(isStack('failed'), mark);
    expect(error?.message).toContain(SINCE);
    await watch.after(() => watch.write('template.yaml', template(256)), isStack('in-sync'));
    expect((await watch.stop()).code).toBe(0);
  });
});

describe('someone else deploys the same at the same time', () => {
  /** The application of somebody else, with the same files. */
  const theirs = async (app: string): Promise<string> => {
    const folder = await tempFolder();
    await fs.cp(app, folder, {
      recursive: true,
      filter: (source) => !source.includes('.aws-sam'),
    });
    return folder;
  };

  it('a stack that is there: the later one finds nothing to update and compares its code', async () => {
    const { app, env, args, sync, answer } = await deployed('others-same');
    await writeFiles(app, { 'fn/app.py': python(2), 'template.yaml': template(192) });
    const cwd = await theirs(app);
    const held = proxy.hold({ operation: 'UpdateStack' });
    const running = sync();
    await held.arrived;
    const first = await runCli(['--yes', ...args], { cwd, env: { ...env, AWS_ENDPOINT_URL: cloud.endpoint } });
    expect(first.code, first.stderr).toBe(0);
    held.release();
    const { code, document, stderr } = await running;
    expect([code, document['status']], stderr).toEqual([0, 'unchanged']);
    expect(await answer()).toBe(2);
  });

  it('a new stack: the later one finds it and compares its code', async () => {
    const app = await tempFolder({ 'template.yaml': template(128), 'fn/app.py': python(1) });
    const cwd = await theirs(app);
    const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
    const args = ['--yes', '--stack-name', 'others-new'];
    const held = proxy.hold({ operation: 'CreateStack', when: ({ body }) => body.includes('others-new') });
    const running = runCli(args, { cwd: app, env });
    await held.arrived;
    const first = await runCli(args, { cwd, env: { ...env, AWS_ENDPOINT_URL: cloud.endpoint } });
    expect(first.code, first.stderr).toBe(0);
    held.release();
    const { code, stderr } = await running;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Someone else created stack others-new: checking the stack again');
    expect(stderr).toContain('Stack others-new is up to date');
  });
});

it('someone else deploys while we build: what is there is compared again before code is sent', async () => {
  const { app, sync, answer } = await deployed('others-meanwhile');
  await writeFiles(app, { 'fn/app.py': python(2) });
  const held = proxy.hold({ operation: 'DescribeStacks', when: () => proxy.count('DescribeStacks') === 2 });
  const running = sync();
  await held.arrived;
  expect(proxy.count('UpdateFunctionCode')).toBe(0);
  await deployTheirs('others-meanwhile', 'theirs');
  held.release();
  const { code, document, stderr } = await running;
  expect({ code, status: document['status'] }).toEqual({ code: 0, status: 'synced' });
  expect(stderr).toContain('Someone else has changed stack others-meanwhile meanwhile: looking again');
  expect(proxy.count('UpdateFunctionCode')).toBe(1);
  expect(await answer()).toBe(2);
});

it('someone else updates one function while another one is still synced: the run fails, and the next one is right', async () => {
  const two = template(128).replace('Outputs: {', `${OTHER}Outputs: {Other: {Value: !Ref Other}, `);
  const app = await tempFolder({ 'template.yaml': two, 'fn/app.py': python(1), 'other/app.py': python(1) });
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const sync = async (...more: string[]) => {
    const result = await runCli(['--yes', '--output', 'json', '--stack-name', 'others-function', ...more], {
      cwd: app,
      env,
    });
    return { ...result, document: JSON.parse(result.stdout) as Record<string, unknown> };
  };
  const { document } = await sync();
  const { Fn = '', Other = '' } = document['outputs'] as Record<string, string>;
  await writeFiles(app, { 'fn/app.py': python(2), 'other/app.py': python(2) });
  proxy.clear();
  const held = proxy.hold({ operation: 'UpdateFunctionCode', when: ({ path: to }) => to.includes(`/${Fn}/`) });
  const running = sync('--code');
  await held.arrived;
  await poll(async () => ((await invoke(cloud.endpoint, Other)) === 2 ? true : undefined));
  const ZipFile = zipSync({ 'app.py': Buffer.from(python(3)) });
  await clients(cloud.endpoint).lambda.send(new UpdateFunctionCodeCommand({ FunctionName: Other, ZipFile }));
  held.release();
  const { code, document: said, stderr } = await running;
  expect(code, stderr).toBe(1);
  expect(said).toMatchObject({ status: 'failed' });
  expect(stderr).toContain('Other was synced, but then changed by someone else');
  expect(await sync('--code')).toMatchObject({ code: 0 });
  expect([await invoke(cloud.endpoint, Fn), await invoke(cloud.endpoint, Other)]).toEqual([2, 2]);
});
