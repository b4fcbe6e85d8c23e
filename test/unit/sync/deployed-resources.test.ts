import { describe, expect, it } from 'vitest';
import { findCompanion, findDeployed } from '../../../src/sync/code/generated-ids.ts';
import { attributeOf, placeOf } from '../../../src/sync/code/resource-attributes.ts';
import type { DeployedResource, StackListing } from '../../../src/sync/code/sync-state.ts';

const resource = (type: string, physicalId: string, updatedAt = 1): DeployedResource => ({
  type,
  physicalId,
  updatedAt,
});

describe('generated ids', () => {
  const listing: StackListing = {
    Fn: resource('AWS::Lambda::Function', 'fn'),
    FnAliaslive: resource('AWS::Lambda::Alias', 'fn:live'),
    FnVersion0123456789: resource('AWS::Lambda::Version', 'fn:1', 1),
    FnVersionabcdef0123: resource('AWS::Lambda::Version', 'fn:2', 2),
    Layer0123456789: resource('AWS::Lambda::LayerVersion', 'layer:1', 1),
    Layerabcdef0123: resource('AWS::Lambda::LayerVersion', 'layer:2', 2),
    LayerTwo0123456789: resource('AWS::Lambda::LayerVersion', 'two:1'),
    Raw: resource('AWS::Lambda::LayerVersion', 'raw:1'),
    MachineAliasprod: resource('AWS::StepFunctions::StateMachineAlias', 'machine:prod'),
    ApidevStage: resource('AWS::ApiGateway::Stage', 'dev'),
  };

  it.each([
    ['itself', 'Fn', 'fn'],
    ['the newest version of a SAM layer', 'Layer', 'layer:2'],
    ['no layer whose name only begins like it', 'LayerTwo', 'two:1'],
    ['an ordinary layer', 'Raw', 'raw:1'],
    ['nothing', 'Lay', undefined],
  ])('%s', (_, id, expected) => expect(findDeployed(listing, id)?.physicalId).toBe(expected));

  it.each([
    ['Fn', 'Alias', 'fn:live'],
    ['Fn', 'Version', 'fn:2'],
    ['Machine', 'Alias', 'machine:prod'],
    ['Api', 'Stage', 'dev'],
    ['Fn', 'constructor', undefined],
    ['Machine', 'Version', undefined],
  ])('%s.%s', (id, name, expected) => expect(findCompanion(listing, id, name)?.physicalId).toBe(expected));
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
