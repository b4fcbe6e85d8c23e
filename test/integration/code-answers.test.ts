import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callHttpApi, callRestApi, invoke, runStateMachine } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { openCloud } from '../support/open-cloud.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: fn, Runtime: python3.11, Handler: app.handler, Timeout: 20, AutoPublishAlias: live, Layers: [!Ref Layer]}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: rest.json}}
  Http: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: http.json}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: machine.json, AutoPublishAlias: live, Role: 'arn:aws:iam::000000000000:role/x'}
Outputs:
  Fn: {Value: !Ref Fn}
  Rest: {Value: !Ref Rest}
  Http: {Value: !Ref Http}
  Machine: {Value: !Ref Machine}
`;

const api = (version: string, integration: object) =>
  JSON.stringify({
    openapi: '3.0.1',
    info: { title: 'api', version: '1' },
    paths: { [`/${version}`]: { get: { responses: {}, 'x-amazon-apigateway-integration': integration } } },
  });
const MOCK = {
  type: 'mock',
  requestTemplates: { 'application/json': '{"statusCode": 200}' },
  responses: { default: { statusCode: '200' } },
};
const filesOf = (version: string): Record<string, Record<string, string>> => ({
  Fn: { 'fn/app.py': `import shared\ndef handler(event, context):\n    return ['${version}', shared.VALUE]\n` },
  Layer: { 'layer/python/shared.py': `VALUE = '${version}'\n` },
  Rest: { 'rest.json': api(version, MOCK) },
  Http: {
    'http.json': api(version, {
      type: 'http_proxy',
      httpMethod: 'GET',
      uri: `${cloud.endpoint}/_ministack/health`,
      payloadFormatVersion: '1.0',
    }),
  },
  Machine: {
    'machine.json': JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', Result: version, End: true } } }),
  },
});

// AWS may cut any list anywhere
const { cloud, proxy } = await openCloud({}, { pageSize: 2 });
let app: CodeApp;
let ids: Record<string, string>;

beforeAll(async () => {
  const files = Object.assign({ 'template.yaml': TEMPLATE }, ...Object.values(filesOf('v1'))) as Record<string, string>;
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  app = await createCodeApp(env, files, { stackName: 'answers', dependencyLayer: false });
  ids = (await app.plain()).document['outputs'] as Record<string, string>;
});
afterEach(() => proxy.clear());
afterAll(() => app.remove());

/** Whether the resource is that version, asked past the proxy. */
const isLive: Record<string, (version: string) => Promise<boolean>> = {
  Fn: async (version) => ((await invoke(cloud.endpoint, `${ids['Fn']}:live`)) as string[])[0] === version,
  Layer: async (version) => ((await invoke(cloud.endpoint, `${ids['Fn']}:live`)) as string[])[1] === version,
  Rest: async (version) =>
    (await callRestApi(cloud.endpoint, { id: ids['Rest'] ?? '', stage: 'dev', path: `/${version}` })).status === 200,
  Http: async (version) =>
    (await callHttpApi(cloud.endpoint, { id: ids['Http'] ?? '', path: `/${version}` })).status === 200,
  Machine: async (version) => (await runStateMachine(cloud.endpoint, `${ids['Machine']}:live`)) === version,
};
let versions = 1;

describe('B saved, then A again, while the service still shows the old A: A is what runs', () => {
  it.each([
    ['Fn', 'UpdateFunctionCode', ['GetFunction', 'ListFunctions']],
    ['Layer', 'UpdateFunctionConfiguration', ['GetFunction', 'ListFunctions']],
    ['Rest', 'PutRestApi', ['GetStages', 'GetDeployments']],
    ['Http', 'ReimportApi', ['GetStages', 'GetDeployments']],
    ['Machine', 'UpdateStateMachine', ['DescribeStateMachine', 'DescribeStateMachineAlias']],
  ])('%s', async (id, change, reads) => {
    const [a, b] = [`v${++versions}`, `v${++versions}`];
    const sync = async (version: string): Promise<void> => {
      await app.write(filesOf(version)[id] ?? {});
      expect((await app.code([id])).exitCode).toBe(0);
      expect(await isLive[id]?.(version)).toBe(true);
    };
    await sync(a);
    proxy.clear();
    let changes = 0;
    // what is asked before anything is sent is answered as it was when A was there
    const isPlanning = () => proxy.count(change) === changes;
    for (const operation of reads) proxy.freeze({ operation, when: isPlanning });
    await sync(b);
    changes = proxy.count(change);
    await sync(a);
    expect(proxy.count(change)).toBe(2);
    // seen at last: then there is nothing to do
    proxy.clear();
    expect(Object.values((await app.code([id])).outcomes)).not.toContain('synced');
  });

  it('and a change of somebody else is believed', async () => {
    await app.write(filesOf('v1')['Machine'] ?? {});
    await app.code(['Machine']);
    const other = JSON.stringify({ StartAt: 'B', States: { B: { Type: 'Pass', Result: 'other', End: true } } });
    const changed = (text: string): string => JSON.stringify({ ...(JSON.parse(text) as object), definition: other });
    proxy.fault({ operation: 'DescribeStateMachine' }, { kind: 'change', body: changed }, { times: Infinity });
    await app.write({ 'machine.json': other });
    expect((await app.code(['Machine'])).outcomes).toEqual({ Machine: 'unchanged' });
  });
});

describe('a success whose answer says nothing is none, and the next sync makes the change', () => {
  it.each([
    ['Fn', 'UpdateFunctionCode'],
    ['Fn', 'PublishVersion'],
    ['Fn', 'UpdateAlias'],
    ['Layer', 'PublishLayerVersion'],
    ['Layer', 'UpdateFunctionConfiguration'],
    ['Rest', 'PutRestApi'],
    ['Rest', 'CreateDeployment'],
    ['Rest', 'UpdateStage'],
    ['Http', 'ReimportApi'],
    ['Machine', 'UpdateStateMachine'],
    ['Machine', 'UpdateStateMachineAlias'],
  ])('%s: %s', async (id, operation) => {
    const version = `v${++versions}`;
    await app.write(filesOf(version)[id] ?? {});
    const headers = { 'content-type': 'application/json', 'x-amzn-requestid': 'nothing' };
    proxy.fault({ operation }, { kind: 'answer', headers, body: '{}' });
    const { exitCode, notes } = await app.code([id]);
    expect(notes.join('\n')).toContain(`accepted ${operation}, but its response is unexpected`);
    expect(exitCode).toBe(1);
    expect((await app.code([id])).exitCode).toBe(0);
    expect(await isLive[id]?.(version)).toBe(true);
  });

  it('code of another hash', async () => {
    await app.write(filesOf(`v${++versions}`)['Fn'] ?? {});
    const other = (text: string): string =>
      JSON.stringify({ ...(JSON.parse(text) as object), CodeSha256: 'another+hash=' });
    proxy.fault({ operation: 'UpdateFunctionCode' }, { kind: 'change', body: other });
    const { exitCode, notes } = await app.code(['Fn']);
    expect(notes.join('\n')).toMatch(/CodeSha256 is another\+hash= instead of \S+=/);
    expect(exitCode).toBe(1);
    expect((await app.code(['Fn'])).exitCode).toBe(0);
  });

  it.each(['PutObject', 'UpdateStack'])('a deployment: %s', async (operation) => {
    const memory = 128 + ++versions;
    await app.write({ 'template.yaml': TEMPLATE.replace('Timeout: 20', `Timeout: 20, MemorySize: ${memory}`) });
    await app.write(filesOf(`v${++versions}`)['Fn'] ?? {});
    const headers = { 'content-type': 'text/xml', 'x-amzn-requestid': 'nothing', 'x-amz-request-id': 'nothing' };
    const body = operation === 'PutObject' ? '' : `<${operation}Response><${operation}Result/></${operation}Response>`;
    proxy.fault({ operation }, { kind: 'answer', headers, body });
    await expect(app.plain()).rejects.toThrow(`accepted ${operation}, but its response is unexpected`);
    expect(await app.plain()).toMatchObject({ exitCode: 0, way: 'deploy' });
    expect(await isLive['Fn']?.(`v${versions}`)).toBe(true);
  });
});

it('an alias that is not there has to be deployed first', async () => {
  await app.write(filesOf('alias')['Fn'] ?? {});
  const isOfAlias = ({ path: at }: ProxiedCall): boolean => /aliases|Qualifier=live/.test(at);
  const missing = { kind: 'error', status: 404, code: 'ResourceNotFoundException' } as const;
  proxy.fault({ service: 'lambda', when: isOfAlias }, missing, { times: Infinity });
  const { exitCode, notes } = await app.code(['Fn']);
  expect(exitCode).toBe(1);
  expect(notes.join('\n')).toContain('Fn has no alias live in the cloud yet');
});

describe('an update that Lambda does not end well', () => {
  /** Answers about the function say this, once the update was accepted. */
  const answering = (status: object) => {
    const change = (text: string): string => {
      const answer = JSON.parse(text) as { Configuration?: object };
      return JSON.stringify(
        answer.Configuration === undefined
          ? { ...answer, LastUpdateStatus: 'InProgress' }
          : { ...answer, Configuration: { ...answer.Configuration, ...status } },
      );
    };
    const isSent = () => proxy.count('UpdateFunctionCode') > 0;
    const always = { times: Infinity };
    for (const operation of ['UpdateFunctionCode', 'GetFunction'])
      proxy.fault({ operation, when: isSent }, { kind: 'change', body: change }, always);
  };

  it('is reported with the reason', async () => {
    await app.write(filesOf('failed')['Fn'] ?? {});
    answering({ LastUpdateStatus: 'Failed', LastUpdateStatusReason: 'the image is gone' });
    const { exitCode, notes } = await app.code(['Fn']);
    expect(exitCode).toBe(1);
    expect(notes.join('\n')).toContain('Lambda could not update Fn: the image is gone');
  });

  it('is reported if something else is there', async () => {
    await app.write(filesOf('other')['Fn'] ?? {});
    answering({ LastUpdateStatus: 'Successful', CodeSha256: 'something else' });
    const { exitCode, notes } = await app.code(['Fn']);
    expect(exitCode).toBe(1);
    expect(notes.join('\n')).toMatch(/Lambda accepted the update of Fn, but .* does not have what was sent/);
  });
});

it('the alias moves to a new version once the version is Active', async () => {
  const version = `v${++versions}`;
  await app.write(filesOf(version)['Fn'] ?? {});
  const pending = (text: string): string => {
    const answer = JSON.parse(text) as { Configuration?: object };
    const state = { State: 'Pending', StateReason: 'The function is being created.', StateReasonCode: 'Creating' };
    if (answer.Configuration === undefined) return JSON.stringify({ ...answer, ...state });
    return JSON.stringify({ ...answer, Configuration: { ...answer.Configuration, ...state } });
  };
  const isOfVersion = ({ path }: ProxiedCall): boolean =>
    /[?&]Qualifier=\d/.test(path) && proxy.count('PublishVersion') > 0;
  proxy.fault({ operation: 'PublishVersion' }, { kind: 'change', body: pending });
  proxy.fault({ operation: 'GetFunction', when: isOfVersion }, { kind: 'change', body: pending }, { times: 3 });
  expect((await app.code(['Fn'])).exitCode).toBe(0);
  const operations = proxy.calls.map(({ operation }) => operation);
  const waited = operations.slice(operations.indexOf('PublishVersion') + 1, operations.indexOf('UpdateAlias'));
  expect(waited.filter((operation) => operation === 'GetFunction')).toHaveLength(4);
  expect(await isLive['Fn']?.(version)).toBe(true);
});
