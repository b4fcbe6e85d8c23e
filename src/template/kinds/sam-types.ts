/*
 * The types of values that SAM's transform takes for a property; it refuses the whole template if a value is of another one and no
 * intrinsic function. What is not here may be anything. `test/integration/generated-definitions.test.ts` compares the tables
 * with the transform.
 */

/** Properties, as words, by the types that they may have, as words too. */
export type TypedProperties = Readonly<Record<string, string>>;

const EVENT_SOURCE: TypedProperties = {
  boolean: 'BisectBatchOnFunctionError Enabled',
  list: 'FunctionResponseTypes KafkaBootstrapServers Queues SourceAccessConfigurations Topics',
  map: 'DestinationConfig FilterCriteria LoggingConfig MetricsConfig ProvisionedPollerConfig ScalingConfig SchemaRegistryConfig',
  'number boolean':
    'BatchSize MaximumBatchingWindowInSeconds MaximumRecordAgeInSeconds MaximumRetryAttempts ParallelizationFactor TumblingWindowInSeconds',
  text: 'ConsumerGroupId SecretsManagerKmsKeyId',
};

/** Of events, by the type of their owner and their own. */
export const EVENT_TYPES: Readonly<Record<string, Readonly<Record<string, TypedProperties>>>> = {
  'AWS::Serverless::Function': {
    AlexaSkill: {
      text: 'SkillId',
    },
    Api: {
      list: 'RequestParameters',
      map: 'Auth RequestModel',
      'number boolean': 'TimeoutInMillis',
      text: 'Method Path ResponseTransferMode RestApiId Stage',
    },
    CloudWatchEvent: {
      boolean: 'Enabled',
      map: 'DeadLetterConfig InputTransformer Pattern RetryPolicy Target',
      text: 'EventBusName Input InputPath RuleName State',
    },
    CloudWatchLogs: {
      text: 'FilterPattern LogGroupName',
    },
    Cognito: {
      text: 'UserPool',
      'text list': 'Trigger',
    },
    DocumentDB: EVENT_SOURCE,
    DynamoDB: EVENT_SOURCE,
    EventBridgeRule: {
      boolean: 'Enabled',
      map: 'DeadLetterConfig InputTransformer Pattern RetryPolicy Target',
      text: 'EventBusName Input InputPath RuleName State',
    },
    HttpApi: {
      map: 'Auth RouteSettings',
      'number boolean': 'TimeoutInMillis',
      text: 'ApiId Method Path PayloadFormatVersion Stage',
    },
    IoTRule: {
      text: 'AwsIotSqlVersion Sql',
    },
    Kinesis: EVENT_SOURCE,
    MQ: { ...EVENT_SOURCE, boolean: `${EVENT_SOURCE['boolean']} DynamicPolicyName` },
    MSK: EVENT_SOURCE,
    S3: {
      map: 'Filter',
      text: 'Bucket',
      'text list': 'Events',
    },
    SNS: {
      'boolean map': 'SqsSubscription',
      map: 'RedrivePolicy',
      text: 'Region Topic',
    },
    SQS: EVENT_SOURCE,
    Schedule: {
      boolean: 'Enabled',
      map: 'DeadLetterConfig RetryPolicy',
      text: 'Description Input Name RuleName Schedule State',
    },
    ScheduleV2: {
      boolean: 'OmitName',
      map: 'DeadLetterConfig FlexibleTimeWindow RetryPolicy',
      text: 'Description EndDate GroupName Input KmsKeyArn Name PermissionsBoundary RoleArn ScheduleExpression ScheduleExpressionTimezone StartDate State',
    },
    SelfManagedKafka: EVENT_SOURCE,
  },
  'AWS::Serverless::StateMachine': {
    Api: {
      boolean: 'UnescapeMappingTemplate',
      map: 'Auth',
      text: 'Method Path RestApiId Stage',
    },
    CloudWatchEvent: {
      map: 'DeadLetterConfig InputTransformer Pattern RetryPolicy Target',
      text: 'EventBusName Input InputPath RuleName State',
    },
    EventBridgeRule: {
      map: 'DeadLetterConfig InputTransformer Pattern RetryPolicy Target',
      text: 'EventBusName Input InputPath RuleName State',
    },
    Schedule: {
      boolean: 'Enabled',
      map: 'DeadLetterConfig RetryPolicy Target',
      text: 'Description Input Name RoleArn Schedule State',
    },
  },
};

/** Of resources. */
export const RESOURCE_TYPES: Readonly<Record<string, TypedProperties>> = {
  'AWS::Serverless::Api': {
    boolean:
      'AlwaysDeploy CacheClusterEnabled DisableExecuteApiEndpoint FailOnWarnings MergeDefinitions PropagateTags TracingEnabled',
    list: 'BinaryMediaTypes MethodSettings',
    map: 'AccessLogSetting Auth CanarySetting DefinitionBody Domain GatewayResponses Models Tags Variables',
    'number boolean': 'MinimumCompressionSize',
    text: 'ApiKeySourceType CacheClusterSize Description EndpointAccessMode Mode OpenApiVersion SecurityPolicy',
    'text map': 'Cors DefinitionUri EndpointConfiguration Name Policy StageName',
  },
  'AWS::Serverless::Application': {
    list: 'NotificationARNs',
    map: 'Parameters Tags',
    'number boolean': 'TimeoutInMinutes',
    text: 'TemplateUrl',
    'text map': 'Location',
  },
  'AWS::Serverless::CapacityProvider': {
    boolean: 'PropagateTags',
    map: 'InstanceRequirements LoggingConfig ManagedResourceTags ScalingConfig Tags VpcConfig',
    'text map': 'CapacityProviderName KmsKeyArn OperatorRole',
  },
  'AWS::Serverless::Connector': {
    list: 'Permissions',
    'list map': 'Destination',
    map: 'Source',
  },
  'AWS::Serverless::Function': {
    boolean: 'AutoPublishAliasAllProperties PropagateTags',
    list: 'Layers',
    map: 'AssumeRolePolicyDocument CapacityProviderConfig DeadLetterQueue DeploymentPreference DurableConfig Environment EventInvokeConfig Events FunctionScalingConfig FunctionUrlConfig SnapStart Tags',
    text: 'AutoPublishAlias AutoPublishCodeSha256 PermissionsBoundary Role',
    'text list map': 'Policies',
    'text map': 'FunctionName Tracing',
  },
  'AWS::Serverless::GraphQLApi': {
    'boolean map': 'Logging',
    map: 'ApiKeys Auth Cache DataSources DomainName Functions Resolvers Tags',
    text: 'SchemaInline SchemaUri',
  },
  'AWS::Serverless::HttpApi': {
    boolean: 'DisableExecuteApiEndpoint FailOnWarnings PropagateTags',
    'boolean map': 'CorsConfiguration',
    map: 'AccessLogSettings Auth DefaultRouteSettings DefinitionBody Domain RouteSettings StageVariables Tags',
    text: 'Description',
    'text map': 'DefinitionUri StageName',
  },
  'AWS::Serverless::LayerVersion': {
    boolean: 'PublishLambdaVersion',
    list: 'CompatibleArchitectures CompatibleRuntimes',
    text: 'Description LicenseInfo RetentionPolicy',
    'text map': 'ContentUri LayerName',
  },
  'AWS::Serverless::MicrovmImage': {
    boolean: 'PropagateTags',
    list: 'AdditionalOsCapabilities CpuConfigurations EgressNetworkConnectors Resources',
    map: 'EnvironmentVariables Hooks Logging Tags',
    'text map': 'BaseImageArn BaseImageVersion BuildRoleArn CodeUri Description Name',
  },
  'AWS::Serverless::NetworkConnector': {
    boolean: 'PropagateTags',
    list: 'ComputeTypes',
    map: 'Tags VpcConfig',
    'text map': 'Name OperatorRole',
  },
  'AWS::Serverless::SimpleTable': {
    map: 'PrimaryKey ProvisionedThroughput SSESpecification Tags',
    'text map': 'TableName',
  },
  'AWS::Serverless::StateMachine': {
    boolean: 'PropagateTags UseAliasAsEventTarget',
    map: 'Definition DefinitionSubstitutions Events Logging Tags Tracing',
    text: 'Name PermissionsBoundary Role Type',
    'text list': 'Policies',
    'text map': 'DefinitionUri',
  },
  'AWS::Serverless::WebFunction': {
    'list map': 'ReplicaRegions',
    map: 'EnvironmentVariables Tags',
    'number boolean': 'Timeout',
    text: 'ExecutionRoleArn',
    'text map': 'FunctionName',
  },
  'AWS::Serverless::WebSocketApi': {
    boolean: 'DisableExecuteApiEndpoint DisableSchemaValidation FailOnWarnings PropagateTags',
    map: 'AccessLogSettings Auth DefaultRouteSettings Domain RouteSettings Routes StageVariables Tags',
    text: 'ApiKeySelectionExpression Description IpAddressType Name RouteSelectionExpression',
    'text map': 'StageName',
  },
};

/** Of parts of properties that the transform checks itself. */
export const NESTED_TYPES: Readonly<Record<string, TypedProperties>> = {
  'AWS::Serverless::Function': {
    boolean: 'FunctionUrlConfig.Cors.AllowCredentials',
    list: 'FunctionUrlConfig.Cors.AllowHeaders FunctionUrlConfig.Cors.AllowMethods FunctionUrlConfig.Cors.AllowOrigins FunctionUrlConfig.Cors.ExposeHeaders',
    'number boolean': 'FunctionUrlConfig.Cors.MaxAge',
  },
};
