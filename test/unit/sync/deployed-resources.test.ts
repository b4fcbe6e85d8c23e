import { describe, expect, it } from 'vitest';
import { findCompanion, findDeployed } from '../../../src/cloud/generated-ids.ts';
import { attributeOf, placeOf } from '../../../src/cloud/resource-attributes.ts';
import type { DeployedResource, StackListing } from '../../../src/cloud/sync-state.ts';
import type { TemplateValue } from '../../../src/template/template.ts';
import { fakeStack } from '../../support/stack-builder.ts';

const resource = (type: string, physicalId: string, updatedAt = 1): DeployedResource => ({
  type,
  physicalId,
  updatedAt,
});

describe('generated ids', () => {
  const arn = (rest: string): string => `arn:aws:lambda:eu-west-1:123456789012:function:${rest}`;
  const machine = (rest: string): string => `arn:aws:states:eu-west-1:123456789012:stateMachine:${rest}`;
  const listing: StackListing = {
    Fn: resource('AWS::Lambda::Function', 'fn'),
    FnAliaslive: resource('AWS::Lambda::Alias', arn('fn:live')),
    FnVersion0123456789: resource('AWS::Lambda::Version', arn('fn:1'), 1),
    FnVersionabcdef0123: resource('AWS::Lambda::Version', arn('fn:2'), 2),
    FnAlias: resource('AWS::Lambda::Function', 'other-fn'),
    FnAliasAliaslive: resource('AWS::Lambda::Alias', arn('other-fn:live'), 9),
    FnVersion: resource('AWS::Lambda::Function', 'third'),
    FnVersionVersion0123456789: resource('AWS::Lambda::Version', arn('third:7'), 9),
    FnVersionMINE: resource('AWS::Lambda::Version', arn('fn:5'), 9),
    Layer0123456789: resource('AWS::Lambda::LayerVersion', 'layer:1', 1),
    Layerabcdef0123: resource('AWS::Lambda::LayerVersion', 'layer:2', 2),
    Layerabcdefabcd: resource('AWS::Lambda::LayerVersion', 'mine:1', 9),
    LayerTwo0123456789: resource('AWS::Lambda::LayerVersion', 'two:1'),
    Raw: resource('AWS::Lambda::LayerVersion', 'raw:1'),
    Machine: resource('AWS::StepFunctions::StateMachine', machine('m')),
    MachineAliasprod: resource('AWS::StepFunctions::StateMachineAlias', machine('m:prod')),
    MachineVersion: resource('AWS::StepFunctions::StateMachineVersion', machine('m:3')),
    MachineTwo: resource('AWS::StepFunctions::StateMachine', machine('m2')),
    MachineTwoAliasprod: resource('AWS::StepFunctions::StateMachineAlias', machine('m2:prod'), 9),
  };
  const types: Record<string, string> = {
    Fn: 'AWS::Serverless::Function',
    FnAlias: 'AWS::Serverless::Function',
    FnVersion: 'AWS::Serverless::Function',
    FnVersionMINE: 'AWS::Lambda::Version',
    Layer: 'AWS::Serverless::LayerVersion',
    Layerabcdefabcd: 'AWS::Lambda::LayerVersion',
    LayerTwo: 'AWS::Serverless::LayerVersion',
    Raw: 'AWS::Lambda::LayerVersion',
    Machine: 'AWS::Serverless::StateMachine',
    MachineTwo: 'AWS::Serverless::StateMachine',
  };
  const Resources = Object.fromEntries(Object.entries(types).map(([id, Type]) => [id, { Type }]));
  const stack = fakeStack({ source: { Resources } });

  it.each([
    ['itself', 'Fn', 'fn'],
    ['the newest version of a SAM layer', 'Layer', 'layer:2'],
    ['no layer whose name only begins like it', 'LayerTwo', 'two:1'],
    ['an ordinary layer', 'Raw', 'raw:1'],
    ['nothing', 'Lay', undefined],
    ['nothing of an own name', 'constructor', undefined],
  ])('%s', (_, logicalId, expected) => expect(findDeployed(listing, { stack, logicalId })?.physicalId).toBe(expected));

  it.each([
    ['Fn', 'Alias', arn('fn:live')],
    ['Fn', 'Version', arn('fn:2')],
    ['FnAlias', 'Alias', arn('other-fn:live')],
    ['FnAlias', 'Version', undefined],
    ['FnVersion', 'Version', arn('third:7')],
    ['Machine', 'Alias', machine('m:prod')],
    ['Machine', 'Version', machine('m:3')],
    ['MachineTwo', 'Alias', machine('m2:prod')],
    ['MachineTwo', 'Version', undefined],
    ['Fn', 'constructor', undefined],
  ])('%s.%s', (logicalId, name, expected) => {
    expect(findCompanion(listing, { stack, logicalId }, name)?.physicalId).toBe(expected);
  });
});

describe('stages and deployments of APIs', () => {
  // names as `python -c "import hashlib; print(hashlib.sha1(b'v1-beta').hexdigest()[:10])"` has them
  const HASHED = '2817521297';
  const stage = (name: string) => resource('AWS::ApiGateway::Stage', name);
  const http = (name: string) => resource('AWS::ApiGatewayV2::Stage', name);
  const api = (StageName: TemplateValue) => ({ Type: 'AWS::Serverless::Api', Properties: { StageName } });
  const Resources = {
    Api: api('dev'),
    ApiAdmin: api('prod'),
    ApiPlain: api({ Ref: 'P' }),
    ByParameter: api({ Ref: 'P' }),
    Hashed: api('v1-beta'),
    Http: { Type: 'AWS::Serverless::HttpApi' },
    HttpTwo: { Type: 'AWS::Serverless::HttpApi', Properties: { StageName: '$default' } },
    ApiMineStage: { Type: 'AWS::ApiGateway::Stage' },
  };
  const listing: StackListing = {
    ApiAdminprodStage: stage('prod'),
    ApidevStage: stage('dev'),
    ApiMineStage: stage('mine'),
    ByParameterStage: stage('dev'),
    [`HashedStage${HASHED}`]: stage('v1-beta'),
    HttpTwoApiGatewayDefaultStage: http('$default'),
    ServerlessRestApiProdStage: stage('Prod'),
    ApiDeployment0123456789: resource('AWS::ApiGateway::Deployment', 'old', 1),
    ApiDeploymentabcdef0123: resource('AWS::ApiGateway::Deployment', 'new', 2),
    ApiAdminDeploymentabcdef0123: resource('AWS::ApiGateway::Deployment', 'admin', 3),
    ApiPlainDeployment: resource('AWS::ApiGateway::Deployment', 'plain', 3),
  };
  const stack = fakeStack({ source: { Resources } });

  it.each([
    ['Api', 'dev', 'dev'],
    ['ApiAdmin', 'prod', 'prod'],
    ['ByParameter', 'dev', 'dev'],
    ['ByParameter', undefined, 'dev'],
    ['ByParameter', 'other', undefined],
    ['Hashed', 'v1-beta', 'v1-beta'],
    ['Http', undefined, undefined],
    ['HttpTwo', '$default', '$default'],
    ['ServerlessRestApi', undefined, 'Prod'],
  ])('%s, stage %s', (logicalId, stageName, expected) => {
    expect(findCompanion(listing, { stack, logicalId, stageName }, 'Stage')?.physicalId).toBe(expected);
  });

  it("are never another API's, though nothing of its own is there", () => {
    const { ApidevStage: _, ...others } = listing;
    expect(findCompanion(others, { stack, logicalId: 'Api', stageName: 'dev' }, 'Stage')).toBeUndefined();
  });

  it.each([
    ['Api', 'new'],
    ['ApiAdmin', 'admin'],
    ['ApiPlain', 'plain'],
    ['ByParameter', undefined],
  ])('%s, deployment', (logicalId, expected) => {
    expect(findCompanion(listing, { stack, logicalId }, 'Deployment')?.physicalId).toBe(expected);
  });
});

describe('attributes', () => {
  const place = placeOf('arn:aws-cn:cloudformation:cn-north-1:123456789012:stack/app/uuid');
  it.each([
    ['AWS::Lambda::Function', 'fn', 'Arn', 'arn:aws-cn:lambda:cn-north-1:123456789012:function:fn'],
    [
      'AWS::SQS::Queue',
      'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q',
      'Arn',
      'arn:aws-cn:sqs:cn-north-1:123456789012:q',
    ],
    ['AWS::SQS::Queue', 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q', 'QueueName', 'q'],
    ['AWS::S3::Bucket', 'b', 'Arn', 'arn:aws-cn:s3:::b'],
    ['AWS::DynamoDB::Table', 't', 'Arn', 'arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t'],
    ['AWS::IAM::Role', 'r', 'Arn', 'arn:aws-cn:iam::123456789012:role/r'],
    ['AWS::SNS::Topic', 'arn:aws-cn:sns:cn-north-1:123456789012:topic', 'TopicName', 'topic'],
    ['AWS::StepFunctions::StateMachine', 'arn:aws-cn:states:cn-north-1:123456789012:stateMachine:m', 'Name', 'm'],
    ['AWS::Events::EventBus', 'bus', 'Arn', 'arn:aws-cn:events:cn-north-1:123456789012:event-bus/bus'],
    ['AWS::ApiGatewayV2::Api', 'id', 'ApiEndpoint', 'https://id.execute-api.cn-north-1.amazonaws.com.cn'],
    ['AWS::DynamoDB::Table', 't', 'StreamArn', undefined],
    ['AWS::Unknown::Thing', 't', 'Arn', undefined],
    ['constructor', 't', 'Arn', undefined],
  ])('%s %s %s', (type, physicalId, attribute, expected) => {
    expect(attributeOf({ deployed: resource(type, physicalId), place, properties: {} }, attribute)).toBe(expected);
  });

  it('count the path of a role', () => {
    const role = { deployed: resource('AWS::IAM::Role', 'r'), place };
    expect(attributeOf({ ...role, properties: { Path: '/team/' } }, 'Arn')).toMatch(/:role\/team\/r$/);
    expect(attributeOf({ ...role, properties: { Path: { Ref: 'P' } } }, 'Arn')).toBeUndefined();
  });
});
