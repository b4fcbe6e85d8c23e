import { CORS } from './cors-settings.ts';
import type { DirectProperty, Shape } from './direct-settings.ts';

const TEXTS: Shape = { list: 'text' };

/**
 * What UpdateFunctionConfiguration takes, with the values that CloudFormation sets where a template has none. Properties
 * whose default is not documented stay with CloudFormation when they come or go.
 */
const CONFIGURATION = {
  Description: { member: 'Description', shape: 'text', absent: '' },
  Environment: {
    member: 'Environment',
    shape: { members: { Variables: { shape: { map: 'text' }, absent: {} } } },
    absent: { Variables: {} },
  },
  EphemeralStorage: { member: 'EphemeralStorage', shape: { members: { Size: 'number' } }, absent: { Size: 512 } },
  FileSystemConfigs: {
    member: 'FileSystemConfigs',
    shape: { list: { members: { Arn: 'text', LocalMountPath: 'text' } } },
    absent: [],
  },
  Handler: { member: 'Handler', shape: 'text' },
  ImageConfig: {
    member: 'ImageConfig',
    shape: { members: { Command: TEXTS, EntryPoint: TEXTS, WorkingDirectory: 'text' } },
    isWhole: true,
    absent: {},
  },
  KmsKeyArn: { member: 'KMSKeyArn', shape: 'text', absent: '' },
  Layers: { member: 'Layers', shape: TEXTS, absent: [] },
  LoggingConfig: {
    member: 'LoggingConfig',
    shape: {
      members: { ApplicationLogLevel: 'text', LogFormat: 'text', LogGroup: 'text', SystemLogLevel: 'text' },
    },
  },
  MemorySize: { member: 'MemorySize', shape: 'number', absent: 128 },
  ReservedConcurrentExecutions: {
    member: 'ReservedConcurrentExecutions',
    request: 'PutFunctionConcurrency',
    shape: 'number',
    absent: 'unreserved',
  },
  Role: { member: 'Role', shape: 'text' },
  Runtime: { member: 'Runtime', shape: 'text' },
  SnapStart: { member: 'SnapStart', shape: { members: { ApplyOn: 'text' } }, absent: { ApplyOn: 'None' } },
  Timeout: { member: 'Timeout', shape: 'number', absent: 3 },
  VpcConfig: {
    member: 'VpcConfig',
    shape: {
      members: {
        Ipv6AllowedForDualStack: { shape: 'boolean', absent: false },
        SecurityGroupIds: { shape: TEXTS, absent: [] },
        SubnetIds: { shape: TEXTS, absent: [] },
      },
    },
    absent: { Ipv6AllowedForDualStack: false, SecurityGroupIds: [], SubnetIds: [] },
  },
} as const satisfies Readonly<Record<string, DirectProperty>>;

/** The configuration of a function, as `AWS::Lambda::Function` writes it. */
export const LAMBDA_CONFIGURATION: Readonly<Record<string, DirectProperty>> = {
  ...CONFIGURATION,
  DeadLetterConfig: {
    member: 'DeadLetterConfig',
    shape: { members: { TargetArn: { shape: 'text', absent: '' } } },
    absent: { TargetArn: '' },
  },
  TracingConfig: {
    member: 'TracingConfig',
    shape: { members: { Mode: 'text' } },
    absent: { Mode: 'PassThrough' },
  },
};

/** The same as `AWS::Serverless::Function` writes it. */
export const SERVERLESS_CONFIGURATION: Readonly<Record<string, DirectProperty>> = {
  ...CONFIGURATION,
  Description: { ...CONFIGURATION.Description, unlessWith: 'AutoPublishCodeSha256' },
  FunctionUrlConfig: {
    member: 'FunctionUrlConfig',
    request: 'UpdateFunctionUrlConfig',
    shape: {
      members: {
        AuthType: 'fixed',
        Cors: CORS.shape,
        InvokeMode: { shape: 'text', absent: 'BUFFERED' },
      },
    },
  },
  ProvisionedConcurrencyConfig: {
    member: 'ProvisionedConcurrencyConfig',
    request: 'PutProvisionedConcurrencyConfig',
    shape: { members: { ProvisionedConcurrentExecutions: 'number' } },
    absent: null,
  },
  DeadLetterQueue: {
    member: 'DeadLetterConfig',
    shape: {
      members: { TargetArn: { shape: 'text', absent: '' }, Type: { ignored: ['SQS', 'SNS'] } },
    },
    absent: { TargetArn: '' },
  },
  Tracing: {
    member: 'TracingConfig',
    shape: 'text',
    within: 'Mode',
    absent: { Mode: 'PassThrough' },
    off: ['Disabled'],
  },
};

/** One tag; its name and value may be any text. */
export const FUNCTION_TAG: DirectProperty = { member: 'Tags', request: 'TagResource', shape: 'text', absent: null };

/** Settings of `AWS::Lambda::Url` and `AWS::Lambda::Alias`, which Cloud Control sets. */
export const FUNCTION_URL: Readonly<Record<string, DirectProperty>> = {
  Cors: { member: 'Cors', shape: CORS.shape },
  InvokeMode: { member: 'InvokeMode', shape: 'text', absent: 'BUFFERED' },
};
export const ALIAS: Readonly<Record<string, DirectProperty>> = {
  Description: { member: 'Description', shape: 'text', absent: '' },
  RoutingConfig: {
    member: 'RoutingConfig',
    shape: {
      members: {
        AdditionalVersionWeights: { list: { members: { FunctionVersion: 'text', FunctionWeight: 'decimal' } } },
      },
    },
    isWhole: true,
  },
};

/** A change of one of these is a change of the function's identity or of what its code runs on: only a deployment makes it. */
export const DEPLOYED_WHOLE = [
  'Architectures',
  'CapacityProviderConfig',
  'DurableConfig',
  'FunctionName',
  'PackageType',
  'TenancyConfig',
] as const;
