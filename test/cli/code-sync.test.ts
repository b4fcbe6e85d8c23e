import type { ChildProcess } from 'node:child_process';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { changeShop, copyApp, edit } from '../support/app.ts';
import { callRestApi, clients, invoke, runStateMachine, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliOptions } from '../support/run-cli.ts';
import { describeDeployed, listResources } from '../support/snapshot.ts';
import { story } from '../support/story.ts';

const STACK = 'shop';

interface Result {
  status: string;
  resources: { id: string; type: string; outcome: string; error?: string; hint?: string; durationMs: number }[];
}

describe('sam sync --code', () => {
  let cloud: TestCloud;
  let app: string;
  let proxy: FaultProxy;
  let outputs: Record<string, string>;

  const run = (args: string[], more: Partial<CliOptions> = {}) =>
    runCli(['--stack-name', STACK, '--yes', ...args], {
      cwd: app,
      ...more,
      env: { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint, ...more.env },
    });
  const document = async (args: string[], exitCode = 0): Promise<Result> => {
    const { code, stdout, stderr } = await run(['--output', 'json', ...args]);
    expect(code, stderr).toBe(exitCode);
    return JSON.parse(stdout) as Result;
  };
  const sync = async (...args: string[]): Promise<Record<string, string>> =>
    Object.fromEntries((await document(['--code', ...args])).resources.map(({ id, outcome }) => [id, outcome]));
  const answers = async () => {
    const { endpoint } = cloud;
    const rest = await callRestApi(endpoint, { id: outputs['RestApi']!, stage: 'dev', path: '/ping' });
    return {
      greet: await invoke(endpoint, outputs['GreetFunction']!),
      count: await invoke(endpoint, outputs['CountFunction']!),
      place: await invoke(endpoint, outputs['PlaceFunction']!),
      log: await invoke(endpoint, outputs['LogFunction']!),
      flow: await runStateMachine(endpoint, outputs['FlowArn']!),
      rest: rest.body,
    };
  };
  const routes = async () => (await describeDeployed(cloud.endpoint, STACK))['Http'];
  /** When CloudFormation last touched the stack and each one nested in it. */
  const updates = async () => {
    const { cloudformation } = clients(cloud.endpoint);
    const nested = [...(await listResources(cloud.endpoint, STACK)).values()];
    const names = nested.filter(({ type }) => type === 'AWS::CloudFormation::Stack').map((stack) => stack.physicalId);
    const times = [STACK, ...names].map(async (StackName) => {
      const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
      return (Stacks?.[0]?.LastUpdatedTime ?? Stacks?.[0]?.CreationTime)?.getTime();
    });
    return Promise.all(times);
  };

  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    app = await copyApp('shop');
    const deployed = await run(['--output', 'json']);
    expect(deployed.code, deployed.stderr).toBe(0);
    ({ outputs } = JSON.parse(deployed.stdout) as { outputs: Record<string, string> });
  });
  afterAll(async () => {
    await proxy?.stop();
    await cloud?.stop();
  });

  const step = story('one application through its life, by the command as users run it', {
    afterEach: () => proxy.clear(),
  });

  step('has nothing to do after a deployment, in any resource', async () => {
    const { status, resources } = await document(['--code']);
    expect(status).toBe('unchanged');
    expect(resources.map(({ id }) => id).sort()).toEqual(
      ['Count', 'Flow', 'Greet', 'Http', 'Orders/Audit/Log', 'Orders/Place', 'Rest', 'Shared/Text', 'Words'].sort(),
    );
    const { code, stderr } = await run(['--code']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/Code sync: 9 unchanged \(\d+(?:\.\d+)? ?m?s\)/);
  });

  step('brings a change of everything at once, and leaves CloudFormation alone', async () => {
    const before = await updates();
    await changeShop(app);
    expect(await sync()).toEqual({
      Greet: 'synced',
      Count: 'synced',
      Words: 'synced',
      Rest: 'synced',
      Http: 'synced',
      Flow: 'synced',
      'Shared/Text': 'synced',
      'Orders/Place': 'synced',
      'Orders/Audit/Log': 'synced',
    });
    const greeting = { text: 'HELLO MOON?', number: '54,321' };
    expect(await answers()).toEqual({
      greet: greeting,
      count: { minute: 120_000 },
      place: { set: 'DEV?' },
      log: { logged: 2 },
      flow: { greeting },
      rest: { answer: 'PONG' },
    });
    expect(await routes()).toMatchObject({ routes: ['GET /things'] });
    proxy.clear();
    expect(new Set(Object.values(await sync()))).toEqual(new Set(['unchanged']));
    const sent = proxy.calls.filter(({ operation, method }) =>
      /^(?:Put|Update|Publish|Create|Delete)|^PATCH/.test(`${operation}${method}`),
    );
    expect(sent.map(({ operation }) => operation)).toEqual([]);
    expect(await updates()).toEqual(before);
  });

  step('syncs what is asked for: identifiers, types, both together', async () => {
    await edit(app, 'greet/app.py', '54321', '1');
    await edit(app, 'count/app.js', "'2m'", "'3m'");
    await edit(app, 'orders/audit/log/index.js', 'logged: 2', 'logged: 3');
    await edit(app, 'api/rest.yaml', 'PONG', 'pling');
    expect(await sync('--resource-id', 'Orders/Audit/Log')).toEqual({ 'Orders/Audit/Log': 'synced' });
    expect(await sync('--resource-id', 'Count', '--resource', 'AWS::Serverless::Api')).toEqual({
      Count: 'synced',
      Rest: 'synced',
    });
    expect(await answers()).toMatchObject({
      greet: { number: '54,321' },
      count: { minute: 180_000 },
      log: { logged: 3 },
      rest: { answer: 'pling' },
    });
    expect(await sync('--resource', 'AWS::Serverless::Function')).toEqual({
      Greet: 'synced',
      Count: 'unchanged',
      'Orders/Place': 'unchanged',
      'Orders/Audit/Log': 'unchanged',
    });
    expect(await answers()).toMatchObject({ greet: { number: '1' } });
  });

  step('names the nearest resource for one that is not there, syncs the others, and exits 1', async () => {
    await edit(app, 'count/app.js', "'3m'", "'4m'");
    const { code, stderr } = await run(['--code', '--resource-id', 'Gret', '--resource-id', 'Count']);
    expect(code).toBe(1);
    expect(stderr).toContain('Gret');
    expect(stderr).toMatch(/Greet/);
    expect(await invoke(cloud.endpoint, outputs['CountFunction']!)).toEqual({ minute: 240_000 });
    expect((await run(['--code', '--resource', 'AWS::S3::Bucket'])).code).toBe(2);
  });

  step('a dry run tells the plan and changes nothing, with code and without', async () => {
    await edit(app, 'count/app.js', "'4m'", "'5m'");
    for (const args of [['--code'], []]) {
      proxy.clear();
      const { code, stderr } = await run(['--dry-run', ...args]);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/Count would be synced: code/);
      expect(proxy.calls.filter(({ operation }) => /^(?:Put|Update|Publish|Create|Delete)/.test(operation))).toEqual(
        [],
      );
    }
    expect(await invoke(cloud.endpoint, outputs['CountFunction']!)).toEqual({ minute: 240_000 });
    await edit(app, 'template.yaml', 'MemorySize: 128', 'MemorySize: 256');
    const { code, stderr } = await run(['--dry-run']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/would be updated|would update/i);
    await edit(app, 'template.yaml', 'MemorySize: 256', 'MemorySize: 128');
  });

  step('stopped by Ctrl-C it says so, exits 130, and the next one completes it', async () => {
    const held = proxy.hold({ operation: 'UpdateFunctionCode' });
    let started: ChildProcess | undefined;
    const running = run(['--code'], { onStart: (child) => (started = child) });
    await held.arrived;
    started?.kill('SIGINT');
    const { code, stderr } = await running;
    held.release();
    expect(code, stderr).toBe(130);
    proxy.clear();
    expect(await sync('--resource-id', 'Count')).toEqual({
      Count: expect.stringMatching(/synced|unchanged/) as string,
    });
    expect(await invoke(cloud.endpoint, outputs['CountFunction']!)).toEqual({ minute: 300_000 });
  });

  step('twice at once both end well', async () => {
    await edit(app, 'count/app.js', "'5m'", "'6m'");
    await edit(app, 'words/words.py', 'moon', 'sun');
    const both = await Promise.all([run(['--code']), run(['--code'])]);
    expect(
      both.map(({ code }) => code),
      both.map(({ stderr }) => stderr).join('\n'),
    ).toEqual([0, 0]);
    expect(await answers()).toMatchObject({ count: { minute: 360_000 }, greet: { text: 'HELLO SUN?' } });
  });

  step('without the endpoint, the stack or the project it says what is wrong', async () => {
    const nowhere = await run(['--code'], { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' } });
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain('127.0.0.1:9');
    const unknown = await run(['--code', '--stack-name', 'not-there']);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/not-there/);
    expect(unknown.stderr).toMatch(/without --code/);
    expect((await run(['--code', '--template-file', 'none.yaml'])).code).not.toBe(0);
  });

  step('the next plain sync deploys cleanly on top, and nothing goes back', async () => {
    const before = await listResources(cloud.endpoint, STACK);
    await edit(app, 'template.yaml', 'MemorySize: 128', 'MemorySize: 192');
    const { status } = await document([]);
    expect(status).toBe('deployed');
    expect(await answers()).toEqual({
      greet: { text: 'HELLO SUN?', number: '1' },
      count: { minute: 360_000 },
      place: { set: 'DEV?' },
      log: { logged: 3 },
      flow: { greeting: { text: 'HELLO SUN?', number: '1' } },
      rest: { answer: 'pling' },
    });
    const after = await listResources(cloud.endpoint, STACK);
    for (const [id, { type, physicalId }] of before) {
      const isVersion = type === 'AWS::Lambda::LayerVersion' || type === 'AWS::ApiGateway::Deployment';
      if (!isVersion) expect(after.get(id)?.physicalId, id).toBe(physicalId);
    }
    expect(new Set(Object.values(await sync()))).toEqual(new Set(['unchanged']));
  });

  step('works from what is in the cloud when every state file is lost, corrupt or older', async () => {
    const state = path.join(app, '.aws-sam/sam-sync/stacks');
    const files = await fs.readdir(state);
    expect(files.length).toBeGreaterThan(0);
    const changed = async () => Object.entries(await sync()).flatMap(([id, how]) => (how === 'unchanged' ? [] : [id]));
    const lose = (content: string) => Promise.all(files.map((file) => fs.writeFile(path.join(state, file), content)));
    await lose('');
    // CloudFormation deployed them last, and it leaves no hash: they are sent once more, with one
    expect(await changed()).toEqual(['Rest', 'Http']);
    for (const content of ['', '{"a":', '{}', '[]']) {
      await lose(content);
      expect(await changed(), content).toEqual([]);
    }
    await fs.rm(path.join(app, '.aws-sam'), { recursive: true });
    await edit(app, 'count/app.js', "'6m'", "'7m'");
    expect(await sync()).toMatchObject({ Count: 'synced', Greet: 'unchanged', Words: 'unchanged' });
  });
});
