import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyApp, edit } from '../support/app.ts';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { installSamCli, runPeer } from '../support/peer.ts';
import { runCli } from '../support/run-cli.ts';
import { describeDeployed, listResources } from '../support/snapshot.ts';

type Tool = 'peer' | 'ours';

/** The functions below Orders have no dependencies: only the peer makes layers for them. */
const ONLY_PEER = /^Orders\/.*AwsSamAutoDependencyLayerNestedStack/;

function withoutEmptyLayers(seen: unknown): unknown {
  const { layers } = seen as { layers?: object[] };
  if (layers === undefined) return seen;
  return { ...(seen as object), layers: layers.filter((files) => Object.keys(files).length > 0) };
}

// AWS SAM CLI 1.170 from PyPI and we take turns on the same application and the same stack
describe('AWS SAM CLI and we', () => {
  let cloud: TestCloud;
  beforeAll(async () => {
    await installSamCli();
    cloud = await startTestCloud();
  });
  afterAll(() => cloud?.stop());

  const sync = async (tool: Tool, app: string, stackName: string, ...more: string[]): Promise<void> => {
    const args = ['--stack-name', stackName, ...more];
    const { code, stdout, stderr } =
      tool === 'ours'
        ? await runCli([...args, '--yes'], { cwd: app, env: cloud.env })
        : await runPeer(['sync', ...args], { cwd: app, env: cloud.env });
    expect(code, `${tool}: ${stdout}${stderr}`).toBe(0);
  };
  /** Logical id → physical id, without what the peer makes for functions that have no dependencies. */
  const physicalIds = async (stackName: string): Promise<Record<string, string>> => {
    const resources = await listResources(cloud.endpoint, stackName);
    const ids = [...resources].filter(([id]) => !ONLY_PEER.test(id)).map(([id, { physicalId }]) => [id, physicalId]);
    return Object.fromEntries(ids) as Record<string, string>;
  };
  const deployed = async (stackName: string): Promise<Record<string, unknown>> => {
    const all = await describeDeployed(cloud.endpoint, stackName);
    return Object.fromEntries(
      Object.entries(all)
        .filter(([id]) => !ONLY_PEER.test(id))
        .map(([id, seen]) => [id, withoutEmptyLayers(seen)]),
    );
  };

  it.each<[Tool, Tool]>([
    ['peer', 'ours'],
    ['ours', 'peer'],
  ])('%s deploys, %s goes on: nothing is replaced, both deploy the same', async (first, second) => {
    const stackName = `shop-${first}`;
    const app = await copyApp('shop');
    await sync(first, app, stackName);
    const before = { ids: await physicalIds(stackName), deployed: await deployed(stackName) };
    // a change of configuration, so that the second tool cannot skip the deployment
    await edit(app, 'template.yaml', 'MemorySize: 128', 'MemorySize: 192');
    await sync(second, app, stackName);
    expect(await physicalIds(stackName)).toEqual(before.ids);
    const expected = { ...before.deployed };
    for (const id of ['Greet', 'Count']) expected[id] = { ...(expected[id] as object), MemorySize: 192 };
    expect(await deployed(stackName)).toEqual(expected);
  });

  it('a build of ours serves the other commands of AWS SAM CLI', async () => {
    const app = await copyApp('shop');
    await sync('ours', app, 'build-shared', '--no-dependency-layer');
    const template = ['--template-file', '.aws-sam/build/template.yaml'];
    const deploy = ['deploy', ...template, '--stack-name', 'by-deploy', '--resolve-s3', '--no-confirm-changeset'];
    const result = await runPeer([...deploy, '--capabilities', 'CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'], {
      cwd: app,
      env: cloud.env,
    });
    expect(result.code, result.stdout + result.stderr).toBe(0);
    const { Stacks } = await clients(cloud.endpoint).cloudformation.send(
      new DescribeStacksCommand({ StackName: 'by-deploy' }),
    );
    const greet = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'GreetFunction')?.OutputValue;
    expect(await invoke(cloud.endpoint, greet ?? '')).toEqual({ text: 'HELLO WORLD!', number: '12,345' });
    // it wipes the folder that we linked to our store; the store must survive
    const build = await runPeer(['build'], { cwd: app, env: cloud.env });
    expect(build.code, build.stdout + build.stderr).toBe(0);
    await sync('ours', app, 'build-shared', '--no-dependency-layer');
  });
});
