import { arn, ID, NAME } from './attribute-patterns.ts';
import { TAG } from './direct-settings.ts';
import type { DirectProperty, Setting, Shape } from './direct-settings.ts';
import type { ResourceKind } from './resource-kind.ts';

/*
 * Types whose properties Cloud Control sets. A property is in the table if its type's schema in the CloudFormation registry says
 * that an update neither replaces the resource nor is blind (createOnly, readOnly and writeOnly properties are not here), and if
 * the deployment afterwards succeeds although the resource has the value already: its service accepts the same value again. So
 * there is no throughput, billing mode, stream or time to live of DynamoDB tables: UpdateTable and UpdateTimeToLive refuse what the
 * table has. Tags go through the Tagging API (`taggedArn`),
 * because Cloud Control replaces all of them.
 */

const text = (name: string, absent?: Setting): DirectProperty => scalar(name, 'text', absent);
const number = (name: string, absent?: Setting): DirectProperty => scalar(name, 'number', absent);
const boolean = (name: string, absent?: Setting): DirectProperty => scalar(name, 'boolean', absent);
const json = (name: string): DirectProperty => scalar(name, 'json');

/** A property of one value. `absent`: what a deployment sets without it; `null`: nothing. */
function scalar(member: string, shape: Shape, absent?: Setting): DirectProperty {
  return { member, shape, ...(absent === undefined ? {} : { absent }) };
}

/** A property of several values, which an update replaces. */
function whole(member: string, shape: Shape, absent?: Setting): DirectProperty {
  return { ...scalar(member, shape, absent), isWhole: true };
}

const ARNS: Shape = { list: 'text' };
const DEAD_LETTERS: Shape = { members: { Arn: 'text' } };

/** What rules and schedules send their events to. */
const TARGET = {
  Arn: 'text',
  DeadLetterConfig: DEAD_LETTERS,
  Input: 'text',
  RoleArn: 'text',
  SqsParameters: { members: { MessageGroupId: 'text' } },
} as const;
const TRANSFORMER: Shape = { members: { InputPathsMap: { map: 'text' }, InputTemplate: 'text' } };
const RETRY: Shape = { members: { MaximumEventAgeInSeconds: 'number', MaximumRetryAttempts: 'number' } };
const SCHEDULE_RETRY = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 } as const;

const RULE = {
  Description: text('Description', null),
  EventPattern: json('EventPattern'),
  RoleArn: text('RoleArn', null),
  ScheduleExpression: text('ScheduleExpression'),
  State: text('State', 'ENABLED'),
  Targets: {
    ...whole('Targets', {
      isUnordered: true,
      list: {
        members: {
          ...TARGET,
          Id: 'text',
          InputPath: 'text',
          InputTransformer: TRANSFORMER,
          KinesisParameters: { members: { PartitionKeyPath: 'text' } },
          RetryPolicy: RETRY,
        },
      },
    }),
    itemKey: 'Id',
  },
  // of the one target that SAM generates
  'Targets.0.Input': text('Targets.0.Input', null),
  'Targets.0.InputPath': text('Targets.0.InputPath', null),
  'Targets.0.InputTransformer': whole('Targets.0.InputTransformer', TRANSFORMER, null),
  'Targets.0.RetryPolicy': whole('Targets.0.RetryPolicy', RETRY, null),
} as const;

const SCHEDULE = {
  Description: text('Description', null),
  EndDate: text('EndDate', null),
  FlexibleTimeWindow: whole('FlexibleTimeWindow', { members: { MaximumWindowInMinutes: 'number', Mode: 'text' } }),
  KmsKeyArn: text('KmsKeyArn', null),
  ScheduleExpression: text('ScheduleExpression'),
  ScheduleExpressionTimezone: text('ScheduleExpressionTimezone', 'UTC'),
  StartDate: text('StartDate', null),
  State: text('State', 'ENABLED'),
  Target: whole('Target', {
    members: {
      ...TARGET,
      EventBridgeParameters: { members: { DetailType: 'text', Source: 'text' } },
      KinesisParameters: { members: { PartitionKey: 'text' } },
      RetryPolicy: { shape: RETRY, absent: SCHEDULE_RETRY },
    },
  }),
  'Target.Input': text('Target.Input', null),
  'Target.RetryPolicy': whole('Target.RetryPolicy', RETRY, SCHEDULE_RETRY),
} as const;

const QUEUE = {
  ContentBasedDeduplication: boolean('ContentBasedDeduplication'),
  DeduplicationScope: text('DeduplicationScope'),
  DelaySeconds: number('DelaySeconds', 0),
  FifoThroughputLimit: text('FifoThroughputLimit'),
  KmsDataKeyReusePeriodSeconds: number('KmsDataKeyReusePeriodSeconds'),
  KmsMasterKeyId: text('KmsMasterKeyId'),
  MaximumMessageSize: number('MaximumMessageSize'),
  MessageRetentionPeriod: number('MessageRetentionPeriod', 345_600),
  ReceiveMessageWaitTimeSeconds: number('ReceiveMessageWaitTimeSeconds', 0),
  RedriveAllowPolicy: whole('RedriveAllowPolicy', {
    members: { redrivePermission: 'text', sourceQueueArns: { list: 'text' } },
  }),
  RedrivePolicy: whole('RedrivePolicy', { members: { deadLetterTargetArn: 'text', maxReceiveCount: 'number' } }),
  VisibilityTimeout: number('VisibilityTimeout', 30),
} as const;

const TOPIC = {
  ContentBasedDeduplication: boolean('ContentBasedDeduplication'),
  DisplayName: text('DisplayName'),
  KmsMasterKeyId: text('KmsMasterKeyId'),
  SignatureVersion: text('SignatureVersion'),
  TracingConfig: text('TracingConfig', 'PassThrough'),
} as const;

/** PutMetricAlarm replaces the whole alarm. */
const ALARM = {
  ActionsEnabled: boolean('ActionsEnabled', true),
  AlarmActions: whole('AlarmActions', ARNS, []),
  AlarmDescription: text('AlarmDescription', null),
  ComparisonOperator: text('ComparisonOperator'),
  DatapointsToAlarm: number('DatapointsToAlarm', null),
  Dimensions: whole('Dimensions', { isUnordered: true, list: { members: { Name: 'text', Value: 'text' } } }, []),
  EvaluateLowSampleCountPercentile: text('EvaluateLowSampleCountPercentile', null),
  EvaluationPeriods: number('EvaluationPeriods'),
  ExtendedStatistic: text('ExtendedStatistic', null),
  InsufficientDataActions: whole('InsufficientDataActions', ARNS, []),
  MetricName: text('MetricName'),
  Namespace: text('Namespace'),
  OKActions: whole('OKActions', ARNS, []),
  Period: number('Period'),
  Statistic: text('Statistic', null),
  Threshold: scalar('Threshold', 'decimal'),
  TreatMissingData: text('TreatMissingData', 'missing'),
  Unit: text('Unit', null),
} as const;

const TABLE = {
  DeletionProtectionEnabled: boolean('DeletionProtectionEnabled', false),
  PointInTimeRecoverySpecification: whole('PointInTimeRecoverySpecification', {
    members: { PointInTimeRecoveryEnabled: 'boolean', RecoveryPeriodInDays: 'number' },
  }),
} as const;

/** EventBridge, queues, topics, parameters, alarms, dashboards and tables. */
export const CLOUD_CONTROL = {
  'AWS::CloudWatch::Alarm': {
    direct: ALARM,
    directTag: TAG,
    taggedArn: arn('cloudwatch', 'alarm:{id}'),
    cloudControl: { identifier: ID },
  },
  'AWS::CloudWatch::Dashboard': {
    direct: { DashboardBody: scalar('DashboardBody', 'json-text') },
    cloudControl: { identifier: ID },
  },
  'AWS::DynamoDB::Table': {
    direct: TABLE,
    directTag: TAG,
    taggedArn: arn('dynamodb', 'table/{id}'),
    cloudControl: { identifier: ID },
    attributes: { Arn: arn('dynamodb', 'table/{id}') },
  },
  // on a bus of its own, the physical ID is `bus|rule`
  'AWS::Events::Rule': {
    direct: RULE,
    directTag: TAG,
    taggedArn: arn('events', 'rule/{id}'),
    cloudControl: { identifier: arn('events', 'rule/{id}') },
  },
  // Cloud Control finds schedules of the default group only
  'AWS::Scheduler::Schedule': { direct: SCHEDULE, deployedWith: ['GroupName'], cloudControl: { identifier: ID } },
  'AWS::SNS::Topic': {
    direct: TOPIC,
    directTag: TAG,
    taggedArn: ID,
    cloudControl: { identifier: ID },
    attributes: { TopicArn: ID, TopicName: NAME },
  },
  'AWS::SQS::Queue': {
    direct: QUEUE,
    directTag: TAG,
    taggedArn: arn('sqs', '{name}'),
    cloudControl: { identifier: ID },
    attributes: { Arn: arn('sqs', '{name}'), QueueName: NAME, QueueUrl: ID },
  },
  'AWS::SSM::Parameter': {
    direct: { Value: text('Value') },
    directTag: TAG,
    tagMap: true,
    taggedArn: arn('ssm', 'parameter/{id}'),
    cloudControl: { identifier: ID, unreadable: ['AllowedPattern', 'Description', 'Policies', 'Tier'] },
  },
} as const satisfies Readonly<Record<string, ResourceKind>>;
