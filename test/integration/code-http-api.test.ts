import { GetDeploymentsCommand, GetStagesCommand, UpdateDeploymentCommand } from '@aws-sdk/client-apigatewayv2';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callHttpApi, clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Http: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: http.json}}
  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 0}}
Outputs:
  Http: {Value: !Ref Http}
`;

let cloud: TestCloud;
let proxy: FaultProxy;
let app: CodeApp;
let ApiId: string;

/** A definition that answers at the path of the version alone. */
const definition = (version: string): Record<string, string> => ({
  'http.json': JSON.stringify({
    openapi: '3.0.1',
    info: { title: 'api', version: '1' },
    paths: {
      [`/${version}`]: {
        get: {
          'x-amazon-apigateway-integration': {
            type: 'http_proxy',
            httpMethod: 'GET',
            uri: `${cloud.endpoint}/_ministack/health`,
            payloadFormatVersion: '1.0',
          },
        },
      },
    },
  }),
});
const isLive = async (version: string): Promise<boolean> =>
  (await callHttpApi(cloud.endpoint, { id: ApiId, path: `/${version}` })).status === 200;
/** Which deployment the stage has, and what the descriptions of all say. */
const deployments = async () => {
  const { apigatewayv2 } = clients(cloud.endpoint);
  const { Items: stages = [] } = await apigatewayv2.send(new GetStagesCommand({ ApiId }));
  const { Items = [] } = await apigatewayv2.send(new GetDeploymentsCommand({ ApiId }));
  const described = Items.map(({ DeploymentId = '', Description = '' }) => [DeploymentId, Description]);
  return {
    current: stages[0]?.DeploymentId ?? '',
    descriptions: Object.fromEntries(described) as Record<string, string>,
  };
};

beforeAll(async () => {
  // longer than it takes where there is nothing to deploy
  cloud = await startTestCloud({ SAM_SYNC_CLOUD_DEPLOY_DELAY: '2.5' });
  proxy = await startFaultProxy(cloud.endpoint);
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  app = await createCodeApp(env, { 'template.yaml': TEMPLATE, ...definition('v1') }, { stackName: 'http' });
  const { document } = await app.plain();
  ApiId = (document['outputs'] as Record<string, string>)['Http'] ?? '';
  expect(await isLive('v1')).toBe(true);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await app.remove();
  await proxy.stop();
  await cloud.stop();
});

describe('a stage that takes its time to deploy by itself', () => {
  it('is followed to the end of its deployment, which alone gets the mark', async () => {
    const before = await deployments();
    await app.write(definition('v2'));
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'synced' });
    expect(await isLive('v2')).toBe(true);
    const { current, descriptions } = await deployments();
    expect(current).not.toBe(before.current);
    const marked = Object.keys(descriptions).filter((id) => descriptions[id]?.startsWith('sam-sync '));
    expect(marked).toEqual([current]);
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'unchanged' });
  });

  it('is followed after a deployment of CloudFormation too', async () => {
    await app.write({ 'template.yaml': TEMPLATE.replace('DelaySeconds: 0', 'DelaySeconds: 1'), ...definition('v3') });
    expect(await app.plain()).toMatchObject({ exitCode: 0, way: 'deploy' });
    expect(await isLive('v3')).toBe(true);
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'unchanged' });
  });

  it('whose deployment fails is a failure, and nothing is marked', async () => {
    const before = await deployments();
    await app.write(definition('v4'));
    const lastDeploymentStatusMessage =
      'Deployment attempt failed: Unable to deploy API because no routes exist in this API';
    const failing = (text: string): string => {
      const { items } = JSON.parse(text) as { items: object[] };
      return JSON.stringify({ items: items.map((stage) => ({ ...stage, lastDeploymentStatusMessage })) });
    };
    const isOver = () => proxy.count('ReimportApi') > 0;
    proxy.fault({ operation: 'GetStages', when: isOver }, { kind: 'change', body: failing }, { times: Infinity });
    const { exitCode, notes } = await app.code(['Http']);
    expect(exitCode).toBe(1);
    expect(notes.join('\n')).toContain(
      'Http: API Gateway could not deploy the definition: Unable to deploy API because no routes',
    );
    expect((await deployments()).descriptions).toEqual(before.descriptions);
    proxy.clear();
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'synced' });
    expect(await isLive('v4')).toBe(true);
  });
});

describe('an import of what is there already, of which nobody knows', () => {
  const forget = async (): Promise<void> => {
    await fs.rm(path.join(app.dir, '.aws-sam/sam-sync/stacks'), { recursive: true });
    const { current } = await deployments();
    const { apigatewayv2 } = clients(cloud.endpoint);
    const Description = 'Automatic deployment';
    await apigatewayv2.send(new UpdateDeploymentCommand({ ApiId, DeploymentId: current, Description }));
    // the emulator deploys whatever is imported; here nothing is
    proxy.fault({ operation: 'ReimportApi' }, { kind: 'answer', body: JSON.stringify({ apiId: ApiId }) });
  };

  it('leads to no deployment: the one that is there gets the mark when an export shows that it has it', async () => {
    await forget();
    const { current } = await deployments();
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'synced' });
    expect((await deployments()).current).toBe(current);
    expect((await deployments()).descriptions[current]).toMatch(/^sam-sync /);
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'unchanged' });
  });

  it('is not remembered where nothing shows it', async () => {
    await forget();
    const denied = { kind: 'error', status: 403, code: 'AccessDeniedException' } as const;
    proxy.fault({ operation: 'ExportApi' }, denied, { times: Infinity });
    expect((await app.code(['Http'])).outcomes).toEqual({ Http: 'synced' });
    const { current, descriptions } = await deployments();
    expect(descriptions[current]).toBe('Automatic deployment');
  });
});
