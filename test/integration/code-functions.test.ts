import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import { driftOf } from '../support/drift.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { startReadyWatch } from '../support/watch-cli.ts';
import { zipBytes } from '../support/zip-bytes.ts';

const python = (answer: string) => `def handler(event, context):\n    return ${JSON.stringify(answer)}\n`;

const TEMPLATE = `
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler, Timeout: 20}}
Parameters:
  Alias: {Type: String, Default: live}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {CodeUri: one, Environment: {Variables: {ALIAS: !Ref Alias}}}}
  Aliased: {Type: AWS::Serverless::Function, Properties: {CodeUri: aliased, AutoPublishAlias: !Ref Alias}}
  Shared1: {Type: AWS::Serverless::Function, Properties: {CodeUri: shared}}
  Shared2: {Type: AWS::Serverless::Function, Properties: {CodeUri: shared}}
  Zipped: {Type: AWS::Serverless::Function, Properties: {CodeUri: code.zip}}
  Skipped: {Type: AWS::Serverless::Function, Metadata: {SkipBuild: true}, Properties: {CodeUri: skipped}}
  Managed:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: managed
      SourceKMSKeyArn: arn:aws:kms:us-east-1:000000000000:key/1
      CapacityProviderConfig: {Arn: 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:some'}
      PublishToLatestPublished: true
  Inline: {Type: AWS::Serverless::Function, Properties: {InlineCode: 'def handler(e, c): return 1', Handler: index.handler}}
  Raw:
    Type: AWS::Lambda::Function
    Properties: {Code: raw, Handler: app.handler, Runtime: python3.11, Role: 'arn:aws:iam::000000000000:role/x', Timeout: 20}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child/template.yaml}}
Outputs:
  One: {Value: !Ref One}
  Aliased: {Value: !Ref Aliased}
  Shared1: {Value: !Ref Shared1}
  Shared2: {Value: !Ref Shared2}
  Zipped: {Value: !Ref Zipped}
  Skipped: {Value: !Ref Skipped}
  Raw: {Value: !Ref Raw}
  Inner: {Value: !GetAtt Child.Outputs.Inner}
`;
const CHILD = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Inner: {Type: AWS::Serverless::Function, Properties: {CodeUri: inner, Runtime: python3.11, Handler: app.handler, Timeout: 20}}
Outputs:
  Inner: {Value: !Ref Inner}
`;
const FILES = {
  'template.yaml': TEMPLATE,
  'child/template.yaml': CHILD,
  ...Object.fromEntries(
    ['one', 'aliased', 'shared', 'managed', 'skipped', 'raw', 'child/inner'].map((dir) => [
      `${dir}/app.py`,
      python('v1'),
    ]),
  ),
};

let cloud: TestCloud;
let proxy: FaultProxy;
let app: CodeApp;
let env: Record<string, string>;
let names: Record<string, string>;

const outputsOf = (document: Record<string, unknown>) => document['outputs'] as Record<string, string>;
const call = (name: string, qualifier = '') => invoke(cloud.endpoint, `${names[name]}${qualifier}`);
const operations = () => proxy.calls.map(({ operation }) => operation);
/** What the first call of that operation said. */
const bodyOf = (name: string) =>
  JSON.parse(String(proxy.calls.find(({ operation }) => operation === name)?.body)) as Record<string, unknown>;
/** Calls without looks at a function that is being updated. */
const callsWithoutPolls = () => {
  const update = proxy.calls.findIndex(({ operation }) => operation === 'UpdateFunctionCode');
  return operations().filter((operation, index) => index < update || update < 0 || operation !== 'GetFunction');
};
const lastUpdate = async (StackName: string) =>
  (await clients(cloud.endpoint).cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!
    .LastUpdatedTime;

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  app = await createCodeApp(env, FILES, { stackName: 'functions' });
  await fs.writeFile(path.join(app.dir, 'code.zip'), zipBytes({ 'app.py': python('v1') }));
  names = outputsOf((await app.plain()).document);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await app.remove();
  await proxy.stop();
  await cloud.stop();
});

describe('one function', () => {
  it('arrives with three calls and is left alone with two, whatever is remembered', async () => {
    await fs.rm(path.join(app.dir, '.aws-sam/sam-sync/stacks'), { recursive: true, force: true });
    for (const version of ['v2', 'v3']) {
      const before = await lastUpdate('functions');
      await app.write({ 'one/app.py': python(version) });
      proxy.clear();
      expect(await app.code(['One'])).toMatchObject({ exitCode: 0, outcomes: { One: 'synced' } });
      expect(callsWithoutPolls()).toHaveLength(3);
      expect(await call('One')).toBe(version);
      proxy.clear();
      expect((await app.code(['One'])).outcomes).toEqual({ One: 'unchanged' });
      expect(operations()).toHaveLength(2);
      expect(await lastUpdate('functions')).toEqual(before);
      // from here on with what a sync of everything remembers
      expect((await app.code()).exitCode).toBe(0);
      proxy.clear();
    }
  });

  it('defect 2: is compared with the cloud: back to what was deployed, and changed by hand', async () => {
    for (const version of ['other', 'v1']) {
      await app.write({ 'one/app.py': python(version) });
      expect((await app.code(['One'])).outcomes).toEqual({ One: 'synced' });
      expect(await call('One')).toBe(version);
    }
    const ZipFile = zipBytes({ 'app.py': python('by hand') });
    await clients(cloud.endpoint).lambda.send(new UpdateFunctionCodeCommand({ FunctionName: names['One'], ZipFile }));
    expect((await app.code(['One'])).outcomes).toEqual({ One: 'synced' });
    expect(await call('One')).toBe('v1');
  });

  it('is found in a nested stack', async () => {
    await app.write({ 'child/inner/app.py': python('v2') });
    expect((await app.code(['Child/Inner'])).outcomes).toEqual({ 'Child/Inner': 'synced' });
    expect(await call('Inner')).toBe('v2');
    proxy.clear();
    expect((await app.code(['Child/Inner'])).outcomes).toEqual({ 'Child/Inner': 'unchanged' });
    expect(operations()).toHaveLength(2);
  });

  it('defect 16: publishes a version for its alias, by the parameter that the stack has, once', async () => {
    await app.write({ 'aliased/app.py': python('v2') });
    const result = await app.code(['Aliased']);
    expect(result.results).toMatchObject([{ id: 'Aliased', outcome: 'synced', detail: 'code, version for live' }]);
    expect(await call('Aliased', ':live')).toBe('v2');
    proxy.clear();
    expect((await app.code(['Aliased'])).outcomes).toEqual({ Aliased: 'unchanged' });
    expect(operations()).not.toContain('PublishVersion');
  });

  it('keeps its key, and is published as the latest version where a capacity provider runs it', async () => {
    await app.write({ 'managed/app.py': python('v2') });
    expect((await app.code(['Managed'])).results).toMatchObject([
      { outcome: 'synced', detail: 'code, published version' },
    ]);
    expect(bodyOf('UpdateFunctionCode')).toMatchObject({ SourceKMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/1' });
    expect(bodyOf('PublishVersion')).toMatchObject({ PublishTo: 'LATEST_PUBLISHED' });
  });

  /** Answers about one function, as if Lambda had it in another state. */
  const inState = (name: string, state: object, times: number, skip = 0) => {
    const change = (body: string): string => {
      const answer = JSON.parse(body) as { Configuration?: object };
      return JSON.stringify(
        answer.Configuration
          ? { ...answer, Configuration: { ...answer.Configuration, ...state } }
          : { ...answer, ...state },
      );
    };
    const isMeant = ({ operation, path: url }: ProxiedCall): boolean =>
      ['GetFunction', 'UpdateFunctionCode'].includes(operation) && url.includes(name);
    proxy.fault({ when: isMeant }, { kind: 'change', body: change }, { times, skip });
  };

  it('is waited for while Lambda deactivates it, and reported if that is how it stays', async () => {
    await app.write({ 'one/app.py': python('deactivated') });
    inState('functions-One', { State: 'Deactivating' }, 3, 1);
    const settled = await app.code(['One']);
    expect(settled.outcomes).toEqual({ One: 'synced' });
    expect(proxy.calls.filter(({ fault }) => fault === 'change').map(({ operation }) => operation)).toEqual([
      'UpdateFunctionCode',
      'GetFunction',
      'GetFunction',
    ]);
    expect(settled.notes.join()).not.toContain('deactivated');
    proxy.clear();
    await app.write({ 'one/app.py': python('deactivated for good') });
    inState('functions-One', { State: 'Deactivated', StateReason: 'No execution environments.' }, Infinity);
    const deactivated = await app.code(['One']);
    expect(deactivated.outcomes).toEqual({ One: 'synced' });
    expect(deactivated.notes.join()).toContain(
      'Warning: One has the new code, but it is deactivated and cannot be invoked: No execution environments. / Give it',
    );
  });

  it('is not waited for while it only lacks a published version', async () => {
    await app.write({ 'one/app.py': python('not invocable') });
    inState('functions-One', { State: 'ActiveNonInvocable' }, Infinity);
    expect((await app.code(['One'])).outcomes).toEqual({ One: 'synced' });
  });

  it.each([
    ['before it is sent', 0, { StateReasonCode: 'DrainingDurableExecutions' }, /after its durable executions end/],
    ['after it was sent', 2, {}, /Lambda is deleting functions-One/],
  ])('is not waited for while it is being deleted: %s', async (when, skip, more, message) => {
    await app.write({ 'one/app.py': python(when) });
    // somebody deletes it between the plan and the update
    inState('functions-One', { State: 'Deleting', ...more }, Infinity, skip);
    const { results, exitCode } = await app.code(['One']);
    expect(results).toMatchObject([{ outcome: 'failed', hint: expect.stringContaining('sync without --code') }]);
    expect(results[0]?.error).toMatch(message);
    expect(exitCode).toBe(1);
    proxy.clear();
    expect((await app.code(['One'])).exitCode).toBe(0);
  });

  it('takes two calls in a watch', async () => {
    const watch = await startReadyWatch(app.dir, env, ['--stack-name', 'functions']);
    await watch.save('one/app.py', python('watch 1'), 'One');
    await watch.quiet();
    proxy.clear();
    await watch.save('one/app.py', python('watch 2'), 'One');
    expect(callsWithoutPolls()).toEqual(['GetFunction', 'UpdateFunctionCode']);
    expect(await watch.stop()).toMatchObject({ code: 0 });
  });

  it('defect 32: is deployed with a version of its own after a code sync that published the same, also if that was interrupted', async () => {
    const { lambda } = clients(cloud.endpoint);
    const FunctionName = names['Aliased'] ?? '';
    const versionOfAlias = async () =>
      Number((await lambda.send(new GetAliasCommand({ FunctionName, Name: 'live' }))).FunctionVersion);
    const published = () =>
      proxy.calls.filter(({ operation, path: at }) => operation === 'PublishVersion' && at.includes(FunctionName))
        .length;
    let timeout = 20;
    const syncAndDeploy = async (answer: string, deploy: () => Promise<unknown>): Promise<void> => {
      await app.write({ 'aliased/app.py': python(answer) });
      await app.code(['Aliased']);
      const before = await versionOfAlias();
      await app.write({ 'template.yaml': TEMPLATE.replace('Timeout: 20', `Timeout: ${++timeout}`) });
      proxy.clear();
      await deploy();
      expect(await versionOfAlias()).toBe(before + 2);
      expect(await call('Aliased', ':live')).toBe(answer);
      expect(await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).toMatchObject({
        Description: '',
      });
      expect((await driftOf(cloud.endpoint, 'functions')).filter((line) => line.startsWith('Aliased'))).toEqual([]);
    };
    await syncAndDeploy('d1', async () => expect((await app.plain()).way).toBe('deploy'));
    expect(published()).toBe(1);
    await syncAndDeploy('d2', async () => {
      proxy.fault({ operation: 'PublishVersion' }, { kind: 'error', status: 400, code: 'ServiceException' });
      await expect(app.plain()).rejects.toThrow();
      expect(operations()).not.toContain('UpdateStack');
      expect((await app.plain()).way).toBe('deploy');
    });
    const description = async () =>
      (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).Description;
    // a rollback has set the code back, and left the version of the new code as the newest; somebody deleted the stack's version
    await app.write({ 'aliased/app.py': python('d3') });
    const stacks = String(await versionOfAlias());
    await app.code(['Aliased']);
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier: stacks }));
    const ZipFile = new Uint8Array(await (await fetch(String(Code?.Location))).arrayBuffer());
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
    await lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: stacks }));
    const same = TEMPLATE.replace('Timeout: 20', `Timeout: ${timeout}`);
    await app.write({ 'template.yaml': same.replace('Default: live', 'Default: live, Description: more') });
    // a version may not be published: the deployment begins with the description as it was, and the reason is reported
    proxy.clear();
    proxy.fault({ operation: 'PublishVersion' }, { kind: 'error', status: 403, code: 'AccessDeniedException' });
    const held = proxy.hold({ operation: 'UpdateStack' });
    const refused = app.plain();
    refused.catch(() => {});
    await held.arrived;
    expect(await description()).toBe('');
    held.release();
    await expect(refused).rejects.toThrow();
    proxy.clear();
    await app.plain();
    expect(published()).toBe(1);
    expect([await call('Aliased', ':live'), await description()]).toEqual(['d3', '']);
    await app.write({ 'template.yaml': TEMPLATE });
    proxy.clear();
    await app.plain();
    expect(published()).toBe(0);
  });

  it('completes what was interrupted between the code and the alias', async () => {
    await app.write({ 'aliased/app.py': python('v3') });
    proxy.fault({ operation: 'PublishVersion' }, { kind: 'error', status: 403, code: 'AccessDeniedException' });
    const failed = await app.code(['Aliased']);
    expect(failed).toMatchObject({ exitCode: 1, outcomes: { Aliased: 'failed' } });
    expect(failed.notes.join('\n')).toMatch(/Access denied.*PublishVersion/);
    const { lambda } = clients(cloud.endpoint);
    const alias = () => lambda.send(new GetAliasCommand({ FunctionName: names['Aliased'], Name: 'live' }));
    const { FunctionVersion: before } = await alias();
    expect((await app.code(['Aliased'])).results).toMatchObject([{ outcome: 'synced', detail: 'version for live' }]);
    expect(Number((await alias()).FunctionVersion)).toBe(Number(before) + 1);
    expect(await call('Aliased', ':live')).toBe('v3');
  });
});

describe('kinds of code', () => {
  it('are a zip, a folder that is not built, and a raw function', async () => {
    await app.write({ 'skipped/app.py': python('v2'), 'raw/app.py': python('v2') });
    await fs.writeFile(path.join(app.dir, 'code.zip'), zipBytes({ 'app.py': python('v2') }));
    const { outcomes } = await app.code(['Zipped', 'Skipped', 'Raw', 'Inline']);
    expect(outcomes).toEqual({ Zipped: 'synced', Skipped: 'synced', Raw: 'synced', Inline: 'skipped' });
    for (const name of ['Zipped', 'Skipped', 'Raw']) expect(await call(name)).toBe('v2');
  });

  it('go through S3 above 50 MiB', async () => {
    const entries = { 'app.py': python('large'), 'data.bin': randomBytes(39 * 1024 * 1024).toString('base64') };
    await fs.writeFile(path.join(app.dir, 'code.zip'), zipBytes(entries));
    expect((await app.code(['Zipped'])).outcomes).toEqual({ Zipped: 'synced' });
    expect(operations()).toContain('CompleteMultipartUpload');
    expect(await call('Zipped')).toBe('large');
    expect((await app.code(['Zipped'])).outcomes).toEqual({ Zipped: 'unchanged' });
    await fs.writeFile(path.join(app.dir, 'code.zip'), zipBytes({ 'app.py': python('v1') }));
  });

  it('are built once for all functions that share them, by type', async () => {
    await app.code();
    await app.write({ 'shared/app.py': python('v2 shared') });
    const { outcomes } = await app.code([], { resourceTypes: ['AWS::Serverless::Function'] });
    expect(outcomes).toMatchObject({ Shared1: 'synced', Shared2: 'synced', One: 'unchanged', Inline: 'skipped' });
    expect(outcomes).not.toHaveProperty('Raw');
    expect(await call('Shared1')).toBe('v2 shared');
    expect(await call('Shared2')).toBe('v2 shared');
  });
});

describe('what cannot be synced', () => {
  it('defect 20: is told with the next step, the others arrive, and the exit code is 1', async () => {
    await app.write({
      'template.yaml': TEMPLATE.replace(
        'Resources:',
        `Resources:
  New: {Type: AWS::Serverless::Function, Properties: {CodeUri: one}}
  Other: {Type: AWS::Serverless::Function, Properties: {CodeUri: raw, Architectures: [arm64]}}`,
      ).replace('CodeUri: one, Env', 'CodeUri: one, Runtime: python3.12, Env'),
      'raw/app.py': python('v3'),
    });
    const { exitCode, outcomes, notes } = await app.code(['New', 'One', 'Raw', 'Onee']);
    expect(exitCode).toBe(1);
    expect(outcomes).toEqual({ Onee: 'failed', New: 'failed', One: 'failed', Raw: 'synced' });
    expect(notes.join('\n')).toMatch(/The template has no resource Onee\. Did you mean One\?/);
    expect(notes.join('\n')).toMatch(/New is not in stack functions yet\. Sync without --code/);
    expect(notes.join('\n')).toMatch(/One has the runtime python3.11 in the cloud, but python3.12 in the template/);
    await app.write({ 'template.yaml': TEMPLATE });
  });

  it('a build that fails is told with the tool’s own words', async () => {
    await app.write({ 'one/requirements.txt': 'no-such-package-anywhere==1\n', 'raw/app.py': python('v4') });
    const { outcomes, notes } = await app.code(['One', 'Raw']);
    expect(outcomes).toEqual({ One: 'failed', Raw: 'synced' });
    expect(notes.join('\n')).toContain('no-such-package-anywhere');
    await fs.rm(path.join(app.dir, 'one/requirements.txt'));
  });

  it('a stack that is not there', async () => {
    await expect(app.code(['One'], { stackName: 'absent' })).rejects.toThrow('There is no stack absent in us-east-1');
    await expect(app.code([], { stackName: 'absent' })).rejects.toThrow('There is no stack absent');
  });

  it('a dry run tells what would be done and does nothing', async () => {
    await app.write({ 'one/app.py': python('dry') });
    const { exitCode, notes, document } = await app.code(['One'], { dryRun: true });
    expect(exitCode).toBe(0);
    expect(notes).toContain('One would be synced: code');
    expect(document).toMatchObject({ status: 'planned', resources: [{ id: 'One', action: 'update' }] });
    expect(operations()).not.toContain('UpdateFunctionCode');
  });
});

describe('beside CloudFormation', () => {
  it('back to the first version together with a change of the template, defects 2 and 7', async () => {
    const set = (version: string, memory: number) =>
      app.write({
        'one/app.py': python(version),
        'template.yaml': TEMPLATE.replace('CodeUri: one, Env', `CodeUri: one, MemorySize: ${memory}, Env`),
      });
    await set('v1', 128);
    expect((await app.plain()).way).toBe('deploy');
    await set('v2', 128);
    expect((await app.code(['One'])).outcomes).toEqual({ One: 'synced' });
    await set('v1', 256);
    const result = await app.plain();
    expect(result).toMatchObject({ way: 'deploy', outcomes: { One: 'synced', Aliased: 'unchanged' } });
    expect(await call('One')).toBe('v1');
    const before = await lastUpdate('functions');
    // nothing differs for CloudFormation: what was changed by hand is repaired all the same
    const ZipFile = zipBytes({ 'app.py': python('by hand') });
    await clients(cloud.endpoint).lambda.send(new UpdateFunctionCodeCommand({ FunctionName: names['Raw'], ZipFile }));
    const again = await app.plain();
    expect(again).toMatchObject({ way: 'code', outcomes: { One: 'unchanged', Raw: 'synced' } });
    await app.write({ 'one/app.py': python('v5'), 'child/inner/app.py': python('v5') });
    const code = await app.plain();
    expect(code).toMatchObject({ way: 'code', outcomes: { One: 'synced', 'Child/Inner': 'synced', Raw: 'unchanged' } });
    expect(await call('Inner')).toBe('v5');
    expect(await lastUpdate('functions')).toEqual(before);
    await set('v6', 512);
    expect(await app.plain()).toMatchObject({ way: 'deploy', outcomes: { One: 'unchanged' } });
    expect(await call('One')).toBe('v6');
  });

  it('defect 1: one folder synced to two stacks', async () => {
    const other = { stackName: 'second' };
    const { document } = await app.plain(other);
    const theirs = outputsOf(document)['One'] ?? '';
    await app.write({ 'one/app.py': python('both') });
    expect((await app.code(['One'])).outcomes).toEqual({ One: 'synced' });
    expect((await app.code(['One'], other)).outcomes).toEqual({ One: 'synced' });
    expect([await call('One'), await invoke(cloud.endpoint, theirs)]).toEqual(['both', 'both']);
  });

  it('looks anew for what it remembers and is gone', async () => {
    expect((await app.code()).exitCode).toBe(0);
    const folder = path.join(app.dir, '.aws-sam/sam-sync/stacks');
    for (const name of await fs.readdir(folder)) {
      const file = path.join(folder, name);
      await fs.writeFile(file, (await fs.readFile(file, 'utf8')).replaceAll(names['One']!, 'functions-One-gone'));
    }
    await app.write({ 'one/app.py': python('found') });
    expect((await app.code(['One'])).outcomes).toEqual({ One: 'synced' });
    expect(await call('One')).toBe('found');
  });
});

describe('a hundred functions', () => {
  it('with nothing changed take ten calls', async () => {
    const functions = Array.from({ length: 100 }, (_, index) => index);
    const many = await createCodeApp(
      env,
      {
        'template.yaml': `Transform: AWS::Serverless-2016-10-31\nResources:\n${functions
          .map(
            (index) =>
              `  Fn${index}: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Handler: app.handler, Runtime: python3.11, Role: 'arn:aws:iam::000000000000:role/x'}}`,
          )
          .join('\n')}\n`,
        'code/app.py': python('many'),
      },
      { stackName: 'many' },
    );
    try {
      await many.plain();
      for (let round = 0; round < 2; round++) {
        proxy.clear();
        const { outcomes } = await many.code();
        expect(Object.values(outcomes)).toEqual(functions.map(() => 'unchanged'));
        expect(operations().length).toBeLessThanOrEqual(10);
      }
    } finally {
      await many.remove();
    }
  });
});
