import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { clients, invoke, poll } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import { openCloud } from '../support/open-cloud.ts';
import { runPeer } from '../support/peer.ts';

const { cloud, proxy } = await openCloud();
const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };

const ALIAS = 'AutoPublishAlias: live';
const BAD =
  '  Bad: {Type: AWS::Lambda::Function, DependsOn: [FnAliaslive, Child], Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\n';

/** The same function in the root stack and in a nested one. */
const files = (version: number, properties: string, more = ''): Record<string, string> => {
  const template = (folder: string): string =>
    `Transform: AWS::Serverless-2016-10-31\nResources:\n  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: ${folder}, Runtime: python3.11, Handler: app.handler, ${properties}}}\n`;
  const code = (folder: string): string => `def handler(event, context):\n    return "${folder} ${version}"\n`;
  const nested = '  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}\n';
  return {
    'template.yaml': `${template('root')}${nested}${more}Outputs: {Root: {Value: !Ref Fn}, Nested: {Value: !GetAtt Child.Outputs.Fn}}\n`,
    'child.yaml': `${template('nested')}Outputs: {Fn: {Value: !Ref Fn}}\n`,
    'root/app.py': code('root'),
    'nested/app.py': code('nested'),
  };
};

it('a deployment publishes a version whatever Lambda has published before, with no more calls than that takes', async () => {
  const app = await createCodeApp(env, files(1, `${ALIAS}, MemorySize: 128`), { stackName: 'aliased' });
  const { Root = '', Nested = '' } = (await app.plain()).document['outputs'] as Record<string, string>;
  const live = async (): Promise<unknown[]> =>
    Promise.all([Root, Nested].map((name) => invoke(cloud.endpoint, `${name}:live`)));
  /** Lists of versions that a deployment reads, and versions that are published before it. */
  const deploy = async (changed: Record<string, string>): Promise<number[]> => {
    await app.write(changed);
    proxy.clear();
    expect((await app.plain()).way).toBe('deploy');
    return [proxy.count('ListVersionsByFunction'), proxy.count('PublishVersion')];
  };
  const configuration = `${ALIAS}, Timeout: 9, MemorySize`;
  expect(await deploy(files(1, `${ALIAS}, Timeout: 9, MemorySize: 128`)), 'SAM names no other version').toEqual([0, 0]);
  expect(await deploy(files(1, `${configuration}: 256`)), 'other settings').toEqual([2, 0]);
  expect(await deploy(files(2, `${configuration}: 256`.replace('Timeout: 9', 'Timeout: 8'))), 'other code').toEqual([
    2, 0,
  ]);
  const plain = 'Timeout: 8, MemorySize: 256';
  expect(await deploy(files(2, plain)), 'no alias').toEqual([0, 0]);
  expect(await deploy(files(2, `${ALIAS}, ${plain}`)), 'the alias again').toEqual([2, 2]);
  expect(await live()).toEqual(['root 2', 'nested 2']);
  // a deployment that fails after it has moved the aliases
  await app.write(files(3, `${ALIAS}, ${plain}`, BAD));
  await expect(app.plain()).rejects.toThrow('Bad');
  expect(await live()).toEqual(['root 2', 'nested 2']);
  // the local cloud's rollback of the nested stack has published another version already
  expect(await deploy(files(3, `${ALIAS}, ${plain}, Tags: {A: a}`)), 'after a rollback').toEqual([2, 1]);
  expect(await live()).toEqual(['root 3', 'nested 3']);
  const samconfig = 'version = 0.1\n[default.sync.parameters]\ns3_prefix = "elsewhere"\n';
  const elsewhere = { ...files(3, `${ALIAS}, ${plain}, Tags: {A: b}`), 'samconfig.toml': samconfig };
  // Ctrl-C before the deployment, while both functions have another description
  await app.write(elsewhere);
  proxy.clear();
  const held = proxy.hold({ operation: 'PublishVersion' });
  const interrupt = new AbortController();
  const ending = app.plain({}, interrupt.signal).catch(() => 'interrupted');
  await poll(async () => (proxy.count('PublishVersion') === 2 ? true : undefined));
  interrupt.abort();
  expect(await ending).toBe('interrupted');
  held.release();
  for (const FunctionName of [Root, Nested]) {
    const { Description } = await clients(cloud.endpoint).lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName }),
    );
    expect(Description).toBe('');
  }
  expect(await deploy(elsewhere), 'the same code at another place').toEqual([2, 2]);
  // AWS SAM CLI's code sync, and the same code and new settings of ours
  await app.write(files(4, `${ALIAS}, ${plain}, Tags: {A: b}`));
  const { code, stderr } = await runPeer(['sync', '--code', '--stack-name', 'aliased'], {
    cwd: app.dir,
    env: cloud.env,
  });
  expect(code, stderr).toBe(0);
  expect(await live()).toEqual(['root 4', 'nested 4']);
  expect(await deploy(files(4, `${ALIAS}, ${plain.replace('256', '512')}`)), 'after AWS SAM CLI').toEqual([2, 0]);
  expect(await live()).toEqual(['root 4', 'nested 4']);
  await app.remove();
});
