import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';

const FUNCTIONS = Array.from({ length: 50 }, (_, index) => `Fn${index}`);
const LAYERS = Array.from({ length: 5 }, (_, index) => `Layer${index}`);
const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler, Timeout: 20}}
Resources:
${LAYERS.map((name, index) => `  ${name}: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer${index}}}`).join('\n')}
${FUNCTIONS.map((name, index) => `  ${name}: {Type: AWS::Serverless::Function, Properties: {Role: "arn:aws:iam::000000000000:role/x", FunctionName: ${name}, CodeUri: fn${index % 3}, Layers: [!Ref Layer${index % 5}]}}`).join('\n')}
`;
const code = (version: string) =>
  Object.fromEntries(
    [0, 1, 2].map((index) => [
      `fn${index}/app.py`,
      `import importlib\ndef handler(event, context):\n    return ['${version} of code ${index}', importlib.import_module(event['layer']).VALUE]\n`,
    ]),
  );
const files = (version: string) => ({
  ...code(version),
  ...Object.fromEntries(
    LAYERS.map((_, index) => [`layer${index}/python/shared${index}.py`, `VALUE = '${version} of layer ${index}'\n`]),
  ),
});

let cloud: TestCloud;
let proxy: FaultProxy;
let app: CodeApp;

const call = (name: string) => {
  const index = FUNCTIONS.indexOf(name);
  return invoke(cloud.endpoint, name, { layer: `shared${index % 5}` });
};
const expected = (name: string, version: string, layerVersion = version) => {
  const index = FUNCTIONS.indexOf(name);
  return [`${version} of code ${index % 3}`, `${layerVersion} of layer ${index % 5}`];
};
/** Every function's code and layers, each different value once: so many versions are in use. */
const inUse = async () => {
  const { lambda } = clients(cloud.endpoint);
  const found: FunctionConfiguration[] = [];
  for (let Marker: string | undefined; ;) {
    const page = await lambda.send(new ListFunctionsCommand({ Marker }));
    found.push(...(page.Functions ?? []));
    Marker = page.NextMarker;
    if (!Marker) break;
  }
  return {
    codes: new Set(found.map(({ CodeSha256 }) => CodeSha256)).size,
    layers: new Set(found.map(({ Layers }) => Layers?.map(({ Arn }) => Arn).join())).size,
  };
};

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
});
beforeEach(async () => {
  app = await createCodeApp(
    { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint },
    { 'template.yaml': TEMPLATE, ...files('v1') },
    { stackName: 'faults', dependencyLayer: false },
  );
  await app.plain();
});
afterEach(async () => {
  proxy.clear();
  await app.remove();
  await cloud.reset();
});
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

describe('fifty functions and five layers', () => {
  it('arrive complete though the services throttle, break and cut connections', async () => {
    await app.write(files('v2'));
    let count = 0;
    const countCall = () => {
      count++;
      return false;
    };
    proxy.fault({ when: countCall }, { kind: 'throttle' });
    const every = (nth: number, offset: number) => ({ when: () => count % nth === offset });
    proxy.fault(every(3, 0), { kind: 'throttle' }, { times: Infinity });
    proxy.fault(every(23, 5), { kind: 'error', status: 500 }, { times: Infinity });
    proxy.fault(every(29, 7), { kind: 'reset', when: 'before' }, { times: Infinity });
    proxy.fault(every(31, 11), { kind: 'reset', when: 'after-answer' }, { times: Infinity });
    const { exitCode, outcomes, notes } = await app.code();
    expect(notes.at(-1)).toMatch(/55 synced/);
    expect(exitCode).toBe(0);
    expect(Object.values(outcomes).every((outcome) => outcome === 'synced')).toBe(true);
    expect(await inUse()).toEqual({ codes: 3, layers: 5 });
    for (const name of ['Fn0', 'Fn17', 'Fn49']) expect(await call(name)).toEqual(expected(name, 'v2'));
    proxy.clear();
    expect(Object.values((await app.code()).outcomes).every((outcome) => outcome === 'unchanged')).toBe(true);
  });

  it('are completed by the next sync after an interruption', async () => {
    await app.write(code('v3'));
    const interrupt = new AbortController();
    let updates = 0;
    const interruptTenth = () => {
      if (++updates === 10) interrupt.abort();
      return false;
    };
    proxy.fault({ operation: 'UpdateFunctionCode', when: interruptTenth }, { kind: 'throttle' });
    await expect(app.code([], {}, interrupt.signal)).rejects.toThrow('Interrupted');
    proxy.clear();
    const { exitCode, outcomes } = await app.code();
    expect(exitCode).toBe(0);
    expect(Object.values(outcomes)).toContain('unchanged');
    expect((await inUse()).codes).toBe(3);
    for (const name of ['Fn0', 'Fn49']) expect(await call(name)).toEqual(expected(name, 'v3', 'v1'));
  });

  it('fail one by one', async () => {
    await app.write(code('v4'));
    const isSeventh = { when: ({ path }: ProxiedCall) => path.includes('/functions/Fn7/code') };
    const denied = { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'not allowed' } as const;
    proxy.fault({ operation: 'UpdateFunctionCode', ...isSeventh }, denied);
    const { exitCode, outcomes, notes } = await app.code(['Fn6', 'Fn7', 'Fn8']);
    expect(exitCode).toBe(1);
    expect(outcomes).toEqual({ Fn6: 'synced', Fn7: 'failed', Fn8: 'synced' });
    expect(notes.join('\n')).toMatch(/Access denied/);
    expect(await call('Fn7')).toEqual(expected('Fn7', 'v1', 'v1'));
    expect((await app.code(['Fn7'])).exitCode).toBe(0);
    expect(await call('Fn7')).toEqual(expected('Fn7', 'v4', 'v1'));
  });

  it('wait for an update of somebody else', async () => {
    await app.write(code('v5'));
    const busy = {
      kind: 'error',
      status: 409,
      code: 'ResourceConflictException',
      message: 'An update is in progress',
    } as const;
    proxy.fault({ operation: 'UpdateFunctionCode' }, busy, { times: 2 });
    expect((await app.code(['Fn3'])).outcomes).toEqual({ Fn3: 'synced' });
    expect(await call('Fn3')).toEqual(expected('Fn3', 'v5', 'v1'));
  });
});
