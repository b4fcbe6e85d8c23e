import {
  GetDeploymentsCommand,
  GetStagesCommand,
  PutRestApiCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ReimportApiCommand } from '@aws-sdk/client-apigatewayv2';
import { DescribeStateMachineAliasCommand, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callHttpApi, callRestApi, clients, runStateMachine, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';

const HEAD = 'Transform: AWS::Serverless-2016-10-31';
const MAY =
  'Type: AWS::Lambda::Permission, Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Fn, Principal: apigateway.amazonaws.com}';
const include = (file: string) => `{Fn::Transform: {Name: AWS::Include, Parameters: {Location: ${file}}}}`;

const TEMPLATE = `
${HEAD}
Parameters:
  Stage: {Type: String, Default: other}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: fn, Runtime: python3.11, Handler: app.handler, Timeout: 20}
  FnMay: {${MAY}}
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: !Ref Stage, Name: named, DefinitionBody: ${include('rest.yaml')}}}
  Http: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionBody: ${include('http.yaml')}}}
  Secured:
    Type: AWS::Serverless::Api
    Properties: {StageName: x, Models: {A: {type: object}}, DefinitionBody: {openapi: 3.0.1, info: {title: t, version: '1'}, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock}}}}}}
  Generated: {Type: AWS::Serverless::Api, Properties: {StageName: x}}
  GeneratedFn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: fn
      Runtime: python3.11
      Handler: app.handler
      Events: {Get: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref Generated}}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.asl.yaml
      DefinitionSubstitutions: {Fn: !GetAtt Fn.Arn, Word: !Sub "\${AWS::StackName}-\${Stage}", Stream: !GetAtt Table.StreamArn}
      AutoPublishAlias: live
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Fn}}]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {FnArn: !GetAtt Fn.Arn}}}
Outputs:
  Rest: {Value: !Ref Rest}
  Http: {Value: !Ref Http}
  Machine: {Value: !Ref Machine}
  RawRest: {Value: !GetAtt Child.Outputs.RawRest}
  RawHttp: {Value: !GetAtt Child.Outputs.RawHttp}
  Express: {Value: !GetAtt Child.Outputs.Express}
`;
/** Raw resources, in a nested stack, with definitions that go as they are. */
const CHILD = `
${HEAD}
Parameters: {FnArn: {Type: String}}
Resources:
  RawRest: {Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: raw-rest.json}}
  RawDeployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref RawRest}}
  RawStage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref RawRest, DeploymentId: !Ref RawDeployment, StageName: prod}}
  RawHttp: {Type: AWS::ApiGatewayV2::Api, Properties: {BodyS3Location: raw-http.json}}
  HttpDeployment: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: RawHttp, Properties: {ApiId: !Ref RawHttp}}
  HttpStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref RawHttp, StageName: prod, DeploymentId: !Ref HttpDeployment}}
  Express:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineType: EXPRESS
      RoleArn: arn:aws:iam::000000000000:role/x
      DefinitionSubstitutions: {Fn: !Ref FnArn}
      DefinitionS3Location: express.asl.json
Outputs:
  RawRest: {Value: !Ref RawRest}
  RawHttp: {Value: !Ref RawHttp}
  Express: {Value: !Ref Express}
`;

const INTEGRATION =
  '{type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0", uri: {Fn::Sub: "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations"}}';
const included = (at: string) =>
  `openapi: 3.0.1\ninfo: {title: api, version: '1.0'}\npaths: {${at}: {get: {responses: {'200': {description: ok}}, x-amazon-apigateway-integration: ${INTEGRATION}}}}\n`;
const mock = (at: string) =>
  JSON.stringify({
    openapi: '3.0.1',
    info: { title: 'raw', version: '1' },
    paths: {
      [at]: {
        get: {
          responses: { 200: { description: 'ok' } },
          'x-amazon-apigateway-integration': {
            type: 'mock',
            requestTemplates: { 'application/json': '{"statusCode": 200}' },
            responses: { default: { statusCode: '200' } },
          },
        },
      },
    },
  });
const proxied = (at: string) =>
  JSON.stringify({
    openapi: '3.0.1',
    info: { title: 'raw', version: '1' },
    paths: {
      [at]: {
        get: {
          'x-amazon-apigateway-integration': {
            type: 'http_proxy',
            httpMethod: 'GET',
            uri: `${cloud.endpoint}/_ministack/health`,
            payloadFormatVersion: '1.0',
          },
        },
      },
    },
  });
const machine = (word: string) => `
StartAt: Say
States:
  Say: {Type: Pass, Result: {said: "\${Word} ${word}", stream: "\${Stream}"}, Next: Call}
  Call: {Type: Task, Resource: "\${Fn}", ResultPath: $.called, End: true}
`;
const express = (word: string) =>
  JSON.stringify({
    StartAt: 'A',
    States: {
      A: { Type: 'Pass', Result: word, Next: 'B' },
      B: { Type: 'Task', Resource: '${Fn}', ResultPath: null, End: true },
    },
  });

let cloud: TestCloud;
let proxy: FaultProxy;
let aws: ReturnType<typeof clients>;
let app: CodeApp;
let ids: Record<string, string>;
let first: Awaited<ReturnType<CodeApp['plain']>>;

const definitions = ['Rest', 'Http', 'Machine', 'Child/RawRest', 'Child/RawHttp', 'Child/Express'];
const write = (version: string) =>
  app.write({
    'rest.yaml': included(`/${version}`),
    'http.yaml': included(`/${version}`),
    'machine.asl.yaml': machine(version),
    'raw-rest.json': mock(`/${version}`),
    'raw-http.json': proxied(`/${version}`),
    'express.asl.json': express(version),
  });
const sent = () =>
  proxy.calls
    .map(({ operation, method }) => `${operation} ${method}`)
    .filter((call) => /^(Put|Create|Update|Delete|Reimport|Flush|Publish)|PATCH|PUT$/.test(call));
const statusOf = async (api: string, version: string) => {
  const at = { id: ids[api] ?? '', path: `/${version}` };
  if (api === 'Rest') return (await callRestApi(cloud.endpoint, { ...at, stage: 'dev' })).status;
  if (api === 'RawRest') return (await callRestApi(cloud.endpoint, { ...at, stage: 'prod' })).status;
  return (await callHttpApi(cloud.endpoint, api === 'RawHttp' ? { ...at, stage: 'prod' } : at)).status;
};
const APIS = ['Rest', 'Http', 'RawRest', 'RawHttp'];
/** Which APIs answer at the version's path. */
const answering = async (version: string) => {
  const statuses = await Promise.all(APIS.map((api) => statusOf(api, version)));
  return APIS.filter((_, index) => statuses[index] === 200);
};
const all = (outcome: string) => Object.fromEntries(definitions.map((id) => [id, outcome]));
/** The version that the alias leads to. */
const alias = async () => {
  const stateMachineAliasArn = `${ids['Machine']}:live`;
  const { routingConfiguration } = await aws.sfn.send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn }));
  return routingConfiguration![0]!.stateMachineVersionArn!;
};
const lastUpdate = async () =>
  (await aws.cloudformation.send(new DescribeStacksCommand({ StackName: 'definitions' }))).Stacks![0]!.LastUpdatedTime;

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  aws = clients(cloud.endpoint);
});
beforeEach(async () => {
  app = await createCodeApp(
    { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint },
    {
      'template.yaml': TEMPLATE,
      'child.yaml': CHILD,
      'fn/app.py': 'def handler(event, context):\n    return {"statusCode": 200, "body": "ok"}\n',
    },
    { stackName: 'definitions' },
  );
  await write('v1');
  first = await app.plain({ parameterOverrides: { Stage: 'dev' } });
  ids = first.document['outputs'] as Record<string, string>;
});
afterEach(async () => {
  proxy.clear();
  await app.remove();
  await cloud.reset();
});
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

describe('definitions', () => {
  it('that were deployed are left alone, by a plain sync too', async () => {
    expect(await answering('v1')).toEqual(APIS);
    // CloudFormation alone does not tell what its own deployments of raw APIs were made of
    const unclear = { 'Child/RawRest': 'synced', 'Child/RawHttp': 'synced' };
    expect(first.outcomes).toMatchObject({ ...all('unchanged'), ...unclear });
    proxy.clear();
    expect((await app.code(definitions)).outcomes).toEqual(all('unchanged'));
    expect(sent()).toEqual([]);
    const { way, outcomes } = await app.plain();
    expect({ way, outcomes }).toMatchObject({ way: 'code', outcomes: all('unchanged') });
    expect(sent()).toEqual([]);
  });

  it('defect 21: arrive all at once as a deployment would bring them, and once', async () => {
    const before = await lastUpdate();
    await write('v2');
    expect((await app.code(definitions)).outcomes).toEqual(all('synced'));
    expect([await answering('v1'), await answering('v2')]).toEqual([[], APIS]);
    const said = (await runStateMachine(cloud.endpoint, ids['Machine']!)) as Record<string, unknown>;
    expect(said).toMatchObject({ said: 'definitions-dev v2', called: { statusCode: 200 } });
    expect(said['stream']).toMatch(/^arn:aws:dynamodb:.*\/stream\//);
    expect(await lastUpdate()).toEqual(before);
    proxy.clear();
    expect((await app.code(definitions)).outcomes).toEqual(all('unchanged'));
    expect(sent()).toEqual([]);
  });

  it('are known again from the cloud alone', async () => {
    await write('v2');
    await app.code(definitions);
    await fs.rm(path.join(app.dir, '.aws-sam/sam-sync/stacks'), { recursive: true });
    proxy.clear();
    expect((await app.code(definitions)).outcomes).toEqual(all('unchanged'));
    expect(sent()).toEqual([]);
  });

  it('go back to the first version, and only our own deployments are removed', async () => {
    await write('v2');
    await app.code(definitions);
    await write('v1');
    expect((await app.code(definitions)).outcomes).toEqual(all('synced'));
    expect(await answering('v1')).toEqual(APIS);
    const { items } = await aws.apigateway.send(new GetDeploymentsCommand({ restApiId: ids['Rest'] }));
    const ours = items?.filter(({ description }) => description?.startsWith('sam-sync'));
    expect(ours).toHaveLength(1);
    expect(items?.some(({ description }) => description?.startsWith('RestApi deployment id'))).toBe(true);
    await write('v2');
    await app.write({
      'template.yaml': TEMPLATE.replace('{CodeUri: fn, Runtime', '{CodeUri: fn, MemorySize: 256, Runtime'),
    });
    await app.code(definitions);
    await write('v1');
    // CloudFormation has v1 already and brings only the memory
    const { way, outcomes } = await app.plain();
    expect(way).toBe('deploy');
    expect(outcomes).toMatchObject(all('synced'));
    expect(await answering('v1')).toEqual(APIS);
  });

  it('are repaired after a change by hand', async () => {
    // a deployment of our own beside that of CloudFormation
    await write('v2');
    await app.code(definitions);
    await write('v1');
    await app.code(definitions);
    const { apigateway, apigatewayv2, sfn } = aws;
    const restApiId = ids['Rest']!;
    await apigateway.send(new PutRestApiCommand({ restApiId, mode: 'overwrite', body: Buffer.from(mock('/hand')) }));
    const { item } = await apigateway.send(new GetStagesCommand({ restApiId }));
    const { items } = await apigateway.send(new GetDeploymentsCommand({ restApiId }));
    const other = items?.find(({ id }) => item?.every(({ deploymentId }) => deploymentId !== id))?.id;
    const patchOperations = [{ op: 'replace' as const, path: '/deploymentId', value: other }];
    await apigateway.send(new UpdateStageCommand({ restApiId, stageName: 'dev', patchOperations }));
    await apigatewayv2.send(new ReimportApiCommand({ ApiId: ids['Http'], Body: proxied('/hand') }));
    await sfn.send(
      new UpdateStateMachineCommand({
        stateMachineArn: ids['Express'],
        definition: express('hand').replace('${Fn}', 'arn:aws:lambda:us-east-1:000000000000:function:x'),
      }),
    );
    const { outcomes } = await app.code(definitions);
    expect(outcomes).toEqual({
      ...all('unchanged'),
      Http: 'synced',
      'Child/Express': 'synced',
      Rest: expect.any(String),
    });
    expect(await answering('v1')).toEqual(APIS);
  });

  it('publish a version for the alias of a state machine', async () => {
    const before = await alias();
    await app.write({ 'machine.asl.yaml': machine('v3') });
    expect((await app.code(['Machine'])).results).toMatchObject([{ detail: 'definition, version for live' }]);
    expect(await alias()).not.toBe(before);
    const version = (await runStateMachine(cloud.endpoint, await alias())) as Record<string, unknown>;
    expect(version['said']).toBe('definitions-dev v3');
  });

  it('that only a deployment can bring are told', async () => {
    const named = await app.code(['Secured', 'Generated']);
    expect(named).toMatchObject({ exitCode: 1, outcomes: { Secured: 'failed', Generated: 'skipped' } });
    expect(named.notes.join('\n')).toMatch(/Secured: Models makes SAM change its definition\. Sync without --code/);
    expect(named.notes.join('\n')).toMatch(/Generated is skipped: it has no definition of its own/);
    const unnamed = await app.code([], { resourceTypes: ['AWS::Serverless::Api'] });
    expect(unnamed).toMatchObject({ exitCode: 0, outcomes: { Secured: 'skipped', Generated: 'skipped' } });
    expect(unnamed.notes.join('\n')).toMatch(/Secured is skipped/);
  });

  it('that need what only CloudFormation knows are told', async () => {
    await app.write({
      'machine.asl.yaml': machine('v3').replace('Next: Call', 'Comment: "${Other}", Next: Call'),
      'template.yaml': TEMPLATE.replace(
        'DefinitionSubstitutions: {',
        'DefinitionSubstitutions: {Other: !ImportValue other, ',
      ),
    });
    const { exitCode, notes } = await app.code(['Machine']);
    expect(exitCode).toBe(1);
    expect(notes.join('\n')).toMatch(/Machine: only CloudFormation knows the value of !ImportValue other/);
  });
});
