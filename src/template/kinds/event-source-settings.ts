import type { DirectProperty, Shape } from './direct-settings.ts';

/** Creates a setting of an event source mapping. */
function setting(member: string, shape: Shape, absent?: DirectProperty['absent']): DirectProperty {
  return absent === undefined ? { member, shape } : { member, shape, absent };
}

/**
 * What UpdateEventSourceMapping takes, with documented defaults. A destination that goes waits for the deployment: Lambda has no value for
 * none.
 */
const COMMON = {
  Enabled: setting('Enabled', 'boolean', true),
  FilterCriteria: setting(
    'FilterCriteria',
    { members: { Filters: { shape: { list: { members: { Pattern: 'text' } } }, absent: [] } } },
    { Filters: [] },
  ),
  FunctionResponseTypes: setting('FunctionResponseTypes', { list: 'text' }, []),
  KmsKeyArn: setting('KMSKeyArn', 'text', ''),
  MetricsConfig: setting(
    'MetricsConfig',
    { members: { Metrics: { shape: { list: 'text' }, absent: [] } } },
    { Metrics: [] },
  ),
  ProvisionedPollerConfig: setting('ProvisionedPollerConfig', {
    members: { MaximumPollers: 'number', MinimumPollers: 'number' },
  }),
  ScalingConfig: {
    ...setting('ScalingConfig', { members: { MaximumConcurrency: 'number' } }, {}),
    isWhole: true,
  },
  SourceAccessConfigurations: setting('SourceAccessConfigurations', {
    list: { members: { Type: 'text', URI: 'text' } },
  }),
  DestinationConfig: setting('DestinationConfig', { members: { OnFailure: { members: { Destination: 'text' } } } }),
} as const satisfies Readonly<Record<string, DirectProperty>>;

const RETRIES = {
  BisectBatchOnFunctionError: setting('BisectBatchOnFunctionError', 'boolean', false),
  MaximumRecordAgeInSeconds: setting('MaximumRecordAgeInSeconds', 'number', -1),
  MaximumRetryAttempts: setting('MaximumRetryAttempts', 'number', -1),
} as const satisfies Readonly<Record<string, DirectProperty>>;

const STREAM = {
  ...COMMON,
  ...RETRIES,
  BatchSize: setting('BatchSize', 'number', 100),
  MaximumBatchingWindowInSeconds: setting('MaximumBatchingWindowInSeconds', 'number', 0),
  ParallelizationFactor: setting('ParallelizationFactor', 'number', 1),
  TumblingWindowInSeconds: setting('TumblingWindowInSeconds', 'number', 0),
};
const QUEUE = {
  ...COMMON,
  BatchSize: setting('BatchSize', 'number', 10),
  MaximumBatchingWindowInSeconds: setting('MaximumBatchingWindowInSeconds', 'number', 0),
};
/** Their batching window of half a second cannot be set again. */
const BROKER = {
  ...COMMON,
  ...RETRIES,
  BatchSize: setting('BatchSize', 'number', 100),
  MaximumBatchingWindowInSeconds: setting('MaximumBatchingWindowInSeconds', 'number'),
};

/** SAM makes a policy of the type. */
const DESTINATION = setting('DestinationConfig', {
  members: { OnFailure: { members: { Destination: 'text', Type: { ignored: ['SQS', 'SNS', 'S3', 'Kafka'] } } } },
});

type Settings = Readonly<Record<string, DirectProperty>>;

/** The settings of a function's events that SAM makes event source mappings of, by the event's type. */
export const EVENT_SOURCES: Readonly<Record<string, Settings>> = {
  DocumentDB: sentToLambda(BROKER),
  DynamoDB: sentToLambda(STREAM),
  Kinesis: sentToLambda(STREAM),
  MQ: sentToLambda(BROKER),
  MSK: sentToLambda(BROKER),
  SQS: sentToLambda(QUEUE),
  SelfManagedKafka: sentToLambda(BROKER),
};

function sentToLambda(settings: Settings): Settings {
  const request = 'UpdateEventSourceMapping';
  const all = { ...settings, DestinationConfig: DESTINATION };
  return Object.fromEntries(Object.entries(all).map(([name, property]) => [name, { ...property, request }]));
}

/**
 * The settings of `AWS::Lambda::EventSourceMapping`, which Cloud Control sets. The defaults of some depend on the source, which
 * may not be known.
 */
export const EVENT_SOURCE_MAPPING: Settings = Object.fromEntries(
  Object.entries({
    ...STREAM,
    BatchSize: setting('BatchSize', 'number'),
    MaximumBatchingWindowInSeconds: setting('MaximumBatchingWindowInSeconds', 'number'),
  }).map(([name, property]) => [name, { ...property, member: name }]),
);
