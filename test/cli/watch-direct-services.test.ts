import { DescribeStateMachineAliasCommand, DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { clients, poll } from '../support/cloud.ts';
import { isDeployedAsWritten } from '../support/deployed-template.ts';
import { isStack } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

const apps = watchedApps();

const LOGS = 'arn:aws:logs:us-east-1:000000000000:log-group:flows:*';
const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`;

type State = 'before' | 'after';

/** A row: a resource of a type, its properties before and after the change, and what its service then shows. */
interface Row {
  id: string;
  type: string;
  /** Properties that do not change. */
  fixed: string;
  before: string;
  after: string;
  /** Reads what the service has. */
  read(app: WatchedApp, id: string): Promise<unknown>;
  shown: Readonly<Record<State, object>>;
}

const FLOW = '{StartAt: One, States: {One: {Type: Pass, End: true}}}';
const SAM_FLOW = `Definition: ${FLOW}`;
const PLAIN_FLOW = `DefinitionString: '${'{"StartAt":"One","States":{"One":{"Type":"Pass","End":true}}}'}'`;

async function readFlow({ cloud, output }: WatchedApp, id: string): Promise<unknown> {
  const { sfn } = clients(cloud.endpoint);
  return sfn.send(new DescribeStateMachineCommand({ stateMachineArn: output(id) }));
}

/** What the version has that the alias `live` leads to. */
async function readLive(app: WatchedApp, id: string): Promise<unknown> {
  const { sfn } = clients(app.cloud.endpoint);
  const stateMachineAliasArn = `${app.output(id)}:live`;
  const { routingConfiguration = [] } = await sfn.send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn }));
  return sfn.send(
    new DescribeStateMachineCommand({ stateMachineArn: routingConfiguration[0]?.stateMachineVersionArn ?? '' }),
  );
}

const flow = (id: string, row: Omit<Row, 'id' | 'type' | 'fixed' | 'read'> & Partial<Row>): Row => ({
  id,
  type: 'AWS::Serverless::StateMachine',
  fixed: row.type === undefined ? SAM_FLOW : PLAIN_FLOW,
  read: readFlow,
  ...row,
});
const FLOW_ROWS: Row[] = [
  flow('FlowRole', {
    before: `Role: ${role('one')}`,
    after: `Role: ${role('two')}`,
    shown: { before: { roleArn: role('one') }, after: { roleArn: role('two') } },
  }),
  flow('FlowLogging', {
    fixed: `${SAM_FLOW}, Role: ${role('one')}`,
    before: '',
    after: `Logging: {Level: ALL, IncludeExecutionData: true, Destinations: [{CloudWatchLogsLogGroup: {LogGroupArn: "${LOGS}"}}]}`,
    shown: {
      before: { loggingConfiguration: { level: 'OFF', includeExecutionData: false } },
      after: {
        loggingConfiguration: {
          level: 'ALL',
          includeExecutionData: true,
          destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: LOGS } }],
        },
      },
    },
  }),
  flow('FlowTracing', {
    fixed: `${SAM_FLOW}, Role: ${role('one')}, AutoPublishAlias: live`,
    before: '',
    after: 'Tracing: {Enabled: !If [IsOther, true, false]}',
    read: readLive,
    shown: {
      before: { tracingConfiguration: { enabled: false } },
      after: { tracingConfiguration: { enabled: true } },
    },
  }),
  flow('Flow', {
    type: 'AWS::StepFunctions::StateMachine',
    before: `RoleArn: ${role('one')}, LoggingConfiguration: {Level: !Ref Level}`,
    after: `RoleArn: ${role('three')}, TracingConfiguration: {Enabled: true}, LoggingConfiguration: {Level: !Ref Other}`,
    shown: {
      before: {
        roleArn: role('one'),
        loggingConfiguration: { level: 'ERROR' },
        tracingConfiguration: { enabled: false },
      },
      after: {
        roleArn: role('three'),
        loggingConfiguration: { level: 'FATAL' },
        tracingConfiguration: { enabled: true },
      },
    },
  }),
];

const ROWS = FLOW_ROWS;
/** The last row is in the nested stack, the others in the root. */
const isNested = ({ id }: Row): boolean => id === 'Flow';

const HEAD = `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters: {Level: {Type: String, Default: ERROR}, Other: {Type: String, Default: FATAL}}
Conditions: {IsOther: !Equals [!Ref Other, FATAL]}
Resources:
`;
const resources = (rows: readonly Row[], state: State): string =>
  rows
    .map(({ id, type, fixed, ...row }) => {
      const properties = [fixed, row[state]].filter((text) => text !== '').join(', ');
      return `  ${id}: {Type: ${type}, Properties: {${properties}}}\n`;
    })
    .join('');
const child = (state: State): string => `${HEAD}${resources(ROWS.filter(isNested), state)}Outputs:
${ROWS.filter(isNested)
  .map(({ id }) => `  ${id}: {Value: !Ref ${id}}\n`)
  .join('')}`;
const root = (state: State): string => `${HEAD}${resources(
  ROWS.filter((row) => !isNested(row)),
  state,
)}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Level: !Ref Level}}}
Outputs:
${ROWS.map((row) => `  ${row.id}: {Value: ${isNested(row) ? `!GetAtt Child.Outputs.${row.id}` : `!Ref ${row.id}`}}\n`).join('')}`;

async function all(app: WatchedApp, state: State): Promise<void> {
  for (const { id, read, shown } of ROWS) {
    const has = async (): Promise<void> => expect(await read(app, id), id).toMatchObject(shown[state]);
    await poll(
      () =>
        has().then(
          () => true as const,
          () => undefined,
        ),
      15_000,
    ).catch(has);
  }
}

describe('settings of state machines', () => {
  it('take effect before they are deployed, root and nested, are deployed, and taken back', async () => {
    const app = await apps.create({ 'template.yaml': root('before'), 'child.yaml': child('before') });
    const watch = await app.ready();
    await all(app, 'before');
    for (const state of ['after', 'before'] as const) {
      app.proxy.clear();
      const held = app.proxy.hold({ operation: 'UpdateStack' });
      const from = watch.lines.length;
      await watch.atOnce(async () => {
        await watch.write('template.yaml', root(state));
        await watch.write('child.yaml', child(state));
      });
      await all(app, state);
      await held.arrived;
      const sent = app.proxy.count('UpdateStateMachine');
      expect(sent).toBe(FLOW_ROWS.length);
      held.release();
      await watch.seen(isStack('in-sync'), from);
      await all(app, state);
      await isDeployedAsWritten(app, root(state));
      // CloudFormation has set the same: there is nothing to set again
      expect(app.proxy.count('UpdateStateMachine')).toBe(sent);
      expect(app.proxy.count('UpdateStack')).toBe(1);
    }
  }, 180_000);
});
