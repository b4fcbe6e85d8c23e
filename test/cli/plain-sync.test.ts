import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DeleteObjectsCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyApp, edit } from '../support/app.ts';
import { callRestApi, clients, invoke, runStateMachine, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { listResources } from '../support/snapshot.ts';
import { story } from '../support/story.ts';

const STACK = 'shop';

interface Result {
  status: string;
  outputs: Record<string, string>;
  uploaded: { objects: number; bytes: number };
}

describe('plain sync of an application with nested stacks, layers, APIs and a state machine', () => {
  let cloud: TestCloud;
  let app: string;
  let proxy: FaultProxy;
  let outputs: Record<string, string>;

  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    app = await fs.mkdtemp(path.join(await fs.realpath('/tmp'), 'sam-sync-shop-'));
    await fs.cp(path.join(import.meta.dirname, '../fixtures/shop'), app, { recursive: true });
  });
  afterAll(async () => {
    await proxy?.stop();
    await cloud?.stop();
    await fs.rm(app, { recursive: true, force: true });
  });

  const run = (args: string[]) =>
    runCli(['--stack-name', STACK, '--yes', '--output', 'json', ...args], {
      cwd: app,
      env: { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint },
    });
  const sync = async (...args: string[]): Promise<Result> => {
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Result;
  };
  const lastUpdate = async () => {
    const { Stacks } = await clients(cloud.endpoint).cloudformation.send(
      new DescribeStacksCommand({ StackName: STACK }),
    );
    return (Stacks?.[0]?.LastUpdatedTime ?? Stacks?.[0]?.CreationTime)?.getTime();
  };

  const step = story('one application through its life');

  step('deploys it: functions answer, APIs are there, the state machine runs', async () => {
    const result = await sync();
    expect(result.status).toBe('deployed');
    ({ outputs } = result);
    const { endpoint } = cloud;
    expect(await invoke(endpoint, outputs['GreetFunction']!)).toEqual({ text: 'HELLO WORLD!', number: '12,345' });
    expect(await invoke(endpoint, outputs['CountFunction']!)).toEqual({ minute: 60_000 });
    expect(await invoke(endpoint, outputs['PlaceFunction']!)).toEqual({ placed: 'DEV!' });
    expect(await invoke(endpoint, outputs['LogFunction']!)).toEqual({ logged: true });
    expect(await runStateMachine(endpoint, outputs['FlowArn']!)).toEqual({ text: 'HELLO WORLD!', number: '12,345' });
    const answer = await callRestApi(endpoint, { id: outputs['RestApi']!, stage: 'dev', path: '/ping' });
    expect(answer).toMatchObject({ status: 200, body: { answer: 'pong' } });
  });

  step('changes nothing the second time, with six calls, also from a fresh checkout', async () => {
    const before = await lastUpdate();
    const callsBefore = proxy.calls.length;
    const { code, stdout } = await run([]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'unchanged', uploaded: { objects: 0, bytes: 0 } });
    // the stack, its template, all functions at once, and a look at each API and state machine: seven for four nested stacks
    const calls = proxy.calls.slice(callsBefore).map(({ operation }) => operation);
    expect(calls.sort()).toEqual([
      'DescribeStacks',
      'DescribeStateMachine',
      'GetStages',
      'GetStages',
      'GetTemplate',
      'ListFunctions',
    ]);
    await fs.rm(path.join(app, '.aws-sam'), { recursive: true });
    expect(await sync()).toMatchObject({ status: 'unchanged', uploaded: { objects: 0 } });
    expect(await lastUpdate()).toBe(before);
  });

  step('brings an edit of memory, code, definition, layer and nested template', async () => {
    const before = await listResources(cloud.endpoint, STACK);
    await edit(app, 'template.yaml', 'MemorySize: 128', 'MemorySize: 192');
    await edit(app, 'greet/app.py', '12345', '54321');
    await edit(app, 'api/rest.yaml', 'pong', 'PONG');
    await edit(app, 'shared/text/python/text.py', '"!"', '"?"');
    await edit(app, 'orders/audit/template.yaml', 'Handler: index.handler', 'Handler: index.handler\n      Timeout: 9');
    expect(await sync()).toMatchObject({ status: 'deployed' });
    const { endpoint } = cloud;
    expect(await invoke(endpoint, outputs['GreetFunction']!)).toEqual({ text: 'HELLO WORLD?', number: '54,321' });
    expect(await invoke(endpoint, outputs['PlaceFunction']!)).toEqual({ placed: 'DEV?' });
    const answer = await callRestApi(endpoint, { id: outputs['RestApi']!, stage: 'dev', path: '/ping' });
    expect(answer.body).toEqual({ answer: 'PONG' });
    const after = await listResources(endpoint, STACK);
    for (const [id, { type, physicalId }] of before) {
      const replaced = type === 'AWS::Lambda::LayerVersion' || type === 'AWS::ApiGateway::Deployment';
      if (!replaced) expect(after.get(id)?.physicalId, id).toBe(physicalId);
    }
  });

  step('sends only what changed', async () => {
    await edit(app, 'count/app.js', "ms('1m')", "ms('2m')");
    const before = proxy.calls.length;
    // the code of one function goes to Lambda directly
    expect((await sync()).uploaded.objects).toBe(0);
    const sent = proxy.calls.slice(before).reduce((sum, { body }) => sum + body.length, 0);
    expect(sent).toBeLessThan(3000);
    expect(await invoke(cloud.endpoint, outputs['CountFunction']!)).toEqual({ minute: 120_000 });
  });

  step('takes parameters, keeps those not given, and hides secrets', async () => {
    const secret = 'hunter2hunter2';
    const { code, stdout, stderr } = await run([
      '--debug',
      '--parameter-overrides',
      'Greeting=Bye',
      `Secret=${secret}`,
    ]);
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(secret);
    expect(await invoke(cloud.endpoint, outputs['GreetFunction']!)).toMatchObject({ text: 'BYE WORLD?' });
    await edit(app, 'greet/app.py', '54321', '1');
    await sync();
    expect(await invoke(cloud.endpoint, outputs['GreetFunction']!)).toMatchObject({ text: 'BYE WORLD?', number: '1' });
    // defect 5: a secret and a parameter that is not in the template are no reason to fail
    const again = await run(['--parameter-overrides', `Secret=${secret}`, 'Unknown=1']);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain('Unknown');
  });

  step('sends again what the bucket lost, nested templates too, and asks only when there is a deployment', async () => {
    const { s3 } = clients(cloud.endpoint);
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const Bucket = Buckets[0]?.Name ?? '';
    const keys = async (): Promise<string[]> =>
      ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key ?? '').sort();
    const update = (from: number, to: number) => edit(app, 'template.yaml', `MemorySize: ${from}`, `MemorySize: ${to}`);
    await sync();
    await update(192, 256);
    await sync();
    const before = await keys();
    expect(before.length).toBeGreaterThan(10);
    const emptied = before.map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: emptied } }));
    proxy.clear();
    expect(await sync()).toMatchObject({ status: 'unchanged' });
    expect(proxy.count('HeadObject')).toBe(0);
    await update(256, 320);
    expect((await run(['--dry-run'])).stderr).toMatch(/Orders \(template\) would be uploaded/);
    expect(await sync()).toMatchObject({ status: 'deployed' });
    expect(await invoke(cloud.endpoint, outputs['LogFunction']!)).toEqual({ logged: true });
    const after = await keys();
    // artifacts of earlier versions need not be there
    expect(before).toEqual(expect.arrayContaining(after));
    expect(after.length).toBeGreaterThan(10);
    await update(320, 192);
    expect((await sync()).uploaded.objects).toBe(0);
  });

  step('defects 6 and 7: --no-skip-deploy-sync and edits without meaning are no failures', async () => {
    expect(await sync('--no-skip-deploy-sync')).toMatchObject({ status: 'unchanged' });
    await edit(app, 'template.yaml', 'Parameters:', '# a comment\nParameters:');
    expect(await sync()).toMatchObject({ status: 'unchanged' });
  });

  step('tells the first cause of a failed update, exits 1, and mends it the next time', async () => {
    await edit(app, 'template.yaml', 'Type: AWS::SQS::Queue', 'Type: AWS::SQS::NoSuchThing');
    const { code, stderr, stdout } = await run([]);
    expect(code).toBe(1);
    expect(stderr).toContain('NoSuchThing');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', stackName: STACK });
    await edit(app, 'template.yaml', 'Type: AWS::SQS::NoSuchThing', 'Type: AWS::SQS::Queue');
    expect(await sync()).toMatchObject({ status: 'unchanged' });
  });

  step('shows a failing build with its output and deploys nothing', async () => {
    const before = await lastUpdate();
    await fs.writeFile(path.join(app, 'greet/requirements.txt'), 'no-such-package-of-ours==1.0\n');
    const { code, stderr } = await run([]);
    expect(code).toBe(1);
    expect(stderr).toContain('Greet');
    expect(stderr).toContain('no-such-package-of-ours');
    expect(await lastUpdate()).toBe(before);
  });
});

describe('an application without functions', () => {
  it('is deployed too', async () => {
    const cloud = await startTestCloud();
    const app = await copyApp('../../examples/hello-world/orders');
    await fs.writeFile(path.join(app, 'template.yaml'), 'Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n');
    const { code, stdout, stderr } = await runCli(['--stack-name', 'q', '--yes'], { cwd: app, env: cloud.env });
    await cloud.stop();
    expect(code, stderr).toBe(0);
    expect(stdout).toBe('');
  });
});
