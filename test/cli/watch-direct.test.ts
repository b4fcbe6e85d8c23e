import {
  GetAliasCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  ListVersionsByFunctionCommand,
  PublishLayerVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { callRestApi, clients, invoke, poll, runStateMachine } from '../support/cloud.ts';
import { driftOf } from '../support/drift.ts';
import { isDeployedAsWritten } from '../support/deployed-template.ts';
import { runCli } from '../support/run-cli.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchCli, WatchLine } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

const apps = watchedApps();
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:dead';
const ACCESS_POINT = 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0';
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/1';

const functionOf = (id: string, settings: string, type = 'AWS::Serverless::Function'): string => {
  const code =
    type === 'AWS::Serverless::Function'
      ? 'InlineCode: "def handler(event, context): return 1"'
      : 'Code: {ZipFile: "def handler(event, context): return 1"}, Role: arn:aws:iam::000000000000:role/r';
  return `  ${id}: {Type: ${type}, Properties: {${code}, Runtime: python3.11, Handler: index.handler${settings && `, ${settings}`}}}\n`;
};
const template = (resources: string, more = ''): string =>
  `AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n${more}Resources:\n${resources}`;

/** The function's configuration in the cloud, by its identifier. */
async function configuration(app: WatchedApp, id: string): Promise<FunctionConfiguration> {
  const { lambda } = clients(app.cloud.endpoint);
  return lambda.send(new GetFunctionConfigurationCommand({ FunctionName: app.output(id) }));
}

/** Waits until the function has this configuration. */
async function has(app: WatchedApp, id: string, wanted: Partial<FunctionConfiguration>): Promise<void> {
  await poll(async () => {
    const { LastUpdateStatus, ...actual } = await configuration(app, id);
    const isThere = Object.entries(wanted).every(([name, value]) => {
      const shown = actual[name as keyof typeof actual];
      try {
        expect(shown ?? null).toEqual(value);
        return true;
      } catch {
        return false;
      }
    });
    return isThere && LastUpdateStatus === 'Successful' ? true : undefined;
  }).catch(async () => expect(await configuration(app, id)).toMatchObject(wanted));
}

/** Keeps deployments from starting; gives how many started. */
const holdDeployments = (app: WatchedApp) => app.proxy.hold({ operation: 'UpdateStack' });
const deployments = (app: WatchedApp): number => app.proxy.count('UpdateStack');
const settingsSent = (app: WatchedApp): number => app.proxy.count('UpdateFunctionConfiguration');

describe('each setting takes effect before it is deployed, is deployed, and taken back', () => {
  type Case = [
    name: string,
    before: string,
    after: string,
    Partial<FunctionConfiguration>,
    Partial<FunctionConfiguration>,
  ];
  const CASES: Case[] = [
    ['Memory', '', 'MemorySize: 256', { MemorySize: 128 }, { MemorySize: 256 }],
    ['Timeout', 'Timeout: 5', 'Timeout: "7"', { Timeout: 5 }, { Timeout: 7 }],
    ['Description', '', 'Description: !Sub "${AWS::StackName} here"', { Description: '' }, {}],
    [
      'Variables',
      'Environment: {Variables: {ONE: one, TWO: two}}',
      'Environment: {Variables: {TWO: two}}',
      { Environment: { Variables: { ONE: 'one', TWO: 'two' } } },
      { Environment: { Variables: { TWO: 'two' } } },
    ],
    ['Handler', '', 'Handler: index.other', { Handler: 'index.handler' }, { Handler: 'index.other' }],
    ['Runtime', '', 'Runtime: python3.12', { Runtime: 'python3.11' }, { Runtime: 'python3.12' }],
    [
      'Storage',
      '',
      'EphemeralStorage: {Size: 1024}',
      { EphemeralStorage: { Size: 512 } },
      { EphemeralStorage: { Size: 1024 } },
    ],
    [
      'Tracing',
      '',
      'Tracing: Active',
      { TracingConfig: { Mode: 'PassThrough' } },
      { TracingConfig: { Mode: 'Active' } },
    ],
    [
      'Logging',
      'LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: INFO}',
      'LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG}',
      { LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO' } },
      { LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'DEBUG' } },
    ],
    [
      'DeadLetters',
      '',
      `DeadLetterQueue: {Type: SQS, TargetArn: "${QUEUE}"}`,
      {},
      { DeadLetterConfig: { TargetArn: QUEUE } },
    ],
    [
      'Files',
      '',
      `FileSystemConfigs: [{Arn: "${ACCESS_POINT}", LocalMountPath: /mnt/a}]`,
      { FileSystemConfigs: [] },
      { FileSystemConfigs: [{ Arn: ACCESS_POINT, LocalMountPath: '/mnt/a' }] },
    ],
    ['Key', '', `KmsKeyArn: "${KEY}"`, { KMSKeyArn: '' }, { KMSKeyArn: KEY }],
    ['Snap', 'Runtime: python3.12', 'Runtime: python3.12, SnapStart: {ApplyOn: PublishedVersions}', {}, {}],
    ['Parameter', 'MemorySize: !Ref Size', 'MemorySize: !Ref Other', { MemorySize: 192 }, { MemorySize: 320 }],
    ['Condition', 'Timeout: !If [IsBig, 60, 30]', 'Timeout: !If [IsSmall, 60, 30]', { Timeout: 30 }, { Timeout: 60 }],
  ];
  // what a template says twice counts once: the later one
  const settings = (before: string, after: string): string => after || before;
  const text = (state: 'before' | 'after', global: number): string =>
    template(
      CASES.map(([name, before, after]) => {
        const own = state === 'before' ? before : settings(before, after);
        return functionOf(name, own)
          .replace(/Handler: index\.handler, (.*Handler:)/, '$1')
          .replace(/Runtime: python3\.11, (.*Runtime: python3\.12)/, '$1');
      }).join('') +
        functionOf('Global', '').replace('Runtime: python3.11, ', '') +
        functionOf(
          'Plain',
          state === 'before'
            ? ''
            : 'TracingConfig: {Mode: Active}, VpcConfig: {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}',
          'AWS::Lambda::Function',
        ) +
        '  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Memory: !Ref Size}}}\n' +
        `Outputs:\n${[...CASES.map(([name]) => name), 'Global', 'Plain'].map((name) => `  ${name}: {Value: !Ref ${name}}\n`).join('')}  Nested: {Value: !GetAtt Child.Outputs.Nested}\n`,
      `Globals: {Function: {Timeout: ${global}, Runtime: python3.11}}
Parameters: {Size: {Type: Number, Default: 192}, Other: {Type: Number, Default: 320}}
Conditions: {IsBig: !Equals [!Ref Size, '320'], IsSmall: !Equals [!Ref Size, '192']}
`,
    );
  const child = (timeout: number): string =>
    template(
      `${functionOf('Nested', `MemorySize: !Ref Memory, Timeout: ${timeout}`)}Outputs: {Nested: {Value: !Ref Nested}}\n`,
      'Parameters: {Memory: {Type: Number, Default: 128}}\n',
    );

  it('root and nested, through parameters, conditions and Globals', async () => {
    const app = await apps.create({ 'template.yaml': text('before', 3), 'child.yaml': child(8) });
    const watch = await app.ready();
    const all = async (state: 'before' | 'after'): Promise<void> => {
      for (const [name, , , before, after] of CASES) await has(app, name, state === 'before' ? before : after);
      const isAfter = state === 'after';
      await has(app, 'Global', { Timeout: isAfter ? 13 : 3 });
      await has(app, 'Nested', { Timeout: isAfter ? 9 : 8, MemorySize: 192 });
      const { VpcConfig } = await configuration(app, 'Plain');
      expect(VpcConfig?.SubnetIds ?? []).toEqual(isAfter ? ['subnet-1'] : []);
    };
    await all('before');
    app.proxy.clear();
    const held = holdDeployments(app);
    const change = async (state: 'before' | 'after'): Promise<void> =>
      watch.atOnce(async () => {
        await watch.write('template.yaml', text(state, state === 'before' ? 3 : 13));
        await watch.write('child.yaml', child(state === 'before' ? 8 : 9));
      });
    await change('after');
    await all('after');
    await has(app, 'Description', { Description: `${app.stackName} here` });
    await poll(async () => (await configuration(app, 'Snap')).SnapStart?.ApplyOn === 'PublishedVersions' || undefined);
    const sent = settingsSent(app);
    await held.arrived;
    const from = watch.lines.length;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    await all('after');
    await isDeployedAsWritten(app, text('after', 13));
    // CloudFormation has set the same: there is nothing to set again
    expect(settingsSent(app)).toBe(sent);
    expect(deployments(app)).toBe(1);
    // and back
    const heldAgain = holdDeployments(app);
    await change('before');
    await all('before');
    await heldAgain.arrived;
    heldAgain.release();
    await watch.seen(isStack('in-sync'), watch.lines.length - 1);
    await watch.quiet();
    await all('before');
    await isDeployedAsWritten(app, text('before', 3));
  }, 180_000);
});

const APP = (settings: string, more = ''): string =>
  template(
    `  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Runtime: python3.11, Handler: app.handler, ${settings}}}\n` +
      `${more}Outputs: {Fn: {Value: !Ref Fn}, Other: {Value: !Ref Other}}\n`,
  );
const OTHER = (settings: string): string => functionOf('Other', settings);
const FILES = {
  'template.yaml': APP('MemorySize: 128', OTHER('Timeout: 5')),
  'code/app.py': 'import os\ndef handler(event, context):\n    return os.environ.get("GREETING", "none")\n',
};

const save = (watch: WatchCli, from: string | RegExp, to: string): Promise<void> =>
  watch.write('template.yaml', (text) => text.replace(from, to));

const isSet = (line: WatchLine): boolean => isResource('Fn', 'in-sync')(line) && line.changed === true;

describe('direct settings and deployments', () => {
  it('set the configuration before the code that was saved with it, and publish one version of both', async () => {
    const { watch, ...app } = await apps.ready({
      ...FILES,
      'template.yaml': APP('AutoPublishAlias: live, MemorySize: 128', OTHER('Timeout: 5')),
    });
    app.proxy.clear();
    const held = holdDeployments(app);
    await watch.atOnce(async () => {
      await save(watch, 'MemorySize: 128', 'Environment: {Variables: {GREETING: hello}}');
      await watch.write('code/app.py', (text) => text.replace('"none"', '"nothing"'));
    });
    const line = await watch.seen(isSet);
    expect(line['detail']).toBe('Environment, code, version for live');
    const changes = app.proxy.calls.map(({ operation }) => operation).filter((name) => /^(Update|Publish)/.test(name));
    expect(changes.filter((name) => name !== 'UpdateStack')).toEqual([
      'UpdateFunctionConfiguration',
      'UpdateFunctionCode',
      'PublishVersion',
      'UpdateAlias',
    ]);
    expect(await app.answer('Fn')).toBe('hello');
    // callers of the alias do not have what is set without a version, and the row says so
    const timeout = await watch.after(() => save(watch, 'Environment:', 'Timeout: 9, Environment:'), isSet);
    expect(timeout['detail']).toBe('Timeout, alias live with the deployment');
    held.release();
  });

  it('publish a version for the alias where the deployment does it too, take it back, and name what callers get elsewhere', async () => {
    const settings =
      'AutoPublishAlias: live, MemorySize: !Ref Size, Timeout: 5, Environment: {Variables: {GREETING: one}}';
    const app = await apps.create((stackName) => ({
      ...FILES,
      'samconfig.toml': `version = 0.1\n[default.sync.parameters]\nstack_name = "${stackName}"\nparameter_overrides = "Size=128"\n`,
      'template.yaml': APP(settings, OTHER('')).replace('Resources:', 'Parameters: {Size: {Type: Number}}\nResources:'),
    }));
    const watch = await app.ready();
    const { lambda } = clients(app.cloud.endpoint);
    const FunctionName = app.output('Fn');
    const alias = async () =>
      Number((await lambda.send(new GetAliasCommand({ FunctionName, Name: 'live' }))).FunctionVersion);
    const answers = () => invoke(app.cloud.endpoint, `${FunctionName}:live`);
    const inStack = async (from: number) => {
      await watch.seen(isStack('in-sync'), from);
      expect(await driftOf(app.cloud.endpoint, app.stackName)).toEqual([]);
    };
    const direct = async (from: string, to: string) =>
      String((await watch.after(() => save(watch, from, to), isSet))['detail']);
    const first = await alias();
    let held = holdDeployments(app);
    let from = watch.lines.length;
    expect(await direct('GREETING: one', 'GREETING: two')).toBe('Environment, version for live');
    expect([await answers(), await alias()]).toEqual(['two', first + 1]);
    held.release();
    await inStack(from);
    const deployed = await alias();
    expect([await answers(), deployed > first + 1]).toEqual(['two', true]);
    // neither a parameter nor a timeout makes SAM publish a version
    from = watch.lines.length;
    const size = await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('Size=128', 'Size=256')),
      isSet,
    );
    expect(size['detail']).toBe(`MemorySize, alias live stays at version ${deployed}`);
    expect(await direct('Timeout: 5', 'Timeout: 6')).toBe(`Timeout, alias live stays at version ${deployed}`);
    await inStack(from);
    expect(await alias()).toBe(deployed);
    // back before the deployment
    held = holdDeployments(app);
    expect(await direct('GREETING: two', 'GREETING: three')).toBe('Environment, version for live');
    expect(await answers()).toBe('three');
    expect(await direct('GREETING: three', 'GREETING: two')).toBe(
      `Environment, alias live back at version ${deployed}`,
    );
    expect([await answers(), await alias()]).toEqual(['two', deployed]);
    // Lambda would publish none for a deployment with what its newest version has
    const { Versions = [] } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    expect(Versions.at(-1)?.Environment?.Variables).toEqual({ GREETING: 'two' });
    held.release();
    // a deployment that fails
    app.proxy.fault(
      { operation: 'UpdateStack' },
      { kind: 'error', status: 400, code: 'ValidationError', message: 'Template error: odd' },
    );
    from = watch.lines.length;
    expect(await direct('GREETING: two', 'GREETING: four')).toBe('Environment, version for live');
    await watch.seen(isResource('Fn', 'failed'), from);
    expect([await answers(), await alias()]).toEqual(['two', deployed]);
    // traffic that somebody shifts
    const weights = (AdditionalVersionWeights: Record<string, number>) =>
      lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', RoutingConfig: { AdditionalVersionWeights } }));
    await weights({ [first]: 0.1 });
    from = watch.lines.length;
    expect(await direct('GREETING: four', 'GREETING: five')).toBe('Environment, alias live with the deployment');
    await watch.seen(isStack('in-sync'), from);
    await weights({});
    expect(await answers()).toBe('five');
    await inStack(from);
  });

  it('are set back when CloudFormation rolls the deployment back, and the row says so', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    await watch.after(
      () =>
        watch.write('template.yaml', (text) =>
          text
            .replace('MemorySize: 128', 'MemorySize: 256')
            .replace(
              'Outputs:',
              '  Bad: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\nOutputs:',
            ),
        ),
      isSet,
    );
    const row = await watch.seen(isResource('Fn', 'failed'));
    expect(row.error?.message).toContain('MemorySize of Fn is as deployed before');
    expect((await watch.seen(isStack('failed'))).error?.message).toContain('Bad');
    await has(app, 'Fn', { MemorySize: 128 });
    // code is synced meanwhile, without the settings that were rolled back
    await watch.save('code/app.py', (text) => text.replace('"none"', '"code"'), 'Fn');
    await has(app, 'Fn', { MemorySize: 128 });
    await watch.after(() => save(watch, /  Bad:.*\n/, ''), isStack('in-sync'));
    await has(app, 'Fn', { MemorySize: 256 });
  });

  it('are set back when CloudFormation refuses the deployment, and stay if it may still come', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const refuse = (fault: Parameters<typeof app.proxy.fault>[1]): void =>
      app.proxy.fault({ operation: 'UpdateStack' }, fault);
    refuse({ kind: 'error', status: 400, code: 'ValidationError', message: 'Template error: odd' });
    await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: 256'), isSet);
    expect((await watch.seen(isResource('Fn', 'failed'))).error?.message).toBe(
      'The deployment failed: MemorySize of Fn is as deployed before',
    );
    expect((await watch.seen(isStack('failed'))).error?.message).toContain('Template error: odd');
    await has(app, 'Fn', { MemorySize: 128 });
    refuse({ kind: 'denied' });
    const from = watch.lines.length;
    await save(watch, 'MemorySize: 256', 'MemorySize: 257');
    await watch.seen(isSet, from);
    await watch.seen(isStack('failed'), from);
    await has(app, 'Fn', { MemorySize: 128 });
    refuse({ kind: 'expired' });
    const later = watch.lines.length;
    await save(watch, 'MemorySize: 257', 'MemorySize: 258');
    await watch.seen(isStack('failed'), later);
    expect(watch.lines.slice(later).map(({ text }) => text)).toContain(
      `Stack ${app.stackName} is behind: MemorySize of Fn took effect directly. The next sync deploys the change.`,
    );
    await watch.seen(isStack('in-sync'), later);
    expect(watch.lines.slice(later).some(isResource('Fn', 'failed'))).toBe(false);
    await has(app, 'Fn', { MemorySize: 258 });
  });

  it('that may not be set back are reported as what they are, until they may', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: 256'), isSet);
    app.proxy.fault({ operation: 'UpdateFunctionConfiguration' }, { kind: 'denied' }, { times: Infinity });
    const from = watch.lines.length;
    const row = await watch.after(() => save(watch, 'MemorySize: 256', 'MemorySize: 128'), isResource('Fn', 'failed'));
    expect(row.error?.message).toMatch(
      /^Fn still has what was set directly and could not be set back: MemorySize\. .*UpdateFunctionConfiguration/s,
    );
    await watch.seen(isStack('in-sync'), from);
    expect(watch.lines.slice(from).some(({ text }) => String(text).includes('A deployment sets'))).toBe(false);
    app.proxy.clear();
    await watch.after(() => save(watch, 'Timeout: 5', 'Timeout: 6'), isStack('in-sync'));
    await has(app, 'Fn', { MemorySize: 128 });
  });

  it('changed back before the deployment are set back at once, and nothing is deployed', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    app.proxy.clear();
    await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: 256'), isSet);
    const from = watch.lines.length;
    await save(watch, 'MemorySize: 256', 'MemorySize: 128');
    await watch.seen(isSet, from);
    await has(app, 'Fn', { MemorySize: 128 });
    expect(await watch.seen(isStack('in-sync'), from)).toMatchObject({ changed: false });
    await watch.quiet(2_500);
    expect(deployments(app)).toBe(0);
  });

  it('wait with the code for an alias that only the next deployment creates', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const held = app.proxy.hold({ operation: 'DescribeStackEvents' });
    await save(watch, 'Timeout: 5', 'Timeout: 6');
    await held.arrived;
    const from = watch.lines.length;
    await watch.atOnce(async () => {
      await save(watch, 'MemorySize: 128', 'AutoPublishAlias: live');
      await watch.write('code/app.py', (text) => text.replace('"none"', '"with alias"'));
    });
    await watch.seen(isResource('Fn', 'updating'), from);
    await watch.seen(isResource('Fn', 'waiting'), watch.lines.findLastIndex(isResource('Fn', 'updating')));
    held.release();
    // until the deployment there is no alias
    const answer = () => invoke(app.cloud.endpoint, `${app.output('Fn')}:live`).catch(() => undefined);
    await poll(async () => ((await answer()) === 'with alias' ? true : undefined));
    await watch.seen(isResource('Fn', 'in-sync'), from);
    expect(watch.lines.slice(from).filter(isResource('Fn', 'failed'))).toEqual([]);
  });

  it('of other functions take effect during a deployment; those of its functions wait for its end', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    app.proxy.clear();
    const held = app.proxy.hold({ operation: 'DescribeStackEvents' });
    await save(watch, 'MemorySize: 128', 'MemorySize: 256');
    await held.arrived;
    await save(watch, 'Timeout: 5', 'Timeout: 6');
    await has(app, 'Other', { Timeout: 6 });
    const from = watch.lines.length;
    await save(watch, 'MemorySize: 256', 'MemorySize: 512');
    await watch.seen(isResource('Fn', 'waiting'), from);
    await has(app, 'Fn', { MemorySize: 256 });
    held.release();
    await has(app, 'Fn', { MemorySize: 512 });
    await poll(async () => (deployments(app) === 2 ? true : undefined));
    await watch.seen(isStack('in-sync'), watch.lines.findLastIndex(isStack('updating')));
    await isDeployedAsWritten(app, APP('MemorySize: 512', OTHER('Timeout: 6')));
  });

  it('are deployed by the next sync after Ctrl-C, or set back if the template is as before', async () => {
    const app = await apps.create(FILES);
    const stopWithDirectChange = async (): Promise<void> => {
      const watch = await app.ready();
      await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: 256'), isSet);
      await watch.stop();
      expect(watch.lines.at(-1)).toMatchObject({
        event: 'stopped',
        goingOn: `Stack ${app.stackName} is behind: MemorySize of Fn took effect directly. The next sync deploys the change.`,
      });
    };
    const sync = async (): Promise<void> => {
      const { code, stderr } = await runCli(['--stack-name', app.stackName, '--yes'], { cwd: app.dir, env: app.env });
      expect(code, stderr).toBe(0);
    };
    await stopWithDirectChange();
    await app.write({ 'template.yaml': FILES['template.yaml'] });
    app.proxy.clear();
    await sync();
    await has(app, 'Fn', { MemorySize: 128 });
    expect(deployments(app)).toBe(0);
    await stopWithDirectChange();
    await sync();
    await has(app, 'Fn', { MemorySize: 256 });
    expect(deployments(app)).toBe(1);
  });

  it('of a session that was killed are reported until a deployment succeeds', async () => {
    const app = await apps.create(FILES);
    const killed = await app.ready();
    holdDeployments(app);
    for (const [from, to] of [
      ['MemorySize: 128', 'MemorySize: 256'],
      ['MemorySize: 256', 'MemorySize: 256, Description: new'],
    ] as const) {
      await killed.after(() => save(killed, from, to), isSet);
    }
    await killed.stop('SIGKILL');
    app.proxy.clear();
    await killed.write('template.yaml', (text) =>
      text.replace(
        'Outputs:',
        '  Bad: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\nOutputs:',
      ),
    );
    const watch = await app.start();
    expect((await watch.seen(isResource('Fn', 'failed'))).error?.message).toBe(
      'Fn still has what an earlier session set directly and did not deploy: MemorySize, Description',
    );
    await watch.seen(isStack('failed'));
    await watch.after(() => watch.write('template.yaml', FILES['template.yaml']), isResource('Fn', 'in-sync'));
    const { MemorySize, Description } = await clients(app.cloud.endpoint).lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: app.output('Fn') }),
    );
    expect({ MemorySize, Description }).toEqual({ MemorySize: 128, Description: '' });
  });

  it('of functions without code in the project are set back after a kill, if the template is as before', async () => {
    const app = await apps.create(FILES);
    const killed = await app.ready();
    holdDeployments(app);
    await killed.after(
      () => save(killed, 'Timeout: 5', 'Timeout: 6'),
      (line) => isResource('Other', 'in-sync')(line) && line.changed === true,
    );
    await killed.stop('SIGKILL');
    app.proxy.clear();
    await app.write({ 'template.yaml': FILES['template.yaml'] });
    await app.ready();
    await has(app, 'Other', { Timeout: 5 });
  });

  it('wait for the deployment, named, where only CloudFormation knows the value', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const held = holdDeployments(app);
    await watch.write('template.yaml', (text) =>
      text
        .replace('MemorySize: 128', 'MemorySize: 256, Environment: {Variables: {GREETING: !GetAtt New.Arn}}')
        .replace('Outputs:', '  New: {Type: AWS::SQS::Queue}\nOutputs:'),
    );
    const note = await watch.seen(({ event, text }) => event === 'note' && String(text).includes('Environment'));
    expect(note['text']).toBe('Fn waits for the deployment: Environment: only CloudFormation knows !GetAtt New.Arn');
    await has(app, 'Fn', { MemorySize: 256 });
    const from = watch.lines.length;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    expect(await app.answer('Fn')).toContain('arn:aws:sqs');
  });

  it('repair what was changed by hand, and send nothing that is there already', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const { lambda } = clients(app.cloud.endpoint);
    const byHand = async (MemorySize: number): Promise<void> => {
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: app.output('Fn'), MemorySize }));
      await has(app, 'Fn', { MemorySize });
    };
    await byHand(999);
    app.proxy.clear();
    const held = holdDeployments(app);
    await save(watch, 'MemorySize: 128', 'MemorySize: 256');
    await has(app, 'Fn', { MemorySize: 256 });
    expect(settingsSent(app)).toBe(1);
    await byHand(512);
    await watch.after(() => save(watch, 'MemorySize: 256', 'MemorySize: 512'), isResource('Fn', 'in-sync'));
    expect(settingsSent(app)).toBe(1);
    held.release();
  });

  it('that may not be set are deployed without a word of failure', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const from = watch.lines.length;
    app.proxy.fault(
      { operation: 'UpdateFunctionConfiguration' },
      { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'not authorized' },
    );
    await save(watch, 'MemorySize: 128', 'MemorySize: 256');
    await watch.seen(isStack('in-sync'), from);
    await has(app, 'Fn', { MemorySize: 256 });
    expect(watch.lines.slice(from).filter(({ state }) => state === 'failed')).toEqual([]);
    expect(watch.lines.slice(from).some(({ text }) => String(text).includes('could not be set directly'))).toBe(true);
  });

  it('are set although the answer is lost, and although the service is busy', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const operation = 'UpdateFunctionConfiguration';
    app.proxy.fault({ operation }, { kind: 'reset', when: 'after-answer' });
    await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: 256'), isSet);
    await has(app, 'Fn', { MemorySize: 256 });
    app.proxy.fault({ operation }, { kind: 'throttle' });
    await watch.after(() => save(watch, 'MemorySize: 256', 'MemorySize: 512'), isSet);
    await has(app, 'Fn', { MemorySize: 512 });
    await watch.seen(isStack('in-sync'), watch.lines.length);
    await isDeployedAsWritten(app, APP('MemorySize: 512', OTHER('Timeout: 5')));
  });

  it('that Lambda refuses show why until the deployment decides', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    app.proxy.fault(
      { operation: 'UpdateFunctionConfiguration' },
      { kind: 'error', status: 400, code: 'InvalidParameterValueException', message: 'MemorySize is odd' },
    );
    const row = await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: 257'), isResource('Fn', 'failed'));
    expect(row.error?.message).toContain('MemorySize is odd');
    const from = watch.lines.length;
    await watch.seen(isStack('in-sync'), from);
    expect(watch.lines.slice(from).some(isResource('Fn', 'in-sync'))).toBe(true);
    await has(app, 'Fn', { MemorySize: 257 });
  });

  it('that a deployment refuses show as failed, and as in sync when they are as deployed again', async () => {
    const { watch, ...app } = await apps.ready({
      ...FILES,
      'template.yaml': APP(
        'MemorySize: 128',
        '  Jobs: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}\n' + OTHER('Timeout: 5'),
      ),
    });
    const rows = (): Map<unknown, unknown> =>
      new Map(watch.lines.filter(({ event }) => event === 'resource').map(({ resource, state }) => [resource, state]));
    const from = watch.lines.length;
    // no service is asked to set what is no number
    await watch.after(() => save(watch, 'MemorySize: 128', 'MemorySize: banana'), isStack('failed'));
    expect(watch.lines.slice(from).find(isResource('Fn', 'failed'))?.error?.message).toBe(
      'Fn is as deployed before, because the deployment that it waited for failed',
    );
    await watch.after(() => save(watch, 'MemorySize: banana', 'MemorySize: 128'), isStack('in-sync'));
    await watch.after(() => save(watch, 'VisibilityTimeout: 60', 'VisibilityTimeout: 99999999'), isStack('failed'));
    expect(rows().get('Jobs')).toBe('failed');
    await watch.after(() => save(watch, 'VisibilityTimeout: 99999999', 'VisibilityTimeout: 60'), isStack('in-sync'));
    expect([rows().get('Fn'), rows().get('Jobs')]).toEqual(['in-sync', 'in-sync']);
    await has(app, 'Fn', { MemorySize: 128 });
  });

  it('come from the samconfig too, and not with --no-direct-config', async () => {
    const app = await apps.create((stackName) => ({
      ...FILES,
      'template.yaml': APP(
        'MemorySize: !Ref Size, Environment: {Variables: {SECRET: !Ref Secret}}',
        OTHER('Timeout: 5'),
      ).replace(
        'Resources:',
        'Parameters: {Size: {Type: Number, Default: 128}, Secret: {Type: String, NoEcho: true, Default: old}}\nResources:',
      ),
      'samconfig.toml': `version = 0.1\n[default.sync.parameters]\nstack_name = "${stackName}"\nparameter_overrides = "Size=192"\n`,
    }));
    const watch = await app.ready();
    app.proxy.clear();
    const held = holdDeployments(app);
    await watch.write('samconfig.toml', (text) => text.replace('Size=192', 'Size=256'));
    await has(app, 'Fn', { MemorySize: 256 });
    const from = watch.lines.length;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    expect(settingsSent(app)).toBe(1);
    await watch.write('samconfig.toml', (text) => `${text}direct_config = false\n`);
    await watch.seen(isStack('in-sync'), watch.lines.length);
    await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('Size=256', 'Size=384')),
      isStack('in-sync'),
    );
    await has(app, 'Fn', { MemorySize: 384 });
    expect(settingsSent(app)).toBe(1);
  });

  it('include reserved concurrency, which goes again', async () => {
    const { watch, ...app } = await apps.ready(FILES);
    const { lambda } = clients(app.cloud.endpoint);
    const reserves = (wanted: number | undefined): Promise<unknown> =>
      poll(async () => {
        const { ReservedConcurrentExecutions } = await lambda.send(
          new GetFunctionConcurrencyCommand({ FunctionName: app.output('Fn') }),
        );
        return ReservedConcurrentExecutions === wanted || undefined;
      });
    const held = holdDeployments(app);
    const line = await watch.after(
      () => save(watch, 'MemorySize: 128', 'MemorySize: 192, ReservedConcurrentExecutions: 7'),
      isSet,
    );
    expect(line['detail']).toBe('MemorySize, ReservedConcurrentExecutions');
    await reserves(7);
    await held.arrived;
    const from = watch.lines.length;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    await reserves(7);
    const again = holdDeployments(app);
    await save(watch, ', ReservedConcurrentExecutions: 7', '');
    await reserves(undefined);
    again.release();
  });

  it("include the function's URL, but for who may call it", async () => {
    const url = (auth: string, origin: string): string =>
      `FunctionUrlConfig: {AuthType: ${auth}, Cors: {AllowOrigins: ["${origin}"], AllowMethods: [GET]}}`;
    const { watch, ...app } = await apps.ready({
      ...FILES,
      'template.yaml': APP(url('NONE', 'https://one.example'), OTHER('Timeout: 5')),
    });
    const { lambda } = clients(app.cloud.endpoint);
    const origins = async (): Promise<string[]> => {
      const { Cors } = await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: app.output('Fn') }));
      return Cors?.AllowOrigins ?? [];
    };
    app.proxy.clear();
    const held = holdDeployments(app);
    const line = await watch.after(() => save(watch, 'https://one.example', 'https://two.example'), isSet);
    expect(line['detail']).toBe('FunctionUrlConfig');
    expect(await origins()).toEqual(['https://two.example']);
    await held.arrived;
    const from = watch.lines.length;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    expect(await origins()).toEqual(['https://two.example']);
    const again = app.proxy.count('UpdateFunctionUrlConfig');
    await watch.after(() => save(watch, 'AuthType: NONE', 'AuthType: AWS_IAM'), isStack('in-sync'));
    expect(app.proxy.count('UpdateFunctionUrlConfig')).toBe(again);
  });

  it('include definitions in the template: of a state machine, and of APIs', async () => {
    const flow = (result: string): string =>
      `{StartAt: One, States: {One: {Type: Pass, Result: ${result}, End: true}}}`;
    const api = (answer: string): string =>
      `{openapi: "3.0.1", info: {title: t, version: "1"}, paths: {/ping: {get: {responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: "200", responseTemplates: {application/json: '"${answer}"'}}}}}}}}`;
    const text = (word: string, more = ''): string =>
      template(
        `  Flow: {Type: AWS::Serverless::StateMachine, Properties: {Role: arn:aws:iam::000000000000:role/r, Definition: ${flow(word)}}}\n` +
          `  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionBody: ${api(word)}}}\n` +
          `${more}Outputs: {Flow: {Value: !Ref Flow}, Rest: {Value: !Ref Rest}}\n`,
      );
    const app = await apps.create({ 'template.yaml': text('one') });
    const watch = await app.ready();
    const { endpoint } = app.cloud;
    const answers = async (word: string): Promise<void> => {
      expect(await runStateMachine(endpoint, app.output('Flow'))).toBe(word);
      const call = await callRestApi(endpoint, { id: app.output('Rest'), stage: 'dev', path: '/ping' });
      expect(call.body).toBe(word);
    };
    await answers('one');
    app.proxy.clear();
    const held = holdDeployments(app);
    const from = watch.lines.length;
    await watch.write('template.yaml', text('two'));
    for (const id of ['Flow', 'Rest'])
      await watch.seen((line) => isResource(id, 'in-sync')(line) && line.changed === true, from);
    await answers('two');
    await held.arrived;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    await answers('two');
    await isDeployedAsWritten(app, text('two'));
    const bad = '  Bad: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\n';
    const later = watch.lines.length;
    await watch.write('template.yaml', text('three', bad));
    await watch.seen(isStack('failed'), later);
    for (const id of ['Flow', 'Rest']) await watch.seen(isResource(id, 'failed'), later);
    await answers('two');
  });

  it('of layers keep the versions that code syncs made and the dependency layer', async () => {
    const { watch, ...app } = await apps.ready({
      ...FILES,
      'layer/python/mine.py': 'X = 1\n',
      'code/requirements.txt': 'six==1.17.0\n',
      'template.yaml': APP(
        'Layers: [!Ref Mine]',
        `  Mine: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer, CompatibleRuntimes: [python3.11]}}\n${OTHER('Timeout: 5')}`,
      ),
    });
    const { lambda } = clients(app.cloud.endpoint);
    const { LayerVersionArn = '' } = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'external',
        Content: { ZipFile: Buffer.from('PK\u0005\u0006'.padEnd(22, '\0')) },
      }),
    );
    await watch.save('layer/python/mine.py', 'X = 2\n', 'Mine');
    const before = ((await configuration(app, 'Fn')).Layers ?? []).map(({ Arn = '' }) => Arn);
    expect(before).toHaveLength(2);
    const held = holdDeployments(app);
    await save(watch, 'Layers: [!Ref Mine]', `Layers: [!Ref Mine, "${LayerVersionArn}"]`);
    await poll(async () => {
      const { Layers = [] } = await configuration(app, 'Fn');
      return Layers.length === 3 ? true : undefined;
    });
    const { Layers = [] } = await configuration(app, 'Fn');
    expect(Layers.map(({ Arn }) => Arn)).toEqual([before[0], LayerVersionArn, before[1]]);
    held.release();
  });
});

it('a dry run shows what a watch would set directly, each value but secrets, and what only the deployment does', async () => {
  const app = await apps.create({
    'template.yaml': APP(
      'MemorySize: 128, FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ["https://a"]}}',
      OTHER('Timeout: 5'),
    ).replace(
      'Resources:',
      'Parameters: {Secret: {Type: String, NoEcho: true}, Size: {Type: Number, Default: 192}}\nResources:',
    ),
    'code/app.py': FILES['code/app.py'],
    'child.yaml': template(
      `${functionOf('Nested', 'MemorySize: !Ref Memory')}Outputs: {Nested: {Value: !Ref Nested}}\n`,
      'Parameters: {Memory: {Type: Number}}\n',
    ),
  });
  const child =
    '  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Memory: !Ref Size}}}\n';
  await app.write({ 'template.yaml': (await app.read('template.yaml')).replace('Outputs:', `${child}Outputs:`) });
  const run = (...args: string[]) =>
    runCli(['--stack-name', app.stackName, '--yes', ...args], { cwd: app.dir, env: app.env });
  const secret = ['--parameter-overrides', 'Secret=hush'];
  expect((await run(...secret)).code).toBe(0);
  await app.write({
    'template.yaml': (await app.read('template.yaml'))
      .replace(
        /MemorySize: 128, .*\]}}/,
        'MemorySize: 256, FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: [!Ref Secret, "https://b"]}}, Environment: {Variables: {GREETING: hello, KEY: !Ref Secret}}, Description: !Ref Secret, Tags: {Stage: dev, Key: !Sub "a${Secret}"}',
      )
      .replace('Timeout: 5', 'Timeout: 6, Environment: {Variables: {URL: !Ref New}}')
      .replace('  Child:', '  New: {Type: AWS::SQS::Queue}\n  Child:'),
  });
  const { code, stdout, stderr } = await run(
    ...secret,
    '--parameter-overrides',
    'Size=320',
    '--dry-run',
    '--output',
    'json',
  );
  expect(code, stderr).toBe(0);
  const { direct, deployment } = JSON.parse(stdout) as Record<
    string,
    { resources: { id: string }[]; rest: string[]; action: string }
  >;
  expect(deployment?.action).toBe('update');
  const FunctionName = expect.any(String) as string;
  const operation = 'UpdateFunctionConfiguration';
  expect(direct?.rest).toEqual(['New was added']);
  expect(direct?.resources).toMatchObject([
    {
      id: 'Fn',
      named: false,
      action: 'update',
      changes: ['MemorySize', 'Environment', 'Description', 'FunctionUrlConfig', 'Tags.Stage', 'Tags.Key'],
      requests: [
        {
          service: 'lambda',
          operation,
          parameters: {
            FunctionName,
            MemorySize: 256,
            Description: '****',
            Environment: { Variables: { GREETING: 'hello', KEY: '****' } },
          },
        },
        { operation: 'UpdateFunctionUrlConfig', parameters: { Cors: { AllowOrigins: ['****', 'https://b'] } } },
        { service: 'lambda', operation: 'TagResource', parameters: { Tags: { Stage: 'dev', Key: '****' } } },
      ],
    },
    {
      id: 'Other',
      waiting: ['Environment: only CloudFormation knows !Ref New'],
      requests: [{ operation, parameters: { FunctionName, Timeout: 6 } }],
    },
    { id: 'Child/Nested', requests: [{ operation, parameters: { FunctionName, MemorySize: 320 } }] },
  ]);
  expect(stderr).toContain(
    'Fn: --watch would set directly, before the deployment: MemorySize = 256, Environment = {"Variables":{"GREETING":"hello","KEY":"****"}}, Description = "****", FunctionUrlConfig, Tags.Stage = "dev", Tags.Key = "****"\n',
  );
  expect(stdout + stderr).not.toContain('hush');
  const denied = { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'no tags for you' } as const;
  app.proxy.fault({ operation: 'ListTags' }, denied, { times: Infinity });
  const compared = await run(...secret, '--dry-run');
  expect(compared.stderr).toMatch(
    /^Fn: only the deployment can set its settings.*\n?.*not call ListTags of Lambda: no tags for you/m,
  );
  expect(compared.stderr).toContain('Other: --watch would set directly');
  const off = await run(...secret, '--no-direct-config', '--dry-run', '--output', 'json');
  expect(JSON.parse(off.stdout)).not.toHaveProperty('direct');
});
