import type { TemplateMap } from '../template/template.ts';
import type { DeployedResource } from './sync-state.ts';

/** Where a stack is, from its ARN. */
export interface StackPlace {
  partition: string;
  region: string;
  account: string;
}

/** `arn:aws:cloudformation:eu-central-1:123456789012:stack/name/uuid` in parts. */
export function placeOf(stackId: string): StackPlace {
  const [, partition = 'aws', , region = '', account = ''] = stackId.split(':');
  return { partition, region, account };
}

/** A resource of which an attribute is wanted. */
export interface AttributedResource {
  deployed: DeployedResource;
  place: StackPlace;
  /** As in the template, as far as it is resolved. */
  properties: TemplateMap;
}

/**
 * An attribute (`Fn::GetAtt`) that follows from the physical id: names, URLs and ARNs, by the rules of each service's
 * ARN reference. undefined for everything else: only CloudFormation knows it.
 */
export function attributeOf(resource: AttributedResource, attribute: string): string | undefined {
  const rules = Object.hasOwn(ATTRIBUTES, resource.deployed.type) ? ATTRIBUTES[resource.deployed.type] : undefined;
  const rule = rules !== undefined && Object.hasOwn(rules, attribute) ? rules[attribute] : undefined;
  return rule?.(resource);
}

type Rule = (resource: AttributedResource) => string | undefined;

const id: Rule = ({ deployed }) => deployed.physicalId;

/** `arn:partition:service:region:account:` and what follows; `…` stands for the physical id. */
function arn(service: string, rest = '…'): Rule {
  return ({ deployed, place }) =>
    deployed.physicalId.startsWith('arn:')
      ? deployed.physicalId
      : `arn:${place.partition}:${service}:${place.region}:${place.account}:${rest.replace('…', deployed.physicalId)}`;
}

/** What stands behind the last of these characters in the physical id. */
function after(separator: string): Rule {
  return ({ deployed }) => deployed.physicalId.slice(deployed.physicalId.lastIndexOf(separator) + 1);
}

const queueArn: Rule = (resource) => {
  const { partition, region, account } = resource.place;
  return `arn:${partition}:sqs:${region}:${account}:${after('/')(resource)}`;
};

const roleArn: Rule = ({ deployed, place, properties }) => {
  const path = properties['Path'] ?? '/';
  return typeof path === 'string'
    ? `arn:${place.partition}:iam::${place.account}:role${path}${deployed.physicalId}`
    : undefined;
};

const suffixOf = ({ partition }: StackPlace): string => (partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com');

const ATTRIBUTES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'AWS::Lambda::Function': { Arn: arn('lambda', 'function:…') },
  'AWS::Lambda::Alias': { AliasArn: id },
  'AWS::Lambda::Version': { FunctionArn: id, Version: after(':') },
  'AWS::Lambda::LayerVersion': { LayerVersionArn: id },
  'AWS::StepFunctions::StateMachine': { Arn: id, Name: after(':') },
  'AWS::StepFunctions::StateMachineAlias': { Arn: id },
  'AWS::StepFunctions::StateMachineVersion': { Arn: id },
  'AWS::StepFunctions::Activity': { Arn: id, Name: after(':') },
  'AWS::ApiGateway::RestApi': { RestApiId: id },
  'AWS::ApiGateway::Authorizer': { AuthorizerId: id },
  'AWS::ApiGatewayV2::Api': {
    ApiId: id,
    ApiEndpoint: ({ deployed, place }) =>
      `https://${deployed.physicalId}.execute-api.${place.region}.${suffixOf(place)}`,
  },
  'AWS::DynamoDB::Table': { Arn: arn('dynamodb', 'table/…') },
  'AWS::DynamoDB::GlobalTable': { Arn: arn('dynamodb', 'table/…') },
  'AWS::SQS::Queue': { Arn: queueArn, QueueName: after('/'), QueueUrl: id },
  'AWS::SNS::Topic': { TopicArn: id, TopicName: after(':') },
  'AWS::S3::Bucket': {
    Arn: ({ deployed, place }) => `arn:${place.partition}:s3:::${deployed.physicalId}`,
    DomainName: ({ deployed, place }) => `${deployed.physicalId}.s3.${suffixOf(place)}`,
    RegionalDomainName: ({ deployed, place }) => `${deployed.physicalId}.s3.${place.region}.${suffixOf(place)}`,
  },
  'AWS::IAM::Role': { Arn: roleArn },
  'AWS::Events::EventBus': { Arn: arn('events', 'event-bus/…'), Name: id },
  'AWS::Kinesis::Stream': { Arn: arn('kinesis', 'stream/…') },
  'AWS::KinesisFirehose::DeliveryStream': { Arn: arn('firehose', 'deliverystream/…') },
  'AWS::Logs::LogGroup': { Arn: arn('logs', 'log-group:…:*') },
  'AWS::KMS::Key': { Arn: arn('kms', 'key/…'), KeyId: id },
  'AWS::SecretsManager::Secret': { Id: id },
  'AWS::Cognito::UserPool': {
    Arn: arn('cognito-idp', 'userpool/…'),
    UserPoolId: id,
    ProviderName: ({ deployed, place }) => `cognito-idp.${place.region}.${suffixOf(place)}/${deployed.physicalId}`,
    ProviderURL: ({ deployed, place }) =>
      `https://cognito-idp.${place.region}.${suffixOf(place)}/${deployed.physicalId}`,
  },
  'AWS::Cognito::UserPoolClient': { ClientId: id },
  'AWS::ECS::Cluster': { Arn: arn('ecs', 'cluster/…') },
  'AWS::ECS::TaskDefinition': { TaskDefinitionArn: id },
  'AWS::Batch::JobQueue': { JobQueueArn: id },
  'AWS::AppSync::GraphQLApi': { Arn: id, ApiId: after('/') },
};
