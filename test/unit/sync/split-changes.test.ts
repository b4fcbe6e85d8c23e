import { describe, expect, it } from 'vitest';
import type { Stack } from '../../../src/model/stack.ts';
import { splitChanges } from '../../../src/sync/configuration/split-changes.ts';
import { createScope, resolveTemplate } from '../../../src/template/resolve-template.ts';
import { readParameters } from '../../../src/template/parameters.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { fakeStack } from '../../support/stack-builder.ts';

const ROOT = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Timeout: 3}}
Parameters: {Size: {Type: Number, Default: 128}, Stage: {Type: String, Default: dev}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, MemorySize: !Ref Size}}
  B: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, LoggingConfig: {LogFormat: JSON}}}
  All: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, AutoPublishAlias: live, AutoPublishAliasAllProperties: true}}
  Hashed: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, Timeout: 9, AutoPublishAlias: live, AutoPublishCodeSha256: abc, Description: one}}
  Read: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, Timeout: 9, Tags: {A: a, B: b}, Events: {In: {Type: SQS, Properties: {Queue: q, BatchSize: 1}}, Get: {Type: Api, Properties: {Path: /a, Method: get}}}}}
  Tagged: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Tags: [{Key: A, Value: a}, {Key: B, Value: b}]}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: a, RouteSettings: {GET /a: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}, GET /b: {ThrottlingRateLimit: 1}, GET /c: {ThrottlingRateLimit: 1}}}}
  Api: {Type: AWS::Serverless::Api, IgnoreGlobals: '*', Properties: {StageName: dev, DefinitionBody: {swagger: "2.0"}}}
  Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 1}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {Definition: {StartAt: A}}}
  T: {Type: AWS::Serverless::Function, Properties: {CodeUri: t, Timeout: 9, Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 day), Enabled: true}}}}}
  Prod: {Type: AWS::SNS::Topic, Condition: IsProd}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Memory: !Ref Size}}}
`;
const CHILD = `
Parameters: {Memory: {Type: Number}}
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f, MemorySize: !Ref Memory}}
`;

/** The application as its templates resolve with these parameters. */
function application(root: string, parameters: Record<string, string>, child = CHILD): Stack {
  const stackOf = (text: string, values: Record<string, string>, place: Partial<Stack>): Stack => {
    const source = parseTemplate(text, 'template');
    const known = readParameters(source, { values });
    const scope = createScope(source, { parameters: known, pseudoParameters: {}, includes: new Map() });
    return fakeStack({ source, resolved: resolveTemplate(source, scope), parameters: known.texts, ...place });
  };
  const nested = stackOf(child, { Memory: parameters['Size'] ?? '128' }, { path: 'Child', logicalId: 'Child' });
  return stackOf(root, parameters, { children: [nested] });
}

interface Change {
  from?: string;
  /** What is deployed in place of `from`. */
  before?: string;
  to?: string;
  also?: [from: string, to: string];
  parameters?: Record<string, string>;
  child?: string;
}

function split({ from = '', before = from, to = '', also = ['', ''], parameters = {}, child = CHILD }: Change) {
  const after = ROOT.replace(from, () => to).replace(...also);
  expect(from === '' || after !== ROOT).toBe(true);
  const { direct, rest } = splitChanges(
    application(
      ROOT.replace(from, () => before),
      {},
    ),
    application(after, parameters, child),
  );
  return { direct: Object.fromEntries(direct), rest };
}

describe('a change is split into what services set and what a deployment does', () => {
  it.each<[string, Change, object, readonly string[]]>([
    ['nothing', {}, {}, []],
    ['tags, each by itself', { from: '{A: a, B: b}', to: '{A: a, B: c, C: d}' }, { Read: ['Tags.B', 'Tags.C'] }, []],
    ['all tags', { from: 'Tags: {A: a, B: b}, ', to: '' }, { Read: ['Tags.A', 'Tags.B'] }, []],
    [
      'tags in another order',
      { from: '[{Key: A, Value: a}, {Key: B, Value: b}]', to: '[{Key: B, Value: b}, {Key: A, Value: c}]' },
      { Tagged: ['Tags.A'] },
      [],
    ],
    [
      'tags whose keys only CloudFormation knows',
      { from: '{Key: B, Value: b}', to: '{Key: !GetAtt Q.QueueName, Value: b}' },
      {},
      ['Tagged: Tags.1.Key changed'],
    ],
    [
      'settings of an event source',
      { from: 'BatchSize: 1', to: 'BatchSize: 2, Enabled: false' },
      { Read: ['Events.In.BatchSize', 'Events.In.Enabled'] },
      [],
    ],
    [
      'a setting of an event source that is a mapping and comes',
      { from: 'BatchSize: 1', to: "BatchSize: 1, FilterCriteria: {Filters: [{Pattern: '{}'}]}" },
      { Read: ['Events.In.FilterCriteria'] },
      [],
    ],
    [
      'the source of an event, beside a setting',
      { from: 'Queue: q, BatchSize: 1', to: 'Queue: r, BatchSize: 2' },
      { Read: ['Events.In.BatchSize'] },
      ['Read: Events.In.Properties.Queue changed'],
    ],
    [
      'a description that SAM makes',
      { from: 'Description: one', to: 'Description: two' },
      {},
      ['Hashed: Description changed'],
    ],
    ['a route', { from: 'Path: /a', to: 'Path: /b' }, {}, ['Read: Events.Get.Properties.Path changed']],
    [
      'an event',
      { from: ', Get: {Type: Api', to: ', Put: {Type: Api' },
      {},
      ['Read: Events.Put was added', 'Read: Events.Get was removed'],
    ],
    ['a setting', { from: '!Ref Size}}\n  B', to: '512}}\n  B' }, { A: ['MemorySize'] }, []],
    [
      'a parameter, in each stack that uses it',
      { parameters: { Size: '256' } },
      { A: ['MemorySize'], 'Child/F': ['MemorySize'] },
      [],
    ],
    ['Globals', { from: 'Timeout: 3', to: 'Timeout: 4' }, { A: ['Timeout'] }, ['All: Timeout changed']],
    [
      'a setting of a nested stack',
      { child: CHILD.replace('CodeUri: f', 'CodeUri: f, Timeout: 9') },
      { 'Child/F': ['Timeout'] },
      [],
    ],
    [
      'a setting that comes and has a default',
      { from: 'CodeUri: a, MemorySize', to: 'CodeUri: a, Tracing: Active, MemorySize' },
      { A: ['Tracing'] },
      [],
    ],
    [
      'a setting that comes and has no default',
      { from: 'CodeUri: a, MemorySize', to: 'CodeUri: a, Role: r, MemorySize' },
      {},
      ['A: Role was added'],
    ],
    [
      'a part of a setting that changes',
      { from: 'LogFormat: JSON', to: 'LogFormat: Text' },
      { B: ['LoggingConfig'] },
      [],
    ],
    [
      'a part of a setting that comes and has no default',
      { from: 'LogFormat: JSON', to: 'LogFormat: JSON, LogGroup: g' },
      {},
      ['B: LoggingConfig.LogGroup was added'],
    ],
    [
      'a setting and something else',
      { from: 'CodeUri: a, MemorySize: !Ref Size', to: 'CodeUri: a, MemorySize: 1024, Policies: [x]' },
      { A: ['MemorySize'] },
      ['A: Policies was added'],
    ],
    [
      'a setting of a function that is replaced',
      { from: 'CodeUri: a, MemorySize: !Ref Size', to: 'CodeUri: a, MemorySize: 1024, FunctionName: new' },
      {},
      ['A: FunctionName was added', 'A: MemorySize changed'],
    ],
    [
      'a definition in the template',
      { from: '{StartAt: A}', to: '{StartAt: B, Comment: c}' },
      { Flow: ['Definition'] },
      [],
    ],
    [
      'where a definition is',
      { from: 'Definition: {StartAt: A}', to: 'DefinitionUri: flow.json' },
      {},
      ['Flow: Definition was removed', 'Flow: DefinitionUri was added'],
    ],
    [
      'a setting of a function of another type',
      {
        from: 'A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, MemorySize: !Ref Size',
        to: 'A: {Type: AWS::Lambda::Function, Properties: {CodeUri: a, MemorySize: 1024',
      },
      {},
      ['A: MemorySize changed', 'A: Runtime was removed', 'A: Timeout was removed', 'A: Type changed'],
    ],
    [
      'a resource of a type that no service sets',
      {
        from: 'Type: AWS::SQS::Queue, Properties: {DelaySeconds: 1',
        to: 'Type: AWS::S3::Bucket, Properties: {BucketName: b',
      },
      {},
      ['Q: BucketName was added', 'Q: DelaySeconds was removed', 'Q: Type changed'],
    ],
    [
      'an event of which SAM generates a rule',
      { from: 'rate(1 day), Enabled: true', to: 'rate(2 days), Enabled: false, Input: "{}"' },
      { TE: ['ScheduleExpression', 'State', 'Targets.0.Input'] },
      [],
    ],
    [
      'an event whose other resources change too',
      { from: 'rate(1 day)', to: 'rate(2 days), DeadLetterConfig: {Type: SQS}' },
      { TE: ['ScheduleExpression'] },
      ['T: Events.E.Properties.DeadLetterConfig was added'],
    ],
    [
      'an event that becomes another one',
      {
        from: 'Type: Schedule, Properties: {Schedule: rate(1 day), Enabled: true',
        to: 'Type: S3, Properties: {Bucket: b',
      },
      {},
      ['T: Events.E.Properties.Bucket was added', 'T: Events.E.Type changed'],
    ],
    ['a new event', { from: 'Events: {E', to: 'Events: {N: {Type: Schedule}, E' }, {}, ['T: Events.N was added']],
    [
      'a setting that Cloud Control sets',
      { from: 'DelaySeconds: 1', to: 'DelaySeconds: 2' },
      { Q: ['DelaySeconds'] },
      [],
    ],
    [
      'a setting that an update cannot make, beside one that it can',
      { from: 'DelaySeconds: 1', to: 'DelaySeconds: 2, FifoQueue: true' },
      { Q: ['DelaySeconds'] },
      ['Q: FifoQueue was added'],
    ],
    [
      'a setting that refers to a resource that only the deployment changes',
      {
        from: 'CodeUri: a, MemorySize: !Ref Size}}',
        to: 'CodeUri: a, MemorySize: 512, Environment: {Variables: {QUEUE: !GetAtt Q.QueueName}}}}',
        also: ['DelaySeconds: 1', 'DelaySeconds: 1, QueueName: new'],
      },
      { A: ['MemorySize'] },
      ['A: Environment was added', 'Q: QueueName was added'],
    ],
    [
      'a setting that refers to a resource that stays',
      {
        from: 'CodeUri: a, MemorySize: !Ref Size}}',
        to: 'CodeUri: a, MemorySize: !Ref Size, Environment: {Variables: {QUEUE: !GetAtt Q.QueueName}}}}',
      },
      { A: ['Environment'] },
      [],
    ],
    [
      'settings of a request are those of its API',
      { from: 'Method: get', to: 'Method: get, TimeoutInMillis: 5000, Auth: {ApiKeyRequired: true}' },
      { ServerlessRestApi: ['Events'] },
      [],
    ],
    [
      'who may send a request, with a policy that only the deployment sets',
      { from: 'Method: get', to: 'Method: get, Auth: {Authorizer: NONE, ResourcePolicy: {IpRangeBlacklist: [a]}}' },
      {},
      ['ServerlessRestApi: Events.Read.Get.Auth.ResourcePolicy was added', 'ServerlessRestApi: Events was added'],
    ],
    [
      'who may call an API, with a usage plan that only the deployment sets',
      {
        from: 'Globals: {',
        to: 'Globals: {Api: {Auth: {DefaultAuthorizer: AWS_IAM, UsagePlan: {CreateUsagePlan: PER_API}}}, ',
      },
      {},
      ['ServerlessRestApi: Auth was added', 'ServerlessRestApi: Auth.UsagePlan was added'],
    ],
    [
      'a request of an API with a definition of its own',
      {
        from: '  Q:',
        to: '  Own: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: a.yaml}}\n  Q:',
        also: ['/a, Method: get', '/a, Method: get, TimeoutInMillis: 5000, RestApiId: !Ref Own'],
      },
      {},
      [
        'Own was added',
        'Read: Events.Get.Properties.RestApiId was added',
        'Read: Events.Get.Properties.TimeoutInMillis was added',
      ],
    ],
    [
      'tags of an API',
      { from: 'Globals: {', to: 'Globals: {Api: {Tags: {A: a}}, ' },
      { ServerlessRestApi: ['Tags.A'] },
      [],
    ],
    [
      'who may call the methods of a definition in the template, with it',
      { from: '{swagger: "2.0"}', to: '{swagger: "2.0", info: {title: t}}, Auth: {DefaultAuthorizer: AWS_IAM}' },
      { Api: ['DefinitionBody', 'Auth'] },
      [],
    ],
    [
      'the same with a policy that only the deployment sets: the definition would be open without it',
      {
        from: '{swagger: "2.0"}',
        to: '{swagger: "2.0", info: {title: t}}, Auth: {DefaultAuthorizer: AWS_IAM, ResourcePolicy: {IpRangeBlacklist: [a]}}, TracingEnabled: true',
      },
      { Api: ['TracingEnabled'] },
      ['Api: Auth was added', 'Api: Auth.ResourcePolicy was added', 'Api: DefinitionBody.info was added'],
    ],
    [
      'a usage plan that SAM makes for an API',
      {
        from: '{swagger: "2.0"}',
        to: '{swagger: "2.0"}, Auth: {UsagePlan: {CreateUsagePlan: PER_API, Description: two, Throttle: {RateLimit: 1}, Tags: [{Key: A, Value: a}]}}',
        before: '{swagger: "2.0"}, Auth: {UsagePlan: {CreateUsagePlan: PER_API, Description: one}}',
      },
      { ApiUsagePlan: ['Description', 'Throttle', 'Tags.A'] },
      [],
    ],
    [
      'a usage plan that APIs share',
      {
        from: '{swagger: "2.0"}',
        to: '{swagger: "2.0"}, Auth: {UsagePlan: {CreateUsagePlan: SHARED, Description: two}}',
        before: '{swagger: "2.0"}, Auth: {UsagePlan: {CreateUsagePlan: SHARED, Description: one}}',
      },
      {},
      ['Api: Auth.UsagePlan.Description changed'],
    ],
    [
      'a usage plan that comes',
      {
        from: '{swagger: "2.0"}',
        to: '{swagger: "2.0"}, Auth: {UsagePlan: {CreateUsagePlan: PER_API, Description: two}}',
      },
      {},
      ['Api: Auth.UsagePlan was added'],
    ],
    [
      'settings of routes, each by itself, that come, change and go',
      {
        from: '{GET /a: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}, GET /b: {ThrottlingRateLimit: 1}, GET /c: {ThrottlingRateLimit: 1}}',
        to: '{GET /a: {ThrottlingRateLimit: 2}, GET /c: {ThrottlingRateLimit: 1}, GET /d.e: {DetailedMetricsEnabled: true}}',
      },
      { Stage: ['RouteSettings.GET /a', 'RouteSettings.GET /b', 'RouteSettings.GET /d.e'] },
      [],
    ],
    [
      'settings of all routes, with metrics only',
      { from: 'RouteSettings: {GET', to: 'DefaultRouteSettings: {DetailedMetricsEnabled: true}, RouteSettings: {GET' },
      { Stage: ['DefaultRouteSettings'] },
      [],
    ],
    [
      'settings of all routes, with a limit that could not be unset',
      { from: 'RouteSettings: {GET', to: 'DefaultRouteSettings: {ThrottlingRateLimit: 1}, RouteSettings: {GET' },
      {},
      ['Stage: DefaultRouteSettings was added'],
    ],
    [
      'tags of an API that more resources get',
      { from: 'Globals: {', to: 'Globals: {Api: {Tags: {A: a}, PropagateTags: true}, ' },
      {},
      ['ServerlessRestApi: PropagateTags was added', 'ServerlessRestApi: Tags was added', 'global Api was added'],
    ],
    ['a new resource', { from: '  Q:', to: '  N: {Type: AWS::SNS::Topic}\n  Q:' }, {}, ['N was added']],
    ['a condition that becomes true', { parameters: { Stage: 'prod' } }, {}, ['Prod: its condition changed']],
    [
      'a value of a type that SAM refuses: nothing is deployed',
      { from: 'Method: get', to: 'Method: get, TimeoutInMillis: "500"', parameters: { Size: '256' } },
      {},
      ['A: MemorySize changed', 'Child/F: MemorySize changed', 'ServerlessRestApi: Events was added'],
    ],
    [
      'a value of such a type in a loop of a nested stack',
      {
        child: `${CHILD}  Fn::ForEach::Each: [Id, [A], {'\${Id}': {Type: AWS::Serverless::Api, Properties: {StageName: 5}}}]\n`,
        parameters: { Size: '256' },
      },
      {},
      ['A: MemorySize changed', 'Child/F: MemorySize changed', 'Child/Fn::ForEach::Each was added'],
    ],
    [
      'tags in a form that CloudFormation refuses',
      { from: '[{Key: A, Value: a}, {Key: B, Value: b}]', to: '{A: c}' },
      {},
      ['Tagged: Tags changed'],
    ],
    [
      'a template with a macro',
      {
        from: 'Transform: AWS::Serverless-2016-10-31\n',
        to: 'Transform: [Mine, AWS::Serverless-2016-10-31]\n',
        parameters: { Size: '256' },
      },
      { 'Child/F': ['MemorySize'] },
      ['section Transform changed', 'A: MemorySize changed'],
    ],
  ])('%s', (_, change, direct, rest) => {
    const found = split(change);
    expect(found.direct).toEqual(direct);
    expect([...found.rest].sort()).toEqual([...rest].sort());
  });

  it('takes what has to wait for a deployment back at once', () => {
    const open = ROOT.replace('Globals: {', 'Globals: {Api: {Auth: {UsagePlan: {CreateUsagePlan: NONE}}}, ');
    const closed = ROOT.replace('Globals: {', 'Globals: {Api: {Auth: {DefaultAuthorizer: AWS_IAM}}, ');
    const [before, after] = [application(open, {}), application(closed, {})];
    expect([...splitChanges(before, after).direct]).toEqual([]);
    expect([...splitChanges(before, after, { setsBack: true }).direct]).toEqual([['ServerlessRestApi', ['Auth']]]);
  });
});
