import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { DescribeStacksCommand, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutBucketPolicyCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonBody } from '../../src/aws/clients/lambda-web.ts';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { listResources } from '../support/snapshot.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { deployedResource, keysIn, WEB_APP, webFunction } from '../support/web-app.ts';
import { isStack, startReadyWatch } from '../support/watch-cli.ts';
import type { WatchCli, WatchLine } from '../support/watch-cli.ts';

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

/** A Web Function, one of the same code that the stack does not have, and a function that can keep a watch busy. */
const watchedApp = (): Promise<string> =>
  tempFolder({
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Conditions: { Never: !Equals [a, b] }
Resources:
  Off: { Type: AWS::Serverless::WebFunction, Condition: Never, Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth } }
  Site: { Type: AWS::Serverless::WebFunction, Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth } }
  Fn: { Type: AWS::Serverless::Function, Properties: { CodeUri: fn, Handler: app.handler, Runtime: python3.11 } }
`,
    'site/index.js': `// ${randomBytes(8).toString('hex')}\n`,
    'fn/app.py': 'def handler(event, context): return 1\n',
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
    const dry = await syncWell(app, 'web', '--dry-run', '--output', 'json');
    const { direct } = JSON.parse(dry.stdout) as { direct: { resources: { id: string }[] } };
    const settings = { size: expect.any(Number), sha256: expect.any(String) };
    expect(direct.resources).toEqual([
      expect.objectContaining({
        id: 'Plain',
        action: 'update',
        changes: ['code'],
        requests: [
          {
            service: 'lambda-web',
            operation: 'CreateWebFunctionRevision',
            parameters: expect.objectContaining({ serviceConfig: settings }),
          },
          expect.objectContaining({ operation: 'UpdateWebFunctionEndpoint' }),
        ],
      }),
    ]);
    expect(await revisions('web')).toEqual(before);
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

  /** Waits for the end of a save or deployment after which `id` serves only the stack's revision, and there is no other. */
  const asInStack = async (stackName: string, id: string): Promise<string> => {
    const { own, weights, revisions } = await webFunction(cloud.endpoint, stackName, id);
    expect({ weights, revisions: Object.keys(revisions) }).toEqual({ weights: { [own]: 100 }, revisions: [own] });
    return own;
  };
  const isSaved =
    (id: string) =>
    (line: WatchLine): boolean =>
      line['resource'] === id && (line.state === 'in-sync' || line.state === 'failed');
  const plain = (text: string): string => `// ${text}\n`;
  /** Keeps the watch at work on the function, so that no deployment follows until it is released. */
  const keepBusy = async (watch: WatchCli): Promise<{ release: () => void }> => {
    const held = proxy.hold({ operation: 'UpdateFunctionCode' });
    await watch.write('fn/app.py', `def handler(event, context): return "${randomBytes(4).toString('hex')}"\n`);
    await held.arrived;
    return held;
  };

  it('are watched: saved code is live before the deployment, which replaces and removes our revision; also in nested stacks', async () => {
    const app = await tempFolder({
      ...WEB_APP,
      'template.yaml': WEB_APP['template.yaml']
        .replace('Resources:', 'Conditions: { Short: !Equals [a, a] }\nResources:')
        .replace('MODE: one', 'MODE: !If [Short, short, long]'),
    });
    const watch = await startReadyWatch(app, env(), ['--stack-name', 'watched']);
    const busy = await keepBusy(watch);
    for (const [id, file] of [
      ['Plain', 'plain/index.js'],
      ['Child/Inner', 'child/site/main.js'],
    ] as const) {
      const before = await asInStack('watched', id);
      const live = await watch.save(file, plain('two'), id);
      expect(live).toMatchObject({ state: 'in-sync', changed: true, detail: 'code' });
      const { own, weights, revisions } = await webFunction(cloud.endpoint, 'watched', id);
      expect(own).toBe(before);
      const [ours = ''] = Object.keys(weights);
      expect([ours === own, weights, Object.keys(revisions).length]).toEqual([false, { [ours]: 100 }, 2]);
      // nothing but the code differs
      const settings = ({ serviceConfig, buildConfig }: JsonBody = {}): unknown => [
        serviceConfig,
        (buildConfig as JsonBody | undefined)?.['runtimeConfig'],
      ];
      expect(settings(revisions[ours])).toEqual(settings(revisions[own]));
      expect(JSON.stringify(settings(revisions[ours]))).toContain(id === 'Plain' ? '"MODE":"short"' : 'main.js');
      expect(revisions[ours]?.['buildConfig']).not.toEqual(revisions[own]?.['buildConfig']);
    }
    // a second save replaces our revision
    await watch.save('plain/index.js', plain('three'), 'Plain');
    expect(Object.keys((await webFunction(cloud.endpoint, 'watched', 'Plain')).revisions)).toHaveLength(2);
    await watch.after(async () => busy.release(), isStack('in-sync'));
    await asInStack('watched', 'Plain');
    await asInStack('watched', 'Child/Inner');

    // as deployed again before the deployment
    const own = await asInStack('watched', 'Plain');
    const again = await keepBusy(watch);
    const from = watch.lines.length;
    await watch.save('plain/index.js', plain('four'), 'Plain');
    expect(await watch.save('plain/index.js', plain('three'), 'Plain')).toMatchObject({ changed: true });
    expect(await asInStack('watched', 'Plain')).toBe(own);
    again.release();
    expect(await watch.seen(isStack('in-sync'), from)).toMatchObject({ changed: false });

    // a failed build, and its end
    const failed = await watch.save('site/src/server.ts', 'import "./missing";\n', 'Site');
    expect(failed.error?.message).toContain('Could not resolve "./missing"');
    expect(await watch.save('site/src/missing.ts', 'console.log(1);\n', 'Site')).toMatchObject({ changed: true });
    // what cannot run is known until it can
    const broken = await watch.save('plain/index.js', 'const = 1;\n', 'Plain');
    expect(JSON.stringify(broken)).toContain('SyntaxError');
    expect(JSON.stringify(await watch.save('plain/index.js', plain('whole'), 'Plain'))).not.toContain('SyntaxError');
    expect(watch.stderr()).not.toContain('waits for the deployment');
  });

  it('wait for the deployment, which begins at once, where only it may change what is live', async () => {
    const app = await watchedApp();
    const watch = await startReadyWatch(app, env(), ['--stack-name', 'waits']);
    const note = (text: string) => (line: WatchLine) => line.event === 'note' && String(line['text']).includes(text);
    let count = 0;
    const waits = async (why: string): Promise<void> => {
      const from = watch.lines.length;
      await watch.write('site/index.js', plain(`${++count} ${why}`));
      await watch.seen(note(why), from);
      expect((await watch.seen(isStack('in-sync'), from)).changed).toBe(true);
      // no sync is left that could still report something
      await watch.seen(isSaved('Site'), from);
    };
    for (const operation of ['GetWebFunctionEndpoint', 'CreateWebFunctionRevision', 'UpdateWebFunctionEndpoint']) {
      proxy.fault({ operation }, { kind: 'denied' });
      await waits(`may not perform lambda:${operation}`);
      await asInStack('waits', 'Site');
    }
    proxy.fault(
      { operation: 'GetWebFunctionEndpoint' },
      { kind: 'change', body: (text) => text.replace('HomeRegion', 'MultiRegion') },
    );
    await waits('its endpoint (MultiRegion) serves several Regions');
    proxy.fault(
      { operation: 'GetWebFunctionRevision' },
      { kind: 'change', body: (text) => text.replace('{', '{"newSetting":1,') },
    );
    await waits('its revision has newSetting, which sam-sync does not know');
    // a canary that a person has set
    const before = await webFunction(cloud.endpoint, 'waits', 'Site');
    const deploying = proxy.hold({ operation: 'UpdateStack' });
    const busy = await keepBusy(watch);
    await watch.save('site/index.js', plain('canary'), 'Site');
    const { weights, divide } = await webFunction(cloud.endpoint, 'waits', 'Site');
    const [ours = ''] = Object.keys(weights);
    // while a further revision is being created
    const creating = proxy.hold({ operation: 'CreateWebFunctionRevision' });
    const from = watch.lines.length;
    await watch.write('site/index.js', plain('late'));
    await creating.arrived;
    await divide({ [before.own]: 90, [ours]: 10 });
    creating.release();
    await watch.seen(note('its endpoint was changed during this sync'), from);
    const during = await webFunction(cloud.endpoint, 'waits', 'Site');
    expect([during.weights, Object.keys(during.revisions).sort()]).toEqual([
      { [before.own]: 90, [ours]: 10 },
      [before.own, ours].sort(),
    ]);
    busy.release();
    await deploying.arrived;
    expect((await webFunction(cloud.endpoint, 'waits', 'Site')).weights).toEqual({ [before.own]: 90, [ours]: 10 });
    // our revisions may not be deleted: no further ones are created
    proxy.fault({ operation: 'ListWebFunctionRevisions' }, { kind: 'denied' });
    await watch.after(async () => deploying.release(), isStack('in-sync'));
    expect(watch.stderr()).toContain('Revisions of Site that sam-sync created could not be deleted: Access denied');
    expect(watch.lines.some(note('Off waits'))).toBe(false);
    await waits('the revisions that sam-sync creates could not be deleted after the last deployment');
    await asInStack('waits', 'Site');
  });

  it('a revision that Lambda cannot create fails the save, leaves the live code, and is deleted', async () => {
    const app = await watchedApp();
    const watch = await startReadyWatch(app, env(), ['--stack-name', 'refused']);
    const own = await asInStack('refused', 'Site');
    const reason = '"errors":[{"attribute":"buildConfig","errorCode":"X","errorMessage":"too large"}],"state":"Failed"';
    proxy.fault(
      { operation: 'CreateWebFunctionRevision' },
      { kind: 'change', body: (text) => text.replace(/"state": ?"[A-Za-z]+"/, reason) },
    );
    const failed = await watch.save('site/index.js', plain('bad'), 'Site');
    expect(failed.error).toMatchObject({
      message: expect.stringMatching(/Lambda could not create a revision of Web Function .*: buildConfig: too large/),
    });
    expect(await asInStack('refused', 'Site')).toBe(own);
    const stuck = (text: string): string =>
      text.replace(/"updateStatus": ?"\w+"/, '"updateStatus":"Failed","updateStatusReason":"no room"');
    proxy.fault({ operation: 'GetWebFunctionEndpoint' }, { kind: 'change', body: stuck }, { skip: 2 });
    expect((await watch.save('site/index.js', plain('stuck'), 'Site')).error?.message).toContain(
      'could not move endpoint prod',
    );
    // a stack that is rolled back has its own revision, and so has the endpoint
    const bad =
      '  Bad: { Type: AWS::Lambda::Function, Properties: { Code: { S3Bucket: none, S3Key: none }, Role: r } }\n';
    const busy = await keepBusy(watch);
    await watch.save('site/index.js', plain('good'), 'Site');
    await watch.after(
      () => watch.write('template.yaml', (text) => text.replaceAll('IamAuth', 'ApplicationManaged') + bad),
      ({ event, templates }) => event === 'changed' && templates === true,
    );
    busy.release();
    const row = await watch.seen(({ error }) => error?.message.includes('that was deployed before') === true);
    expect(row).toMatchObject({ resource: 'Site', state: 'failed' });
    expect(await asInStack('refused', 'Site')).toBe(own);
    // what may need settings that the stack does not have is not live without them
    await watch.seen(isStack('failed'));
    const waits = ({ text }: WatchLine): boolean =>
      String(text).includes('its template has changes that are not deployed');
    const from = watch.lines.length;
    await watch.write('site/index.js', plain('later'));
    await watch.seen(waits, from);
    await watch.seen(isStack('failed'), from);
    expect(await asInStack('refused', 'Site')).toBe(own);
    await watch.after(() => watch.write('template.yaml', (text) => text.replace(bad, '')), isStack('in-sync'));
    expect(await asInStack('refused', 'Site')).not.toBe(own);
  });

  it('are deployed only, with --no-direct-config', async () => {
    const app = await siteApp();
    const watch = await startReadyWatch(app, env(), ['--stack-name', 'indirect', '--no-direct-config']);
    expect(watch.stderr()).toContain('Changes of Web Functions are deployed through CloudFormation: Site');
    expect(await watch.save('site/index.js', plain('two'), 'Site')).toMatchObject({ detail: 'deployed' });
    expect(proxy.count('CreateWebFunctionRevision')).toBe(0);
  });

  it.each([
    ['is deployed by the next sync', plain('two'), 'Stack ended-1 is in sync', true],
    [
      'is taken back by the next sync if the code is as deployed',
      undefined,
      'The deployed code is live again: Site',
      false,
    ],
  ])('code that is live when the watch ends %s', async (_name, next, text, isNew) => {
    const stackName = isNew ? 'ended-1' : 'ended-2';
    const app = await watchedApp();
    const first = await fs.readFile(path.join(app, 'site/index.js'), 'utf8');
    const watch = await startReadyWatch(app, env(), ['--stack-name', stackName]);
    const own = await asInStack(stackName, 'Site');
    const busy = await keepBusy(watch);
    await watch.save('site/index.js', plain('two'), 'Site');
    await watch.stop();
    busy.release();
    expect(watch.lines.at(-1)?.['goingOn']).toContain('code of Site took effect directly');
    expect(Object.keys((await webFunction(cloud.endpoint, stackName, 'Site')).weights)).not.toEqual([own]);
    await writeFiles(app, { 'site/index.js': next ?? first });
    // our revision is deleted also if somebody has deleted the endpoint
    const gone = { kind: 'error', status: 404, code: 'ResourceNotFoundException' } as const;
    if (isNew) proxy.fault({ operation: 'GetWebFunctionEndpoint' }, gone);
    const { stderr } = await syncWell(app, stackName);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain('could not be deleted');
    expect((await asInStack(stackName, 'Site')) === own).toBe(!isNew);
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
