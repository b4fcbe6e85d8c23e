import { randomBytes } from 'node:crypto';
import { DescribeStacksCommand, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutBucketPolicyCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { listResources } from '../support/snapshot.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { deployedResource, keysIn, WEB_APP } from '../support/web-app.ts';
import { isResource, isStack, startWatch } from '../support/watch-cli.ts';

let cloud: TestCloud;
let proxy: FaultProxy;

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

const env = (): Record<string, string> => ({ ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint });

const sync = (cwd: string, stackName: string, ...args: string[]): Promise<CliResult> =>
  runCli(['--stack-name', stackName, '--yes', ...args], { cwd, env: env() });

async function syncWell(cwd: string, stackName: string, ...args: string[]): Promise<CliResult> {
  const result = await sync(cwd, stackName, ...args);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return result;
}

/** One Web Function alone: quick to sync. */
const siteApp = (): Promise<string> =>
  tempFolder({
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Site: { Type: AWS::Serverless::WebFunction, Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth } }
`,
    'site/index.js': `// ${randomBytes(8).toString('hex')}\n`,
  });

async function outputOf(stackName: string, key: string): Promise<string | undefined> {
  const { Stacks } = await clients(cloud.endpoint).cloudformation.send(
    new DescribeStacksCommand({ StackName: stackName }),
  );
  return Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
}

async function stackNames(): Promise<string[]> {
  const { StackSummaries = [] } = await clients(cloud.endpoint).cloudformation.send(new ListStacksCommand({}));
  return StackSummaries.map(({ StackName = '' }) => StackName);
}

async function revisions(stackName: string): Promise<Record<string, string>> {
  const all = await listResources(cloud.endpoint, stackName);
  const found = [...all].filter(([, { type }]) => type === 'AWS::Lambda::WebFunctionRevision');
  return Object.fromEntries(found.map(([id, { physicalId }]) => [id, physicalId]));
}

describe('Web Functions', () => {
  it('have their code in a bucket of the stack’s own, imported by name, also in nested stacks; the next sync has nothing to do', async () => {
    const app = await tempFolder(WEB_APP);
    await syncWell(app, 'web');
    const codeStack = 'web-2567a5ec-WebFunctionCode';
    expect(await stackNames()).toContain(codeStack);
    const bucket = (await outputOf(codeStack, 'WebFunctionCodeBucket')) ?? '';
    const keys = await keysIn(cloud.endpoint, bucket);
    expect(keys).toHaveLength(3);
    const codeUri = {
      Bucket: { 'Fn::ImportValue': `${codeStack}-Bucket` },
      Key: expect.stringMatching(/^[0-9a-f]{32}$/),
    };
    expect(await deployedResource(cloud.endpoint, 'web', 'Site')).toMatchObject({
      Properties: {
        CodeUri: codeUri,
        EntryPoint: 'server.js',
        EnvironmentVariables: { NODE_OPTIONS: ' --enable-source-maps' },
      },
    });
    const child =
      [...(await listResources(cloud.endpoint, 'web'))].find(([id]) => id === 'Child')?.[1].physicalId ?? '';
    expect(await deployedResource(cloud.endpoint, child, 'Inner')).toMatchObject({ Properties: { CodeUri: codeUri } });

    proxy.clear();
    const again = await syncWell(app, 'web');
    expect(again.stderr).toContain('Stack web is up to date');
    expect([proxy.count('UpdateStack'), proxy.count('PutObject')]).toEqual([0, 0]);
    const before = await revisions('web');

    // code of one of them, and of the function: both come with one deployment
    await writeFiles(app, { 'plain/index.js': '// two\n', 'fn/app.py': 'def handler(event, context): return 2\n' });
    await syncWell(app, 'web');
    const after = await revisions('web');
    expect(after).toEqual({ ...before, PlainRevision: expect.not.stringMatching(before['PlainRevision'] ?? '') });
    expect(await keysIn(cloud.endpoint, bucket)).toHaveLength(4);
    expect((await syncWell(app, 'web')).stderr).toContain('Stack web is up to date');
  });

  it('are not synced by --code, which says so', async () => {
    const app = await tempFolder(WEB_APP);
    await syncWell(app, 'coded');
    await writeFiles(app, { 'plain/index.js': '// two\n', 'fn/app.py': 'def handler(event, context): return 2\n' });
    const before = await revisions('coded');
    const { stderr } = await syncWell(app, 'coded', '--code');
    expect(stderr).toContain('--code does not sync Web Functions: Site, Plain, Child/Inner.');
    expect(stderr).toContain('Code sync: 1 synced');
    expect(await revisions('coded')).toEqual(before);
    const one = await sync(app, 'coded', '--code', '--resource-id', 'Child/Inner');
    expect([one.code, one.stderr]).toEqual([
      1,
      expect.stringContaining('Child/Inner is a Web Function: a code sync cannot update it'),
    ]);
    // nor is a function alone made wait for them
    expect((await syncWell(app, 'coded', '--code', '--resource-id', 'Fn')).stderr).not.toContain('Web Function');
  });

  it('are watched, and deployed when their code is saved', async () => {
    const app = await tempFolder(WEB_APP);
    const watch = await startWatch(app, env(), [
      '--stack-name',
      'watched',
      '--resource-id',
      'Plain',
      '--resource-id',
      'Fn',
    ]);
    await watch.seen(isStack('in-sync'));
    await watch.seen(({ event }) => event === 'ready');
    const before = await revisions('watched');
    await watch.after(() => watch.write('plain/index.js', '// two\n'), isResource('Plain', 'in-sync'));
    const after = await revisions('watched');
    expect(after).toEqual({ ...before, PlainRevision: expect.not.stringMatching(before['PlainRevision'] ?? '') });

    // a failed build, and its end
    const failed = await watch.after(
      () => watch.write('site/src/server.ts', 'import "./missing";\n'),
      isResource('Site', 'failed'),
    );
    expect(failed.error?.message).toContain('Could not resolve "./missing"');
    const fixed = await watch.after(
      () => watch.write('site/src/missing.ts', 'console.log(1);\n'),
      isResource('Site', 'in-sync'),
    );
    expect(fixed.changed).toBe(true);

    // what cannot run is known until it can
    const broken = await watch.after(
      () => watch.write('plain/index.js', 'const = 1;\n'),
      isResource('Plain', 'in-sync'),
    );
    expect(JSON.stringify(broken)).toContain('SyntaxError');
    const whole = await watch.after(() => watch.write('plain/index.js', '// three\n'), isResource('Plain', 'in-sync'));
    expect(JSON.stringify(whole)).not.toContain('SyntaxError');
    expect(watch.stderr()).not.toContain('a code sync cannot update it');
    expect(watch.stderr()).toContain(
      'Changes of Web Functions are deployed through CloudFormation: Site, Plain, Child/Inner',
    );
  });

  it('a dry run says what would be made, and makes nothing', async () => {
    const app = await tempFolder(WEB_APP);
    const before = await stackNames();
    const { stderr } = await syncWell(app, 'dry', '--dry-run');
    expect(stderr).toMatch(
      /Stack dry-[0-9a-f]{8}-WebFunctionCode with the S3 bucket for the code of Web Functions would be created/,
    );
    expect(stderr).toContain('Child/Inner would be uploaded');
    expect(await stackNames()).toEqual(before);
  });

  it('do not get a bucket while their application cannot be built', async () => {
    const app = await siteApp();
    const broken =
      '  F: { Type: AWS::Serverless::Function, Metadata: { BuildMethod: esbuild }, Properties: { CodeUri: site, Handler: no.handler, Runtime: nodejs24.x } }';
    await writeFiles(app, {
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Site: { Type: AWS::Serverless::WebFunction, Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth } }
${broken}
`,
    });
    expect((await sync(app, 'unbuilt')).code).toBe(1);
    expect((await stackNames()).filter((name) => name.startsWith('unbuilt'))).toEqual([]);
  });

  it.each([
    ['its stack may not be made', 'CreateStack', 'cloudformation:CreateStack'],
    ['its stack may not be seen', 'DescribeStacks', 'cloudformation:DescribeStacks'],
  ])('%s: the user can name another bucket', async (_name, operation, action) => {
    const message = `User: arn:aws:iam::000000000000:user/dev is not authorized to perform: ${action} on resource: arn:aws:cloudformation:us-east-1:000000000000:stack/x`;
    proxy.fault(
      { operation, when: ({ body }) => String(body).includes('WebFunctionCode') },
      { kind: 'error', status: 403, code: 'AccessDenied', message },
      { times: Infinity },
    );
    const { code, stderr } = await sync(await siteApp(), `denied-${operation}`);
    expect(code).toBe(1);
    expect(stderr).toContain(`may not perform ${action}`);
    expect(stderr).toContain('Or use your own bucket with --s3-bucket. It needs versioning');
    expect(await stackNames()).not.toContain(`denied-${operation}`);
  });

  it('a stack of that name that is not for it is left alone', async () => {
    const app = await siteApp();
    await syncWell(app, 'taken');
    const codeStack = (await stackNames()).find((one) => /^taken-.*WebFunctionCode$/.test(one)) ?? '';
    proxy.fault(
      { operation: 'DescribeStacks', when: ({ body }) => String(body).includes('WebFunctionCode') },
      { kind: 'change', body: (text) => text.replaceAll('AwsSamCli', 'Somebody') },
      { times: Infinity },
    );
    await writeFiles(app, { 'site/index.js': '// other\n' });
    const { code, stderr } = await sync(app, 'taken');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`Stack ${codeStack} was created by neither AWS SAM CLI nor sam-sync`),
    ]);
  });
});

describe('with --s3-bucket', () => {
  const bucketWith = async (name: string, how: { versioned?: boolean; policy?: object }): Promise<void> => {
    const { s3 } = clients(cloud.endpoint);
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    if (how.versioned)
      await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }));
    if (how.policy) await s3.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify(how.policy) }));
  };
  const policy = (bucket: string, actions: string | string[]): object => ({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'lambda.amazonaws.com' },
        Action: actions,
        Resource: `arn:aws:s3:::${bucket}/*`,
      },
    ],
  });
  const DOUBT = 'does not allow lambda.amazonaws.com to call s3:GetObject and s3:GetObjectVersion';

  it('their code goes there, below the prefix, if the bucket is versioned and Lambda may read it', async () => {
    await bucketWith('ready', { versioned: true, policy: policy('ready', 's3:GetObject*') });
    const app = await siteApp();
    const { stderr } = await syncWell(app, 'given', '--s3-bucket', 'ready', '--s3-prefix', 'dev');
    expect(stderr).not.toContain('lambda.amazonaws.com');
    expect(await deployedResource(cloud.endpoint, 'given', 'Site')).toMatchObject({
      Properties: { CodeUri: expect.stringMatching(/^s3:\/\/ready\/dev\/[0-9a-f]{32}$/) },
    });
    expect((await stackNames()).filter((name) => /^given-.*WebFunctionCode/.test(name))).toEqual([]);
    expect((await syncWell(app, 'given', '--s3-bucket', 'ready', '--s3-prefix', 'dev')).stderr).toContain('up to date');
    // and from there to a bucket of the stack's own
    await syncWell(app, 'given');
    expect(await deployedResource(cloud.endpoint, 'given', 'Site')).toMatchObject({
      Properties: { CodeUri: { Bucket: { 'Fn::ImportValue': expect.stringContaining('-WebFunctionCode-Bucket') } } },
    });
  });

  it.each([
    ['has no policy', undefined],
    ['allows less', (bucket: string) => policy(bucket, 's3:GetObject')],
  ])('a bucket that %s: a warning', async (name, make) => {
    const bucket = `doubt-${name.replaceAll(' ', '-')}`;
    await bucketWith(bucket, { versioned: true, ...(make ? { policy: make(bucket) } : {}) });
    const { stderr } = await syncWell(await siteApp(), bucket, '--s3-bucket', bucket);
    expect(stderr).toContain(`The policy of bucket ${bucket} ${DOUBT}`);
  });

  it.each([[[]], [['--dry-run']]])('a bucket without versioning is refused %s', async (more: string[]) => {
    const bucket = `plain${more.length}`;
    await bucketWith(bucket, {});
    const { code, stderr } = await sync(await siteApp(), bucket, '--s3-bucket', bucket, ...more);
    expect(code).toBe(1);
    expect(stderr).toContain(`Bucket ${bucket} does not have versioning enabled, which Web Functions require`);
    expect(stderr).toContain('or leave out --s3-bucket');
    expect([await keysIn(cloud.endpoint, bucket), (await stackNames()).includes(bucket)]).toEqual([[], false]);
  });

  it('what may not be looked at is a warning, not an end', async () => {
    await bucketWith('secretive', { versioned: true });
    const denied = { kind: 'error', status: 403, code: 'AccessDenied', message: 'Access Denied' } as const;
    proxy.fault({ service: 's3', when: ({ path }) => /\?(?:versioning|policy)/.test(path) }, denied, {
      times: Infinity,
    });
    const { stderr } = await syncWell(await siteApp(), 'secretive', '--s3-bucket', 'secretive');
    expect(stderr).toContain('Could not check whether bucket secretive has versioning enabled');
    expect(stderr).toContain('Could not check whether the policy of bucket secretive allows Lambda to read');
  });

  it('a KMS key of AWS’s own is refused, and one that Lambda may not use is a warning', async () => {
    await bucketWith('encrypted', { versioned: true, policy: policy('encrypted', '*') });
    const answer = (body: object) =>
      ({
        kind: 'answer',
        status: 200,
        headers: { 'content-type': 'application/x-amz-json-1.1' },
        body: JSON.stringify(body),
      }) as const;
    const app = await siteApp();
    const args = ['--s3-bucket', 'encrypted', '--kms-key-id', 'the-key'];
    proxy.fault({ service: 'kms' }, answer({ KeyMetadata: { KeyId: 'id', KeyManager: 'AWS' } }), { times: Infinity });
    const refused = await sync(app, 'encrypted', ...args);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('KMS key the-key is an AWS managed key'),
    ]);
    proxy.clear();
    const own = { KeyMetadata: { KeyId: 'id', KeyManager: 'CUSTOMER' }, Policy: JSON.stringify(policy('x', 's3:*')) };
    proxy.fault({ service: 'kms' }, answer(own), { times: Infinity });
    const { stderr } = await syncWell(app, 'encrypted', ...args);
    expect(stderr).toContain('The policy of KMS key the-key does not allow lambda.amazonaws.com to call kms:Decrypt');
  });
});
