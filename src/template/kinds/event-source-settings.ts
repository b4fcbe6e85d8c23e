import type { DirectProperty, Shape } from './direct-settings.ts';

/** Creates a setting of UpdateEventSourceMapping. */
function setting(member: string, shape: Shape, absent?: DirectProperty['absent']): DirectProperty {
  const request = 'UpdateEventSourceMapping';
  return absent === undefined ? { member, shape, request } : { member, shape, request, absent };
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
  DestinationConfig: setting('DestinationConfig', {
    members: { OnFailure: { members: { Destination: 'text', Type: 'ignored' } } },
  }),
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

/** The settings of a function's events that SAM makes event source mappings of, by the event's type. */
export const EVENT_SOURCES: Readonly<Record<string, Readonly<Record<string, DirectProperty>>>> = {
  DocumentDB: BROKER,
  DynamoDB: STREAM,
  Kinesis: STREAM,
  MQ: BROKER,
  MSK: BROKER,
  SQS: QUEUE,
  SelfManagedKafka: BROKER,
};

/** The settings of `AWS::Lambda::EventSourceMapping`: the defaults of some depend on the source, which may not be known. */
export const EVENT_SOURCE_MAPPING: Readonly<Record<string, DirectProperty>> = {
  ...STREAM,
  BatchSize: setting('BatchSize', 'number'),
  MaximumBatchingWindowInSeconds: setting('MaximumBatchingWindowInSeconds', 'number'),
};
