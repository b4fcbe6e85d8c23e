import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { edit } from '../support/app.ts';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { listResources } from '../support/snapshot.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { isStack, startWatch } from '../support/watch-cli.ts';
import { zipBytes } from '../support/zip-bytes.ts';

let cloud: TestCloud;
let proxy: FaultProxy;

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  const { s3 } = clients(cloud.endpoint);
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }));
  const Body = zipBytes({ 'app.py': 'def handler(event, context): return "there"\n' });
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'app.zip', Body }));
});
beforeEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

const SERVERLESS = 'CodeUri: { Bucket: code, Key: app.zip, StorageMode: REFERENCE }';
const PLAIN = 'Code: { S3Bucket: code, S3Key: app.zip, S3ObjectStorageMode: REFERENCE }';

/** A function whose code is in S3 and stays there, and a layer that does. */
function appWith(type: string, location: string): Promise<string> {
  return tempFolder({
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: ${type}
    Properties: { Runtime: python3.11, Handler: app.handler, Role: "arn:aws:iam::000000000000:role/x", ${location} }
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: { Bucket: code, Key: app.zip, StorageMode: REFERENCE } }
`,
    'fn/app.py': 'def handler(event, context): return "here"\n',
  });
}

describe.each([
  ['AWS::Serverless::Function', SERVERLESS, 'CodeUri: fn'],
  ['AWS::Lambda::Function', PLAIN, 'Code: fn'],
])('the storage mode of an %s', (type, location, local) => {
  const stackName = `mode-${type.split('::')[1]}`;
  const env = (): Record<string, string> => ({ ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint });
  const sync = async (cwd: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCli(['--stack-name', stackName, '--yes', ...args], { cwd, env: env() });
    expect(code, stdout + stderr).toBe(0);
    return stderr;
  };
  const look = async (): Promise<{ name: string; referred: unknown }> => {
    const name = (await listResources(cloud.endpoint, stackName)).get('Fn')?.physicalId ?? '';
    const { Code } = await clients(cloud.endpoint).lambda.send(new GetFunctionCommand({ FunctionName: name }));
    return { name, referred: Code?.ResolvedS3Object };
  };

  it('reaches Lambda, is left alone by code syncs, and goes by a deployment when the code becomes local', async () => {
    const app = await appWith(type, location);
    await sync(app);
    const object = { S3Bucket: 'code', S3Key: 'app.zip' };
    expect((await look()).referred).toEqual(object);
    expect(await sync(app)).toContain('is up to date');
    expect(await sync(app, '--code')).toContain('skipped');
    expect((await look()).referred).toEqual(object);

    proxy.clear();
    await edit(app, 'template.yaml', location, local);
    await sync(app);
    const { name, referred } = await look();
    expect([referred, proxy.count('UpdateStack')]).toEqual([undefined, 1]);
    expect(await invoke(cloud.endpoint, name)).toBe('here');

    // and back, in a watch
    const watch = await startWatch(app, env(), ['--stack-name', stackName]);
    await watch.seen(({ event }) => event === 'ready');
    await watch.after(() => watch.write('template.yaml', (text) => text.replace(local, location)), isStack('in-sync'));
    expect((await look()).referred).toEqual(object);
    await watch.after(() => watch.write('template.yaml', (text) => text.replace(location, local)), isStack('in-sync'));
    expect((await look()).referred).toBe(undefined);
  });
});
