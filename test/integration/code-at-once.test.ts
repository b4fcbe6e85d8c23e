import { PublishLayerVersionCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { clients, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { zipBytes } from '../support/zip-bytes.ts';

const FILES = {
  'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, Handler: app.handler, Runtime: python3.11, Layers: [!Ref Layer]}}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer, LayerName: words}}
Outputs: {Fn: {Value: !Ref Fn}}
`,
  'fn/app.py': 'def handler(event, context): return 1\n',
  'layer/python/words.py': 'VALUE = 1\n',
};

let cloud: TestCloud;
let proxy: FaultProxy;
let env: Record<string, string>;

beforeAll(async () => {
  // an update must still be in progress in its answer, also on a busy machine: otherwise nothing looks at its end
  cloud = await startTestCloud({ SAM_SYNC_CLOUD_STATE_DELAY: '0.5' });
  proxy = await startFaultProxy(cloud.endpoint);
  env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

/** Syncs a change of the layer; before its end is looked at, another sync gives the function its own version of the layer. */
async function syncBesideAnother(stackName: string, contentOf: (sent: Uint8Array) => Uint8Array) {
  const { lambda } = clients(cloud.endpoint);
  const app = await createCodeApp(env, FILES, { stackName, dependencyLayer: false });
  const { Fn } = (await app.plain()).document['outputs'] as Record<string, string>;
  await app.write({ 'layer/python/words.py': 'VALUE = 2\n' });
  proxy.clear();
  const isUpdated = (): boolean => proxy.count('UpdateFunctionConfiguration') > 0;
  const looking = proxy.hold({ operation: 'GetFunction', when: isUpdated });
  const syncing = app.code();
  await looking.arrived;
  const sent = proxy.calls.find(({ operation }) => operation === 'PublishLayerVersion')!;
  const { Content } = JSON.parse(sent.body.toString()) as { Content: { ZipFile: string } };
  const ZipFile = contentOf(Buffer.from(Content.ZipFile, 'base64'));
  const { LayerVersionArn } = await lambda.send(
    new PublishLayerVersionCommand({ LayerName: 'words', Content: { ZipFile } }),
  );
  const update = new UpdateFunctionConfigurationCommand({ FunctionName: Fn, Layers: [LayerVersionArn!] });
  await poll(() =>
    lambda.send(update).catch((error: Error) => {
      // our sync's own update may still be in progress
      if (error.name !== 'ResourceConflictException') throw error;
      return undefined;
    }),
  );
  looking.release();
  return { ...(await syncing), remove: app.remove };
}

it('another sync of the same change at the same time: its version of the layer is as good as ours', async () => {
  const { outcomes, exitCode, remove } = await syncBesideAnother('same', (sent) => sent);
  expect({ exitCode, outcomes }).toEqual({ exitCode: 0, outcomes: { Fn: 'synced', Layer: 'synced' } });
  await remove();
});

it('another change of the layer at the same time: that is a failure of the function', async () => {
  const other = zipBytes({ 'python/words.py': 'VALUE = 3\n' });
  const { exitCode, results, remove } = await syncBesideAnother('other', () => other);
  expect(exitCode).toBe(1);
  expect(results.find(({ id }) => id === 'Fn')).toMatchObject({ outcome: 'failed' });
  expect(JSON.stringify(results)).toContain('does not have what was sent');
  await remove();
});
