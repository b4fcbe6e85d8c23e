import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolEnv } from '../support/build-app.ts';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { changingRequests, uploadedKeys } from '../support/sent-requests.ts';
import type { SentRequest } from '../support/sent-requests.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: greet
      AutoPublishAlias: live
      Layers: [!Ref Words]
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: words, Description: words, CompatibleRuntimes: [python3.11] }
  Rest:
    Type: AWS::Serverless::Api
    Properties: { StageName: dev, DefinitionUri: rest.json }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties: { DefinitionUri: http.json }
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: { DefinitionUri: flow.json, AutoPublishAlias: live }
`;

/** The files of the application: another content for each version. */
function files(version: number): Record<string, string> {
  const route = { [`/v${version}`]: { get: { responses: {} } } };
  return {
    'template.yaml': TEMPLATE,
    'greet/app.py': `def handler(event, context):\n    return ${version}\n`,
    'greet/requirements.txt': `six==1.${version + 14}.0\n`,
    'words/python/words.py': `VERSION = ${version}\n`,
    'rest.json': JSON.stringify({ swagger: '2.0', info: { title: 'rest', version: '1' }, paths: route }),
    'http.json': JSON.stringify({ openapi: '3.0.1', info: { title: 'http', version: '1' }, paths: route }),
    'flow.json': JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', Result: version, End: true } } }),
  };
}

interface Planned {
  id: string;
  action: string;
  requests: (SentRequest & { service: string; condition?: string })[];
}

describe('the JSON of a dry run has exactly the requests that the sync then sends', () => {
  let cloud: TestCloud;
  let proxy: FaultProxy;
  let app: string;
  let stack: string;

  const run = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await runCli(['--stack-name', stack, '--yes', '--output', 'json', ...args], {
      cwd: app,
      env: { ...toolEnv(), ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint, SAM_CLI_POLL_DELAY: '0.05' },
    });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    // the bucket that all stacks share is there: its own stack is no part of what a dry run shows
    app = await tempFolder({ 'template.yaml': '{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}' });
    stack = 'first';
    await run();
  });
  beforeEach(async () => {
    app = await tempFolder();
    stack = `dry-${randomUUID().slice(0, 8)}`;
    proxy.clear();
  });
  afterAll(async () => {
    await proxy?.stop();
    await cloud?.stop();
  });

  it('for a function with its dependencies, a layer, both types of APIs and a state machine', async () => {
    await writeFiles(app, files(1));
    await run();
    // versions and deployments of the first code sync are superseded in the second one
    for (const [version, args] of [
      [2, ['--code']],
      [3, []],
    ] as const) {
      await writeFiles(app, files(version));
      proxy.clear();
      const { resources } = (await run('--dry-run', ...args)) as unknown as { resources: Planned[] };
      expect(changingRequests(proxy.calls)).toEqual([]);
      expect(resources.map(({ id, action }) => `${id} ${action}`).sort()).toEqual(
        ['Flow', 'Greet', 'Http', 'Rest', 'Words'].map((id) => `${id} update`),
      );
      await run(...args);
      const planned = resources.flatMap(({ requests }) => requests);
      expectSame(planned, changingRequests(proxy.calls));
      const operations = new Set(planned.map(({ operation }) => operation));
      expect(operations.has('DeleteLayerVersion') && operations.has('DeleteDeployment')).toBe(version === 3);
    }
  });

  it('for a stack that it creates, then updates, and what it uploads; without the values of secrets', async () => {
    const template = (delay: number) => `Transform: AWS::Serverless-2016-10-31
Parameters:
  Secret: { Type: String, NoEcho: true }
  Delay: { Type: Number }
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: !Ref Delay, VisibilityTimeout: ${delay} } }
  Words: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: words } }
`;
    const args = ['--parameter-overrides', 'Secret=hunter2', 'Delay=5', '--tags', 'team=blue'];
    for (const delay of [10, 20]) {
      await writeFiles(app, { ...files(delay), 'template.yaml': template(delay) });
      proxy.clear();
      const planned = (await run('--dry-run', ...args)) as unknown as {
        deployment: { action: string; reasons: string[]; requests: Planned['requests'] };
        uploads: { key: string }[];
      };
      expect(JSON.stringify(planned)).not.toContain('hunter2');
      expect(changingRequests(proxy.calls)).toEqual([]);
      expect(planned.deployment.action).toBe(delay === 10 ? 'create' : 'update');
      if (delay === 10) expect(planned.deployment.reasons).toEqual(['it does not exist yet']);
      expect(await run(...args)).toMatchObject({ status: 'deployed' });
      const sent = changingRequests(proxy.calls);
      expectSame(planned.deployment.requests, JSON.parse(JSON.stringify(sent).replace('hunter2', '****')));
      expect(planned.uploads.map(({ key }) => key).sort()).toEqual(uploadedKeys(proxy.calls).sort());
    }
  });
});

/** Each request was planned, and each planned one was sent, as far as its condition lets it. */
function expectSame(planned: Planned['requests'], sent: readonly SentRequest[]): void {
  const left = [...sent];
  const unsent = planned.filter(({ operation, parameters }) => {
    const pattern = patternOf({ operation, parameters });
    const index = left.findIndex((request) => pattern.test(canonical(request)));
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
  expect({ unsent: unsent.filter(({ condition }) => condition === undefined), unplanned: left }).toEqual({
    unsent: [],
    unplanned: [],
  });
}

/** What `${Operation.Member}` stands for is known only when the operation was answered. */
function patternOf(request: SentRequest): RegExp {
  const parts = canonical(request).split(/\$\{\w+\.\w+\}/);
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('[^"]+')}$`);
}

function canonical({ operation, parameters }: SentRequest): string {
  return JSON.stringify({ operation, parameters }, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
