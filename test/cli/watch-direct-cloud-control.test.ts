import {
  DescribeStackResourceDriftsCommand,
  DetectStackDriftCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { UpdateResourceCommand } from '@aws-sdk/client-cloudcontrol';
import { GetResourcesCommand, TagResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { compareTemplates } from '../../src/deploy/compare-templates.ts';
import { kindOf } from '../../src/template/kinds/kinds.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { clients, poll } from '../support/cloud.ts';
import { serviceReader } from '../support/read-services.ts';
import type { ServiceReader } from '../support/read-services.ts';
import { runCli } from '../support/run-cli.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchLine } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

const apps = watchedApps();
const ROLE = 'arn:aws:iam::000000000000:role/r';
const TARGET = 'arn:aws:lambda:us-east-1:000000000000:function:one';

const TWO = '{Id: two, Arn: !GetAtt Queue.Arn}';

/** Properties of a resource before and after, and what its service shows then. `Ref` is an output of the stack. */
interface Row {
  id: string;
  /** undefined: SAM generates it for an event. */
  type?: string;
  fixed?: string;
  before?: string;
  after?: string;
  read(services: ServiceReader, ref: string): Promise<unknown>;
  shown: [before: object, after: object];
}

const alarm = (threshold: string, more: string): string =>
  `Threshold: ${threshold}, EvaluationPeriods: 2, ComparisonOperator: GreaterThanThreshold${more}`;
const dashboard = (title: string): string =>
  `DashboardBody: !Sub '{"widgets": [{"type": "text", "properties": {"markdown": "${title} \${AWS::Region}"}}]}'`;

const ROWS: Row[] = [
  {
    id: 'Rule',
    type: 'AWS::Events::Rule',
    before: `ScheduleExpression: rate(5 minutes), Description: often, Targets: [{Id: one, Arn: '${TARGET}', Input: '{}'}, ${TWO}]`,
    after: `ScheduleExpression: rate(1 hour), State: DISABLED, Targets: [{Id: one, Arn: '${TARGET}', Input: '{"a": 1}'}, ${TWO}]`,
    read: (services, ref) => services.rule(ref),
    shown: [
      {
        rule: { ScheduleExpression: 'rate(5 minutes)', State: 'ENABLED', Description: 'often' },
        targets: [{ Id: 'one', Input: '{}' }, { Id: 'two' }],
      },
      {
        rule: { ScheduleExpression: 'rate(1 hour)', State: 'DISABLED' },
        targets: [{ Id: 'one', Input: '{"a": 1}' }, { Id: 'two' }],
      },
    ],
  },
  {
    id: 'Pattern',
    type: 'AWS::Events::Rule',
    before: 'EventPattern: {source: [mine], detail: {count: [{numeric: [">", 1]}]}}',
    after: 'EventPattern: {source: [mine], detail: {count: [{numeric: [">", 2]}]}}',
    read: async (services, ref) =>
      JSON.parse(((await services.rule(ref)).rule as Record<string, string>)['EventPattern'] ?? ''),
    shown: [{ detail: { count: [{ numeric: ['>', 1] }] } }, { detail: { count: [{ numeric: ['>', 2] }] } }],
  },
  {
    id: 'Schedule',
    type: 'AWS::Scheduler::Schedule',
    before: `ScheduleExpression: rate(5 minutes), Description: often, FlexibleTimeWindow: {Mode: 'OFF'}, Target: {Arn: '${TARGET}', RoleArn: '${ROLE}'}`,
    after: `ScheduleExpression: rate(2 hours), State: DISABLED, FlexibleTimeWindow: {Mode: FLEXIBLE, MaximumWindowInMinutes: 5}, Target: {Arn: '${TARGET}', RoleArn: '${ROLE}', Input: hi}`,
    read: (services, ref) => services.schedule(ref),
    shown: [
      { ScheduleExpression: 'rate(5 minutes)', State: 'ENABLED', FlexibleTimeWindow: { Mode: 'OFF' } },
      {
        ScheduleExpression: 'rate(2 hours)',
        State: 'DISABLED',
        FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 },
        Target: { Input: 'hi' },
      },
    ],
  },
  {
    id: 'Queue',
    type: 'AWS::SQS::Queue',
    before: 'VisibilityTimeout: !Ref Short, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}',
    after:
      'VisibilityTimeout: !Ref Long, DelaySeconds: 7, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: "4"}',
    read: async (services, ref) => {
      const { RedrivePolicy = '{}', ...rest } = (await services.queue(ref)) as Record<string, string>;
      return { ...rest, count: Number((JSON.parse(RedrivePolicy) as Record<string, unknown>)['maxReceiveCount']) };
    },
    shown: [
      { VisibilityTimeout: '45', DelaySeconds: '0', count: 3 },
      { VisibilityTimeout: '90', DelaySeconds: '7', count: 4 },
    ],
  },
  {
    id: 'Topic',
    type: 'AWS::SNS::Topic',
    before: 'DisplayName: one',
    after: 'DisplayName: two, TracingConfig: Active',
    read: (services, ref) => services.topic(ref),
    shown: [{ DisplayName: 'one' }, { DisplayName: 'two', TracingConfig: 'Active' }],
  },
  {
    id: 'Parameter',
    type: 'AWS::SSM::Parameter',
    fixed: 'Type: String, Description: kept',
    before: 'Value: one',
    after: 'Value: !Sub "${AWS::StackName} two"',
    read: (services, ref) => services.parameter(ref),
    shown: [{ Value: 'one' }, {}],
  },
  {
    id: 'Alarm',
    type: 'AWS::CloudWatch::Alarm',
    fixed: 'MetricName: Errors, Namespace: AWS/Lambda, Statistic: Sum, Period: 60',
    before: alarm('!If [IsLong, 9, 0.5]', ', AlarmDescription: some'),
    after: alarm('!If [IsShort, 1.5, 9]', ', AlarmActions: [!Ref Topic], Dimensions: [{Name: FunctionName, Value: f}]'),
    read: (services, ref) => services.alarm(ref),
    shown: [
      { Threshold: 0.5, AlarmActions: [], AlarmDescription: 'some' },
      { Threshold: 1.5, AlarmActions: [expect.stringContaining(':')], Dimensions: [{ Value: 'f' }] },
    ],
  },
  {
    id: 'Dashboard',
    type: 'AWS::CloudWatch::Dashboard',
    before: dashboard('one'),
    after: dashboard('two'),
    read: (services, ref) => services.dashboard(ref),
    shown: [
      { widgets: [{ properties: { markdown: 'one us-east-1' } }] },
      { widgets: [{ properties: { markdown: 'two us-east-1' } }] },
    ],
  },
  {
    id: 'Table',
    type: 'AWS::DynamoDB::Table',
    fixed:
      'BillingMode: PAY_PER_REQUEST, KeySchema: [{AttributeName: id, KeyType: HASH}], AttributeDefinitions: [{AttributeName: id, AttributeType: S}]',
    before: 'PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: false}',
    after: 'DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}',
    read: (services, ref) => services.table(ref),
    shown: [
      { backups: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' } } },
      {
        table: { DeletionProtectionEnabled: true },
        backups: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' } },
      },
    ],
  },
  ...['FnTick', 'FlowTick'].map((id): Row => ({
    id,
    read: (services, ref) => services.rule(ref),
    shown: [
      { rule: { ScheduleExpression: 'rate(5 minutes)', State: 'ENABLED' }, targets: [{ Input: '1' }] },
      {
        rule: { ScheduleExpression: 'rate(6 minutes)', State: 'DISABLED', Description: 'less' },
        targets: [{ RetryPolicy: { MaximumRetryAttempts: 3 } }],
      },
    ],
  })),
  {
    id: 'FnTock',
    read: (services, ref) => services.schedule(ref),
    shown: [
      { ScheduleExpression: 'rate(5 minutes)', State: 'ENABLED' },
      { ScheduleExpression: 'rate(7 minutes)', State: 'DISABLED', Target: { Input: '2' } },
    ],
  },
  {
    id: 'FnSeen',
    read: async (services, ref) => {
      const { rule, targets } = await services.rule(ref);
      return { targets, pattern: JSON.parse((rule as Record<string, string>)['EventPattern'] ?? '') as unknown };
    },
    shown: [
      { pattern: { source: ['one'] }, targets: [{}] },
      { pattern: { source: ['two'] }, targets: [{ InputPath: '$.detail' }] },
    ],
  },
];

type State = 'before' | 'after';

/** Tags of a resource in each state, as its type writes them. */
const tagsOf = (type: string, state: State): string[] => {
  const [stage, key] = state === 'before' ? ['one', 'Went'] : ['two', 'Came'];
  if (kindOf(type)?.taggedArn === undefined) return [];
  return type.includes('Serverless') || type.includes('SSM')
    ? [`Tags: {Stage: ${stage}, ${key}: here}`]
    : [`Tags: [{Key: Stage, Value: ${stage}}, {Key: ${key}, Value: here}]`];
};
/** Resources of which tags change and nothing else. */
const TAGGED = {
  Machine: [
    'AWS::Serverless::StateMachine',
    `Role: '${ROLE}', Definition: {StartAt: A, States: {A: {Type: Pass, End: true}}}`,
  ],
  Plain: [
    'AWS::StepFunctions::StateMachine',
    `RoleArn: '${ROLE}', DefinitionString: '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}'`,
  ],
  Graph: ['AWS::AppSync::GraphQLApi', 'Name: graph, AuthenticationType: API_KEY'],
} as const;
const tagged = (state: State): string =>
  Object.entries(TAGGED)
    .map(
      ([id, [type, properties]]) =>
        `  ${id}: {Type: ${type}, Properties: {${[properties, ...tagsOf(type, state)].join(', ')}}}\n`,
    )
    .join('');
/** How many resources have tags: all rows of such types. */
const tagCount = (): number =>
  [...ROWS.map(({ type = '' }) => type), ...Object.values(TAGGED).map(([type]) => type)].filter(
    (type) => kindOf(type)?.taggedArn !== undefined,
  ).length;

const resourceOf = ({ id, type, fixed = '', ...row }: Row, state: State): string =>
  type === undefined
    ? ''
    : `  ${id}: {Type: ${type}, Properties: {${[fixed, row[state], ...tagsOf(type, state)].filter(Boolean).join(', ')}}}\n`;
const event = (type: string, ...settings: [before: string, after: string]): Record<State, string> => {
  const [before, after] = settings.map((text) => `{Type: ${type}, Properties: {${text}}}`);
  return { before: before ?? '', after: after ?? '' };
};
const EVENTS: Record<string, Record<State, string>> = {
  Tick: event(
    'Schedule',
    'Schedule: rate(5 minutes), Enabled: true, Input: "1"',
    'Schedule: rate(6 minutes), Enabled: false, Description: less, RetryPolicy: {MaximumRetryAttempts: 3}',
  ),
  Tock: event(
    'ScheduleV2',
    'ScheduleExpression: rate(5 minutes), State: !If [IsLong, DISABLED, ENABLED]',
    'ScheduleExpression: rate(7 minutes), State: !If [IsLong, ENABLED, DISABLED], Input: "2"',
  ),
  Seen: event('EventBridgeRule', 'Pattern: {source: [one]}', 'Pattern: {source: [two]}, InputPath: $.detail'),
};
const eventsOf = (state: State, ...names: string[]): string =>
  `Events: {${names.map((name) => `${name}: ${EVENTS[name]?.[state]}`).join(', ')}}`;
const owners = (state: State): string =>
  `  Fn: {Type: AWS::Serverless::Function, Properties: {InlineCode: "def handler(event, context): return 1", Runtime: python3.11, Handler: index.handler, ${eventsOf(state, 'Tick', 'Tock', 'Seen')}}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {Role: '${ROLE}', Definition: {StartAt: A, States: {A: {Type: Pass, End: true}}}, ${eventsOf(state, 'Tick')}}}
`;
const text = (state: State): string => `Transform: AWS::Serverless-2016-10-31
Parameters: {Short: {Type: Number, Default: 45}, Long: {Type: Number, Default: 90}}
Conditions: {IsLong: !Equals [!Ref Short, '90'], IsShort: !Equals [!Ref Short, '45']}
Resources:
  Dead: {Type: AWS::SQS::Queue}
${ROWS.map((row) => resourceOf(row, state)).join('')}${tagged(state)}${owners(state)}  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {Wait: !Ref Short}}}
Outputs:
${ROWS.map(({ id }) => `  ${id}: {Value: !Ref ${id}}\n`).join('')}  Nested: {Value: !GetAtt Child.Outputs.Nested}
`;
const child = (state: State): string => `Parameters: {Wait: {Type: Number}}
Resources:
  Nested: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Wait, DelaySeconds: ${state === 'before' ? 3 : 4}}}
Outputs: {Nested: {Value: !Ref Nested}}
`;

/** The tags of all resources that a template tags, by ARN. */
async function readTags(app: WatchedApp): Promise<Map<string, Record<string, string>>> {
  const { tagging } = clients(app.cloud.endpoint);
  const { ResourceTagMappingList = [] } = await tagging.send(
    new GetResourcesCommand({ TagFilters: [{ Key: 'Stage' }] }),
  );
  return new Map(
    ResourceTagMappingList.map(({ ResourceARN = '', Tags = [] }) => [
      ResourceARN,
      Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    ]),
  );
}

/** Waits until all have the tags of this state, and those that CloudFormation, SAM and people have put there (`others`). */
async function allHaveTags(app: WatchedApp, state: State, others: ReadonlyMap<string, object>): Promise<void> {
  const ours = state === 'before' ? { Stage: 'one', Went: 'here' } : { Stage: 'two', Came: 'here' };
  const wanted = Object.fromEntries([...others].map(([arn, tags]) => [arn, { ...tags, ...ours }]));
  const shown = async (): Promise<object> => Object.fromEntries(await readTags(app));
  await poll(async () => (isDeepStrictEqual(await shown(), wanted) ? true : undefined)).catch(async () =>
    expect(await shown()).toEqual(wanted),
  );
}

/** Waits until each service shows its resource in this state. */
async function allShow(app: WatchedApp, state: State): Promise<void> {
  const services = serviceReader(app.cloud.endpoint);
  const at = state === 'before' ? 0 : 1;
  const rows = [
    ...ROWS.map(({ id, read, shown }) => ({ id, read: () => read(services, app.output(id)), shown: shown[at] })),
    {
      id: 'Nested',
      read: () => services.queue(app.output('Nested')),
      shown: { VisibilityTimeout: '45', DelaySeconds: state === 'before' ? '3' : '4' },
    },
  ];
  for (const { id, read, shown } of rows) {
    const isThere = async (): Promise<true | undefined> => {
      try {
        expect(await read(), id).toMatchObject(shown);
        return true;
      } catch {
        return undefined;
      }
    };
    await poll(isThere, 20_000).catch(async () => expect(await read(), id).toMatchObject(shown));
  }
}

/** The stack has the template of the file, and its resources have what the template says. */
async function isDeployed(app: WatchedApp, state: State): Promise<void> {
  const { cloudformation } = clients(app.cloud.endpoint);
  const StackName = app.stackName;
  const { TemplateBody = '' } = await cloudformation.send(
    new GetTemplateCommand({ StackName, TemplateStage: 'Original' }),
  );
  const differences = compareTemplates(parseTemplate(TemplateBody, 'deployed'), parseTemplate(text(state), 'file'));
  expect(differences.filter(({ path }) => !['TemplateURL', 'Metadata'].includes(path[3] ?? path[2] ?? ''))).toEqual([]);
  await cloudformation.send(new DetectStackDriftCommand({ StackName }));
  const drifts = await poll(async () => {
    const { StackResourceDrifts = [] } = await cloudformation.send(
      new DescribeStackResourceDriftsCommand({ StackName }),
    );
    return StackResourceDrifts.length > 0 ? StackResourceDrifts : undefined;
  });
  const drifted = drifts
    .filter(({ StackResourceDriftStatus: status }) => status === 'MODIFIED' || status === 'DELETED')
    .map(({ PropertyDifferences = [], ...drift }) => ({
      ...drift,
      // the tag that a person added
      differences: PropertyDifferences.filter(({ ActualValue = '' }) => !ActualValue.includes('made')),
    }))
    .filter(({ differences, StackResourceDriftStatus: status }) => status === 'DELETED' || differences.length > 0);
  expect(drifted).toEqual([]);
}

it('settings and tags of rules, schedules, queues, topics, parameters, alarms, dashboards, tables and state machines take effect before they are deployed, and back', async () => {
  const app = await apps.create({ 'template.yaml': text('before'), 'child.yaml': child('before') });
  const watch = await app.ready();
  await allShow(app, 'before');
  const { tagging } = clients(app.cloud.endpoint);
  const others = new Map(
    [...(await readTags(app))].map(([arn, tags]) => [
      arn,
      {
        ...Object.fromEntries(Object.entries(tags).filter(([key]) => key !== 'Stage' && key !== 'Went')),
        Hand: 'made',
      },
    ]),
  );
  expect(others.size).toBe(tagCount());
  await tagging.send(new TagResourcesCommand({ ResourceARNList: [...others.keys()], Tags: { Hand: 'made' } }));
  for (const state of ['after', 'before'] as const) {
    app.proxy.clear();
    const held = app.proxy.hold({ operation: 'UpdateStack' });
    const from = watch.lines.length;
    await watch.atOnce(async () => {
      await watch.write('template.yaml', text(state));
      await watch.write('child.yaml', child(state));
    });
    await allShow(app, state);
    await allHaveTags(app, state, others);
    const sent = app.proxy.count('UpdateResource');
    expect(sent).toBe(ROWS.length + 1);
    await held.arrived;
    held.release();
    await watch.seen(isStack('in-sync'), from);
    await watch.quiet();
    await allShow(app, state);
    await allHaveTags(app, state, others);
    await isDeployed(app, state);
    expect([app.proxy.count('UpdateStack'), app.proxy.count('UpdateResource')]).toEqual([1, sent]);
    const rows = watch.lines.slice(from).filter(isResource('Queue', 'in-sync'));
    expect(rows.at(0)?.['detail']).toContain('VisibilityTimeout');
  }
}, 180_000);

const SMALL = (queue: string, rule = RULE): string => `Parameters: {Secret: {Type: String, NoEcho: true, Default: hush}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {${queue}}}
  Rule: {Type: AWS::Events::Rule, Properties: {${rule}}}
Outputs: {Queue: {Value: !Ref Queue}, Rule: {Value: !Ref Rule}}
`;
const RULE = `ScheduleExpression: rate(5 minutes), Targets: [{Id: one, Arn: '${TARGET}'}, ${TWO}]`;

const tokenOf = ({ body }: { body: Buffer }): unknown =>
  (JSON.parse(body.toString()) as Record<string, unknown>)['ClientToken'];

it('direct settings survive lost answers, busy resources, rollbacks and a kill, repair what was changed by hand, and leave the rest to the deployment', async () => {
  const { watch, ...app } = await apps.ready({ 'template.yaml': SMALL('DelaySeconds: 1') });
  const { cloudcontrol } = clients(app.cloud.endpoint);
  const services = serviceReader(app.cloud.endpoint);
  const operation = 'UpdateResource';
  const delays = (seconds: string): Promise<unknown> =>
    poll(async () => {
      const { DelaySeconds } = (await services.queue(app.output('Queue'))) as Record<string, string>;
      return DelaySeconds === seconds || undefined;
    });
  const isSet = (line: WatchLine): boolean => isResource('Queue', 'in-sync')(line) && line.changed === true;
  const saveDelay = (seconds: number): Promise<void> => watch.write('template.yaml', SMALL(`DelaySeconds: ${seconds}`));
  const inSync = async (from: number): Promise<void> => void (await watch.seen(isStack('in-sync'), from));

  // the same token: it is the same update
  app.proxy.fault({ operation }, { kind: 'reset', when: 'after-answer' });
  let from = watch.lines.length;
  await watch.after(() => saveDelay(2), isSet);
  await delays('2');
  const tokens = app.proxy.calls.flatMap((call) => (call.operation === operation ? [tokenOf(call)] : []));
  expect(tokens).toHaveLength(2);
  expect(new Set(tokens).size).toBe(1);
  await inSync(from);

  // another operation on the resource, and one that takes its time
  app.proxy.fault({ operation }, { kind: 'error', status: 409, code: 'ConcurrentOperationException', message: 'busy' });
  from = watch.lines.length;
  await watch.after(() => saveDelay(3), isSet);
  await delays('3');
  await inSync(from);

  // what was changed by hand is repaired, and what is there already is not sent
  const byHand = new UpdateResourceCommand({
    TypeName: 'AWS::SQS::Queue',
    Identifier: app.output('Queue'),
    PatchDocument: '[{"op": "replace", "path": "/DelaySeconds", "value": 5}]',
  });
  await cloudcontrol.send(byHand);
  await delays('5');
  app.proxy.clear();
  from = watch.lines.length;
  await watch.after(() => saveDelay(5), isResource('Queue', 'in-sync'));
  expect(app.proxy.count(operation)).toBe(0);
  await inSync(from);

  // denied: the deployment does it, and nothing has failed
  for (const denied of ['GetResource', operation]) {
    app.proxy.clear();
    app.proxy.fault(
      { operation: denied },
      { kind: 'error', status: 400, code: 'AccessDeniedException', message: 'not authorized' },
    );
    from = watch.lines.length;
    const seconds = denied === operation ? 6 : 7;
    await saveDelay(seconds);
    await inSync(from);
    await delays(String(seconds));
    expect(watch.lines.slice(from).filter(({ state }) => state === 'failed')).toEqual([]);
    expect(watch.lines.slice(from).some(({ text: said }) => String(said).includes('could not be set directly'))).toBe(
      true,
    );
  }

  // what Cloud Control refuses, or fails at later, shows until the deployment decides
  from = watch.lines.length;
  await saveDelay(9999);
  const row = await watch.seen(isResource('Queue', 'failed'), from);
  expect(row.error?.message).toContain('DelaySeconds');
  await watch.seen(isStack('failed'), from);
  from = watch.lines.length;
  await saveDelay(8);
  await inSync(from);
  await delays('8');

  // a target that goes is the deployment's to remove
  from = watch.lines.length;
  await watch.write('template.yaml', SMALL('DelaySeconds: 8', RULE.replace(`, ${TWO}`, '')));
  const note = await watch.seen(({ event, text: said }) => event === 'note' && String(said).includes('Targets'), from);
  expect(note['text']).toBe('Rule waits for the deployment: Targets: only the deployment removes two');
  await inSync(from);
  expect((await services.rule(app.output('Rule'))).targets).toHaveLength(1);

  // a rollback sets it back, and so does the next session after a kill if the template is as before
  const kept = await app.read('template.yaml');
  const bad =
    '  Bad: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\nOutputs:';
  from = watch.lines.length;
  await watch.write('template.yaml', kept.replace('DelaySeconds: 8', 'DelaySeconds: 9').replace('Outputs:', bad));
  await watch.seen(isStack('failed'), from);
  const back = await watch.seen(isResource('Queue', 'failed'), from);
  expect(back.error?.message).toBe('The deployment failed: DelaySeconds of Queue is as deployed before');
  await delays('8');
  app.proxy.clear();
  app.proxy.hold({ operation: 'UpdateStack' });
  await watch.after(() => watch.write('template.yaml', kept.replace('DelaySeconds: 8', 'DelaySeconds: 10')), isSet);
  await delays('10');
  await watch.stop('SIGKILL');
  app.proxy.clear();
  await app.write({ 'template.yaml': kept });
  await app.ready();
  await delays('8');
}, 150_000);

it('a dry run shows each setting that Cloud Control would set, without secrets', async () => {
  const app = await apps.create({ 'template.yaml': SMALL('DelaySeconds: 1') });
  const run = (...args: string[]) =>
    runCli(['--stack-name', app.stackName, '--yes', ...args], { cwd: app.dir, env: app.env });
  expect((await run()).code).toBe(0);
  await app.write({
    'template.yaml': SMALL('DelaySeconds: 2', RULE.replace('Targets:', 'Description: !Ref Secret, Targets:')),
  });
  const { stdout, stderr, code } = await run('--dry-run', '--output', 'json', '--parameter-overrides', 'Secret=psst');
  expect(code, stderr).toBe(0);
  const { direct } = JSON.parse(stdout) as { direct: { resources: object[]; rest: string[] } };
  const request = (TypeName: string, patch: object[], values: object): object => {
    const parameters = { TypeName, Identifier: expect.any(String), PatchDocument: JSON.stringify(patch) };
    return { service: 'cloudcontrol', operation: 'UpdateResource', parameters, values };
  };
  expect(direct.rest).toEqual([]);
  expect(direct.resources).toMatchObject([
    {
      id: 'Queue',
      changes: ['DelaySeconds'],
      requests: [request('AWS::SQS::Queue', [{ op: 'add', path: '/DelaySeconds', value: 2 }], { DelaySeconds: 2 })],
    },
    {
      id: 'Rule',
      changes: ['Description'],
      requests: [
        request('AWS::Events::Rule', [{ op: 'add', path: '/Description', value: '****' }], { Description: '****' }),
      ],
    },
  ]);
  expect(stderr).toContain('Queue: --watch would set directly, before the deployment: DelaySeconds = 2\n');
  expect(stderr).toContain('Rule: --watch would set directly, before the deployment: Description = "****"\n');
  expect(stdout + stderr).not.toContain('psst');
  expect(app.proxy.count('UpdateResource')).toBe(0);
  // --code is code only
  const codeOnly = await run('--code', '--dry-run', '--output', 'json');
  expect((JSON.parse(codeOnly.stdout) as { resources: object[] }).resources).toEqual([]);
});
