import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { edit } from '../support/app.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What SAM makes for a resource begins like what it makes for another one. */
const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: dev}}
Globals: {Function: {Runtime: python3.11, Handler: app.handler, CodeUri: fn}}
Resources:
  FnAlias: {Type: AWS::Serverless::Function, Properties: {AutoPublishAlias: other}}
  Fn: {Type: AWS::Serverless::Function, Properties: {AutoPublishAlias: live}}
  ApiAdmin: {Type: AWS::Serverless::Api, Properties: {StageName: admin, DefinitionUri: api.json}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: !Ref Stage, DefinitionUri: api.json}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: flow.asl.json
      DefinitionSubstitutions: {Stage: !Ref Api.Stage, Admin: !Ref ApiAdmin.Stage, Alias: !Ref Fn.Alias, Number: !GetAtt Fn.Version.Version}
Outputs:
  Flow: {Value: !Ref Flow}
  Values: {Value: !Sub '\${Api.Stage} \${ApiAdmin.Stage} \${Fn.Alias} \${Fn.Version.Version}'}
`;
const API = JSON.stringify({
  swagger: '2.0',
  info: { title: 'x', version: '1' },
  paths: { '/h': { get: { 'x-amazon-apigateway-integration': { type: 'mock' } } } },
});
const FLOW = JSON.stringify({
  Comment: 'one',
  StartAt: 'End',
  States: { End: { Type: 'Pass', Result: '${Stage} ${Admin} ${Alias} ${Number}', End: true } },
});

let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.stop());

it('a code sync fills in the same stages, aliases and versions as a deployment, however names begin', async () => {
  const files = { 'template.yaml': TEMPLATE, 'api.json': API, 'flow.asl.json': FLOW };
  const app = await tempFolder({ ...files, 'fn/app.py': 'def handler(event, context):\n    return 1\n' });
  const sync = async (...args: string[]) => {
    const result = await runCli(['--yes', '--output', 'json', '--stack-name', 'companions', ...args], {
      cwd: app,
      env: cloud.env,
    });
    return { ...result, document: JSON.parse(result.stdout) as { outputs: Record<string, string>; status: string } };
  };
  const { document } = await sync();
  expect(document.status).toBe('deployed');
  const { Flow, Values } = document.outputs;
  const definition = async () =>
    (await clients(cloud.endpoint).sfn.send(new DescribeStateMachineCommand({ stateMachineArn: Flow }))).definition;

  await edit(app, 'flow.asl.json', 'one', 'two');
  expect((await sync('--code', '--resource-id', 'Flow')).document).toMatchObject({ status: 'synced' });
  expect(JSON.parse((await definition()) ?? '')).toEqual({
    ...JSON.parse(FLOW),
    Comment: 'two',
    States: { End: { Type: 'Pass', Result: Values, End: true } },
  });
  expect(Values).toMatch(/^dev admin \S+:live \d+$/);
});
