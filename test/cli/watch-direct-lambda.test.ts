import {
  GetAliasCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  PublishLayerVersionCommand,
  TagResourceCommand,
} from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { clients } from '../support/cloud.ts';
import { driftOf } from '../support/drift.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchLine } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

// a deployment takes three seconds longer
const apps = watchedApps({ SAM_SYNC_CLOUD_STACK_DELAY: '3' });

const ARN = 'arn:aws:';
const PLACE = 'us-east-1:000000000000:';
const queue = (name: string): string => `${ARN}sqs:${PLACE}${name}`;

/**
 * A property of a function, or a part of one: its values before and after, and where Lambda shows it. Without a value before,
 * the one after is a text with conditions of its own: SAM reads into some properties.
 */
type Row = readonly [
  property: string,
  before: string,
  after: string,
  place: string,
  shown: readonly [unknown, unknown],
];

const choice = (after: string, before: string): string => `!If [IsB, ${after}, ${before}]`;
const NONE = '!Ref "AWS::NoValue"';
const CONFIGURATION: readonly Row[] = [
  ['MemorySize', '!Ref Memory', '!Ref Memory', 'configuration.MemorySize', [128, 256]],
  ['Timeout', '5', '7', 'configuration.Timeout', [5, 7]],
  ['Description', 'one', 'two', 'configuration.Description', ['one', 'two']],
  ['Handler', 'index.handler', 'index.other', 'configuration.Handler', ['index.handler', 'index.other']],
  ['Runtime', 'python3.11', 'python3.12', 'configuration.Runtime', ['python3.11', 'python3.12']],
  [
    'Environment',
    '{Variables: {STAGE: a}}',
    '{Variables: {STAGE: b}}',
    'configuration.Environment.Variables.STAGE',
    ['a', 'b'],
  ],
  ['KmsKeyArn', NONE, `${ARN}kms:${PLACE}key/1`, 'configuration.KMSKeyArn', ['', `${ARN}kms:${PLACE}key/1`]],
  ['Layers', NONE, '[LAYER]', 'configuration.Layers.length', [0, 1]],
  [
    'LoggingConfig',
    '{LogFormat: Text}',
    '{LogFormat: JSON}',
    'configuration.LoggingConfig.LogFormat',
    ['Text', 'JSON'],
  ],
  [
    'VpcConfig',
    '{SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}',
    '{SubnetIds: [subnet-2], SecurityGroupIds: [sg-1]}',
    'configuration.VpcConfig.SubnetIds.0',
    ['subnet-1', 'subnet-2'],
  ],
  ['ReservedConcurrentExecutions', NONE, '7', 'reserved', [undefined, 7]],
];
/** A tag whose name is another one in each version of the templates. */
const ODD: Row = ['ODD', '', '', 'tags.Went', ['here', undefined]];
const SERVERLESS: readonly Row[] = [
  ['SnapStart', NONE, '{ApplyOn: PublishedVersions}', 'configuration.SnapStart.ApplyOn', ['None', 'PublishedVersions']],
  ['Tracing', 'PassThrough', 'Active', 'configuration.TracingConfig.Mode', ['PassThrough', 'Active']],
  [
    'DeadLetterQueue',
    '',
    `{Type: SQS, TargetArn: ${choice(`"${queue('two')}"`, `"${queue('one')}"`)}}`,
    'configuration.DeadLetterConfig.TargetArn',
    [queue('one'), queue('two')],
  ],
  [
    'FunctionUrlConfig',
    '',
    `{AuthType: NONE, Cors: {AllowOrigins: [${choice('"https://two"', '"https://one"')}]}}`,
    'url.Cors.AllowOrigins.0',
    ['https://one', 'https://two'],
  ],
  ['ProvisionedConcurrencyConfig', NONE, '{ProvisionedConcurrentExecutions: 2}', 'provisioned', [undefined, 2]],
  ['Tags.Stage', 'one', 'two', 'tags.Stage', ['one', 'two']],
  ODD,
  ['Queue.BatchSize', NONE, '7', 'queue.BatchSize', [10, 7]],
  ['Queue.Enabled', 'true', 'false', 'queue.State', ['Enabled', 'Disabled']],
  ['Queue.MaximumBatchingWindowInSeconds', '1', '2', 'queue.MaximumBatchingWindowInSeconds', [1, 2]],
  [
    'Queue.FilterCriteria',
    NONE,
    `{Filters: [{Pattern: '{"body": {"a": [1]}}'}]}`,
    'queue.FilterCriteria.Filters.length',
    [undefined, 1],
  ],
  ['Queue.FunctionResponseTypes', NONE, '[ReportBatchItemFailures]', 'queue.FunctionResponseTypes.length', [0, 1]],
  [
    'Queue.ScalingConfig',
    '{MaximumConcurrency: 2}',
    '{MaximumConcurrency: 3}',
    'queue.ScalingConfig.MaximumConcurrency',
    [2, 3],
  ],
  ['Stream.BatchSize', '11', '12', 'stream.BatchSize', [11, 12]],
  ['Stream.BisectBatchOnFunctionError', 'false', 'true', 'stream.BisectBatchOnFunctionError', [false, true]],
  ['Stream.MaximumRecordAgeInSeconds', '-1', '60', 'stream.MaximumRecordAgeInSeconds', [-1, 60]],
  ['Stream.MaximumRetryAttempts', '-1', '3', 'stream.MaximumRetryAttempts', [-1, 3]],
  ['Stream.ParallelizationFactor', '1', '2', 'stream.ParallelizationFactor', [1, 2]],
  ['Stream.TumblingWindowInSeconds', '0', '30', 'stream.TumblingWindowInSeconds', [0, 30]],
  [
    'Stream.DestinationConfig',
    '',
    `{OnFailure: {Destination: ${choice(`"${queue('two')}"`, `"${queue('one')}"`)}}}`,
    'stream.DestinationConfig.OnFailure.Destination',
    [queue('one'), queue('two')],
  ],
];
const PLAIN: readonly Row[] = [
  ['EphemeralStorage', NONE, '{Size: 1024}', 'configuration.EphemeralStorage.Size', [512, 1024]],
  [
    'FileSystemConfigs',
    NONE,
    `[{Arn: "${ARN}elasticfilesystem:${PLACE}access-point/fsap-0123456789abcdef0", LocalMountPath: /mnt/a}]`,
    'configuration.FileSystemConfigs.length',
    [0, 1],
  ],
  ['TracingConfig', NONE, '{Mode: Active}', 'configuration.TracingConfig.Mode', ['PassThrough', 'Active']],
  [
    'DeadLetterConfig',
    NONE,
    `{TargetArn: "${queue('two')}"}`,
    'configuration.DeadLetterConfig.TargetArn',
    [undefined, queue('two')],
  ],
  [
    'Tags',
    '[{Key: Stage, Value: one}, {Key: Went, Value: here}]',
    '[{Key: Came, Value: here}, {Key: Stage, Value: two}]',
    'ownTags',
    [
      { Stage: 'one', Went: 'here' },
      { Stage: 'two', Came: 'here' },
    ],
  ],
];
/** Resources of their own beside `Plain`. */
const BESIDE: readonly Row[] = [
  ['Source.BatchSize', '5', '7', 'queue.BatchSize', [5, 7]],
  ['Source.Enabled', 'true', 'false', 'queue.State', ['Enabled', 'Disabled']],
  [
    'Source.FilterCriteria',
    NONE,
    `{Filters: [{Pattern: '{"body": {"a": [1]}}'}]}`,
    'queue.FilterCriteria.Filters.length',
    [undefined, 1],
  ],
  ['Named.Description', 'one', 'two', 'alias.Description', ['one', 'two']],
  [
    'Named.RoutingConfig',
    '',
    `{AdditionalVersionWeights: [{FunctionVersion: "2", FunctionWeight: ${choice('0.25', '0.1')}}]}`,
    'alias.weights.2',
    [0.1, 0.25],
  ],
  [
    'Url.Cors',
    '{AllowOrigins: ["https://one"]}',
    '{AllowOrigins: ["https://two"]}',
    'url.Cors.AllowOrigins.0',
    ['https://one', 'https://two'],
  ],
];
const IMAGE: readonly Row[] = [
  [
    'ImageConfig',
    '{Command: [one]}',
    '{Command: [two], EntryPoint: [/in], WorkingDirectory: /w}',
    'image',
    [{ Command: ['one'] }, { Command: ['two'], EntryPoint: ['/in'], WorkingDirectory: '/w' }],
  ],
  ['MemorySize', '128', '256', 'configuration.MemorySize', [128, 256]],
];

/** Writes rows as properties: those of `Part` are below it. */
function properties(rows: readonly Row[], part = ''): string {
  const prefix = part && `${part}.`;
  return rows
    .filter((row) => row !== ODD)
    .filter(([name]) => (part === '' ? !name.includes('.') : name.startsWith(prefix)))
    .map(([name, before, after]) => `${name.slice(prefix.length)}: ${before === '' ? after : choice(after, before)}`)
    .join(', ');
}

const CODE = 'def handler(event, context): return 1\\ndef other(event, context): return 2';
const ROLE = `Role: ${ARN}iam::000000000000:role/r`;
const EVENTS = `{
  Queue: {Type: SQS, Properties: {Queue: "${queue('in')}", ${properties(SERVERLESS, 'Queue')}}},
  Stream: {Type: Kinesis, Properties: {Stream: "${ARN}kinesis:${PLACE}stream/in", StartingPosition: LATEST, ${properties(SERVERLESS, 'Stream')}}}}`;
const RESOURCES = `
  Fn: {Type: AWS::Serverless::Function, Properties: {InlineCode: "${CODE}", AutoPublishAlias: live, ${ROLE}, ${properties(CONFIGURATION)}, ${properties(SERVERLESS)}, Tags: {${properties(SERVERLESS, 'Tags')}, Fixed: always, ODD: here}, Events: ${EVENTS}}}
  Plain: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: "${CODE}"}, ${ROLE}, ${properties(CONFIGURATION)}, ${properties(PLAIN)}}}
  Source: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref Plain, EventSourceArn: "${queue('in')}", ${properties(BESIDE, 'Source')}}}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Plain}}
  Named: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Plain, FunctionVersion: !GetAtt Version.Version, Name: named, ${properties(BESIDE, 'Named')}}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt Plain.Arn, AuthType: NONE, ${properties(BESIDE, 'Url')}}}
  Image: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: "000000000000.dkr.ecr.us-east-1.amazonaws.com/images:1", ${ROLE}, ${properties(IMAGE)}}}
`;
const IDS = ['Fn', 'Plain', 'Image'];
const CHANGED = [...IDS, 'Source', 'Named', 'Url'];
const HEAD = `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters: {Variant: {Type: String}, Memory: {Type: Number}}
Conditions: {IsB: !Equals [!Ref Variant, two]}
Resources:`;
const CHILD = `${HEAD}${RESOURCES}Outputs: {${IDS.map((id) => `${id}: {Value: !Ref ${id}}`).join(', ')}}\n`;
const ROOT = `${HEAD}${RESOURCES}  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Variant: !Ref Variant, Memory: !Ref Memory}}}
Outputs: {${IDS.map((id) => `${id}: {Value: !Ref ${id}}, Child${id}: {Value: !GetAtt Child.Outputs.${id}}`).join(', ')}}
`;

/** What Lambda has of a function, without what each change changes. */
async function stateOf(app: WatchedApp, output: string): Promise<Record<string, unknown>> {
  const { lambda } = clients(app.cloud.endpoint);
  const FunctionName = app.output(output);
  const {
    $metadata: _,
    RevisionId: __,
    LastModified: ___,
    ...configuration
  } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const ifAny = async <T>(ask: Promise<T>): Promise<T | undefined> =>
    ask.catch((error: unknown) => {
      if (error instanceof Error && /NotFound/.test(error.name)) return undefined;
      throw error;
    });
  const Qualifier = output.endsWith('Fn') ? 'live' : undefined;
  const url = await ifAny(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier })));
  const provisioned = await ifAny(
    lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: 'live' })),
  );
  const { Tags = {} } = await lambda.send(new ListTagsCommand({ Resource: configuration.FunctionArn }));
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
  const mapping = (service: string): object | undefined => {
    const found = EventSourceMappings.find(({ EventSourceArn = '' }) => EventSourceArn.split(':')[2] === service);
    if (found === undefined) return undefined;
    const { LastModified: _at, ...settings } = found;
    return settings;
  };
  return {
    configuration,
    image: configuration.ImageConfigResponse?.ImageConfig,
    reserved: (await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).ReservedConcurrentExecutions,
    url: url && { AuthType: url.AuthType, Cors: url.Cors },
    provisioned: provisioned?.RequestedProvisionedConcurrentExecutions,
    tags: Tags,
    ownTags: Object.fromEntries(Object.entries(Tags).filter(([key]) => !key.includes(':'))),
    alias: await ifAny(lambda.send(new GetAliasCommand({ FunctionName, Name: 'named' }))).then(
      (alias) => alias && { Description: alias.Description, weights: alias.RoutingConfig?.AdditionalVersionWeights },
    ),
    queue: mapping('sqs'),
    stream: mapping('kinesis'),
  };
}

/** The value without members that say that nothing is set. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, compact(member)] as const);
  return Object.fromEntries(
    members.filter(([, member]) => Boolean(member) && Object.keys(Object(member)).length + String(member).length > 0),
  );
}

function at(value: unknown, place: string): unknown {
  return place
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}

it('every setting of functions takes effect before it is deployed, through parameters and conditions, root and nested', async () => {
  const app = await apps.create((stackName) => ({
    'samconfig.toml': `version = 0.1\n[default.sync.parameters]\nstack_name = "${stackName}"\nparameter_overrides = "Variant=one Memory=128"\n`,
    'template.yaml': ROOT,
    'child.yaml': CHILD,
  }));
  const { lambda } = clients(app.cloud.endpoint);
  const { LayerVersionArn: layer = '' } = await lambda.send(
    new PublishLayerVersionCommand({
      LayerName: 'external',
      Content: { ZipFile: Buffer.from('PK\u0005\u0006'.padEnd(22, '\0')) },
    }),
  );
  for (const [file, text] of [
    ['template.yaml', ROOT],
    ['child.yaml', CHILD],
  ] as const)
    await app.write({ [file]: text.replaceAll('LAYER', layer).replaceAll('ODD', 'Went') });
  const watch = await app.ready();
  const outputs = IDS.flatMap((id) => [id, `Child${id}`]);
  const states = async (): Promise<Record<string, Record<string, unknown>>> =>
    Object.fromEntries(await Promise.all(outputs.map(async (output) => [output, await stateOf(app, output)] as const)));
  const shows = (all: Record<string, Record<string, unknown>>, which: 0 | 1): void => {
    for (const [id, rows] of [
      ['Fn', [...CONFIGURATION, ...SERVERLESS]],
      ['Plain', [...CONFIGURATION, ...PLAIN, ...BESIDE]],
      ['Image', IMAGE],
    ] as const) {
      for (const output of [id, `Child${id}`]) {
        const shown = Object.fromEntries(rows.map(([name, , , place]) => [name, at(all[output], place)]));
        const wanted = Object.fromEntries(rows.map(([name, , , , values]) => [name, values[which]]));
        expect(compact({ output, ...shown })).toEqual(compact({ output, ...wanted }));
      }
    }
  };
  const before = await states();
  shows(before, 0);
  expect(await driftOf(app.cloud.endpoint, app.stackName)).toEqual([]);
  const isChange = /^(Delete|Publish|Put|Tag|Untag|Update)(?!Stack)/;
  const sent = (): number =>
    app.proxy.calls.filter(({ service, operation }) => service === 'lambda' && isChange.test(operation)).length;
  /** Saves other parameters; what is in effect before and after the deployment. */
  const change = async (
    variant: string,
    memory: number,
    odd: string,
  ): Promise<Record<string, Record<string, unknown>>> => {
    app.proxy.clear();
    const held = app.proxy.hold({ operation: 'UpdateStack' });
    const from = watch.lines.length;
    await watch.atOnce(async () => {
      await watch.write('samconfig.toml', (text) =>
        text.replace(/"Variant=.*"/, `"Variant=${variant} Memory=${memory}"`),
      );
      for (const file of ['template.yaml', 'child.yaml'])
        await watch.write(file, (text) => text.replace(/(Came|Went): here/, `${odd}: here`));
    });
    for (const id of CHANGED.flatMap((name) => [name, `Child/${name}`]))
      await watch.seen((line) => isResource(id, 'in-sync')(line) && line.changed === true, from, 60_000);
    const direct = await states();
    const requests = sent();
    await held.arrived;
    held.release();
    await watch.seen(isStack('in-sync'), from, 60_000);
    // CloudFormation has set the same: there is nothing to set again
    expect(compact(await states())).toEqual(compact(direct));
    expect(sent()).toBe(requests);
    expect(app.proxy.count('UpdateStack')).toBe(1);
    expect(await driftOf(app.cloud.endpoint, app.stackName)).toEqual([]);
    return direct;
  };
  const direct = await change('two', 256, 'Came');
  shows(direct, 1);
  shows(await change('one', 128, 'Went'), 0);
}, 180_000);

it('ten saves are in effect at once although CloudFormation is slow, and are one deployment', async () => {
  const text = (memory: number): string => `Transform: AWS::Serverless-2016-10-31
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.11, Handler: index.handler, InlineCode: "${CODE}", MemorySize: ${memory}}}
Outputs: {One: {Value: !Ref One}}
`;
  const { watch, ...app } = await apps.ready({ 'template.yaml': text(128) });
  const { lambda } = clients(app.cloud.endpoint);
  app.proxy.clear();
  for (let size = 129; size <= 138; size++) {
    await watch.after(
      () => watch.write('template.yaml', text(size)),
      (line) => isResource('One', 'in-sync')(line) && line.changed === true,
    );
    const FunctionName = app.output('One');
    const { MemorySize } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(MemorySize).toBe(size);
  }
  await watch.seen(isStack('in-sync'), watch.lines.length, 60_000);
  expect(app.proxy.count('UpdateStack')).toBe(1);
  expect(await driftOf(app.cloud.endpoint, app.stackName)).toEqual([]);
}, 120_000);

describe('tags, event sources and provisioned concurrency', () => {
  const text = (tags: string, batch: number, provisioned: number): string => `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: index.handler}}
Resources:
  Tagged: {Type: AWS::Serverless::Function, Properties: {InlineCode: "${CODE}", Tags: {${tags}}}}
  Reading: {Type: AWS::Serverless::Function, Properties: {InlineCode: "${CODE}", Events: {In: {Type: SQS, Properties: {Queue: "${queue('other')}", BatchSize: ${batch}}}}}}
  Warm: {Type: AWS::Serverless::Function, Properties: {InlineCode: "${CODE}", AutoPublishAlias: live, ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: ${provisioned}}}}
Outputs: {Tagged: {Value: !Ref Tagged}, Reading: {Value: !Ref Reading}, Warm: {Value: !Ref Warm}}
`;

  it('leave other tags alone, wait while a mapping is busy, and are deployed quietly where they may not be set', async () => {
    const app = await apps.create({ 'template.yaml': text('Owner: app, Stage: dev', 1, 1) });
    const watch = await app.ready(['--tags', 'Owner=team']);
    const { lambda } = clients(app.cloud.endpoint);
    const isSet =
      (id: string) =>
      (line: WatchLine): boolean =>
        isResource(id, 'in-sync')(line) && line.changed === true;
    const { FunctionArn: Resource = '' } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: app.output('Tagged') }),
    );
    await lambda.send(new TagResourceCommand({ Resource, Tags: { Hand: 'made' } }));
    const before = (await stateOf(app, 'Tagged'))['tags'] as Record<string, string>;
    expect(before).toMatchObject({ Owner: 'app', Stage: 'dev', Hand: 'made', 'lambda:createdBy': 'SAM' });
    app.proxy.fault(
      { operation: 'UpdateEventSourceMapping' },
      { kind: 'error', status: 400, code: 'ResourceInUseException', message: 'busy' },
    );
    app.proxy.fault(
      { operation: 'GetEventSourceMapping' },
      { kind: 'change', body: (answer) => answer.replace('"State": "Enabled"', '"State": "Updating"') },
      { times: 2, skip: 1 },
    );
    let from = watch.lines.length;
    await watch.write('template.yaml', text('Stage: prod', 2, 2));
    for (const id of ['Tagged', 'Reading', 'Warm']) await watch.seen(isSet(id), from);
    expect((await stateOf(app, 'Tagged'))['tags']).toEqual({ ...before, Owner: 'team', Stage: 'prod' });
    expect(app.proxy.count('UpdateEventSourceMapping')).toBe(2);
    const shows = async (batch: number, provisioned: number): Promise<void> => {
      expect((await stateOf(app, 'Reading'))['queue']).toMatchObject({ BatchSize: batch });
      expect((await stateOf(app, 'Warm'))['provisioned']).toBe(provisioned);
    };
    await shows(2, 2);
    await watch.seen(isStack('in-sync'), from, 60_000);
    app.proxy.clear();
    for (const operation of ['TagResource', 'UpdateEventSourceMapping', 'GetProvisionedConcurrencyConfig'])
      app.proxy.fault(
        { operation },
        { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'not authorized' },
      );
    from = watch.lines.length;
    await watch.write('template.yaml', text('Stage: test', 3, 3));
    await watch.seen(isStack('in-sync'), from, 60_000);
    expect(watch.lines.slice(from).filter(({ state }) => state === 'failed')).toEqual([]);
    await shows(3, 3);
    expect((await stateOf(app, 'Tagged'))['tags']).toMatchObject({ Owner: 'team', Stage: 'test', Hand: 'made' });
    expect(await driftOf(app.cloud.endpoint, app.stackName)).toEqual([expect.stringContaining('Hand') as string]);
  }, 120_000);
});
