import { arn, ID } from './attribute-patterns.ts';
import { filePath, S3_BUCKET_S3_KEY, S3_URI, zipPath } from './resource-kind.ts';
import type { ResourceKind } from './resource-kind.ts';

/** Types of which one thing is known: a local path, or attributes. */
export const OTHERS = {
  'AWS::ElasticBeanstalk::ApplicationVersion': { paths: [zipPath('SourceBundle', S3_BUCKET_S3_KEY)] },
  'AWS::Glue::Job': { paths: [filePath('Command.ScriptLocation', S3_URI)] },
  'AWS::Batch::JobQueue': { attributes: { JobQueueArn: ID } },
  'AWS::Cognito::UserPool': {
    attributes: {
      Arn: arn('cognito-idp', 'userpool/{id}'),
      UserPoolId: ID,
      ProviderName: 'cognito-idp.{region}.{suffix}/{id}',
      ProviderURL: 'https://cognito-idp.{region}.{suffix}/{id}',
    },
  },
  'AWS::Cognito::UserPoolClient': { attributes: { ClientId: ID } },
  'AWS::DynamoDB::GlobalTable': { attributes: { Arn: arn('dynamodb', 'table/{id}') } },
  'AWS::ECS::Cluster': { attributes: { Arn: arn('ecs', 'cluster/{id}') } },
  'AWS::ECS::TaskDefinition': { attributes: { TaskDefinitionArn: ID } },
  'AWS::Events::EventBus': { attributes: { Arn: arn('events', 'event-bus/{id}'), Name: ID } },
  'AWS::IAM::Role': { attributes: { Arn: 'arn:{partition}:iam::{account}:role{Path=/}{id}' } },
  'AWS::KMS::Key': { attributes: { Arn: arn('kms', 'key/{id}'), KeyId: ID } },
  'AWS::Kinesis::Stream': { attributes: { Arn: arn('kinesis', 'stream/{id}') } },
  'AWS::KinesisFirehose::DeliveryStream': { attributes: { Arn: arn('firehose', 'deliverystream/{id}') } },
  'AWS::Logs::LogGroup': { attributes: { Arn: arn('logs', 'log-group:{id}:*') } },
  'AWS::S3::Bucket': {
    attributes: {
      Arn: 'arn:{partition}:s3:::{id}',
      DomainName: '{id}.s3.{suffix}',
      RegionalDomainName: '{id}.s3.{region}.{suffix}',
    },
  },
  'AWS::SecretsManager::Secret': { attributes: { Id: ID } },
} as const satisfies Readonly<Record<string, ResourceKind>>;
