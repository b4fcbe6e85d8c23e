import { arn, ID, NAME } from './attribute-patterns.ts';
import { GENERATED_EVENTS } from './generated-events.ts';
import { codePath, S3_BUCKET_S3_KEY, S3_URI } from './resource-kind.ts';
import type { ResourceKind } from './resource-kind.ts';
import { EVENT_SOURCE_MAPPING, EVENT_SOURCES } from './event-source-settings.ts';
import {
  ALIAS,
  DEPLOYED_WHOLE,
  FUNCTION_TAG,
  FUNCTION_URL,
  LAMBDA_CONFIGURATION,
  SERVERLESS_CONFIGURATION,
} from './lambda-settings.ts';

/** Properties of a function, beside its code, that decide its artifact and what is published of it. */
const FUNCTION_SETTINGS = [
  'Architectures',
  'AutoPublishAlias',
  'CapacityProviderConfig',
  'Handler',
  'InlineCode',
  'PackageType',
  'PublishToLatestPublished',
  'Runtime',
  'SourceKMSKeyArn',
];
const LAYER_SETTINGS = ['CompatibleArchitectures', 'CompatibleRuntimes', 'Description', 'LicenseInfo'];
const LAYER_VERSIONS = { attributes: ['', 'LayerVersionArn'] };

/** Functions and layers, and what SAM generates for them. */
export const LAMBDA = {
  'AWS::Serverless::Function': {
    paths: [codePath('CodeUri', S3_URI)],
    image: ['ImageUri'],
    builtAs: 'function',
    variables: ['Environment', 'Variables'],
    sync: 'function',
    settings: FUNCTION_SETTINGS,
    routes: 'events',
    generates: GENERATED_EVENTS,
    direct: SERVERLESS_CONFIGURATION,
    directTag: FUNCTION_TAG,
    directEvents: EVENT_SOURCES,
    deployedWhole: [...DEPLOYED_WHOLE, 'AutoPublishAlias', 'AutoPublishAliasAllProperties'],
    deployedWith: ['AutoPublishAliasAllProperties', 'CapacityProviderConfig'],
    versioned: {
      attributes: ['Version'],
      onlyWith: 'AutoPublishAlias',
      namedBy: 'AutoPublishCodeSha256',
      wholeWith: 'AutoPublishAliasAllProperties',
      code: ['CodeUri', 'InlineCode', 'ImageUri', 'SourceKMSKeyArn'],
      settings: ['Environment', 'MemorySize', 'SnapStart'],
    },
    companions: {
      Alias: { type: 'AWS::Lambda::Alias', suffix: /^Alias/, ownedBy: 'arn' },
      // the ten digits are of the code or of AutoPublishCodeSha256, which may be any text
      Version: { type: 'AWS::Lambda::Version', suffix: /^Version\w{0,10}$/, ownedBy: 'arn' },
    },
  },
  'AWS::Lambda::Function': {
    paths: [codePath('Code', S3_BUCKET_S3_KEY)],
    image: ['Code', 'ImageUri'],
    builtAs: 'function',
    variables: ['Environment', 'Variables'],
    sync: 'function',
    settings: FUNCTION_SETTINGS,
    direct: LAMBDA_CONFIGURATION,
    directTag: FUNCTION_TAG,
    deployedWhole: DEPLOYED_WHOLE,
    deployedWith: ['CapacityProviderConfig'],
    attributes: { Arn: arn('lambda', 'function:{id}') },
  },
  'AWS::Serverless::LayerVersion': {
    paths: [codePath('ContentUri', S3_URI)],
    builtAs: 'layer',
    sync: 'layer',
    settings: LAYER_SETTINGS,
    versioned: LAYER_VERSIONS,
    deployedAs: { type: 'AWS::Lambda::LayerVersion', suffix: /^[0-9a-f]{10}$/ },
  },
  'AWS::Lambda::LayerVersion': {
    paths: [codePath('Content', S3_BUCKET_S3_KEY)],
    builtAs: 'layer',
    sync: 'layer',
    settings: LAYER_SETTINGS,
    versioned: LAYER_VERSIONS,
    attributes: { LayerVersionArn: ID },
  },
  'AWS::Serverless::WebFunction': {
    paths: [codePath('CodeUri', S3_URI)],
    builtAs: 'web-function',
    variables: ['EnvironmentVariables'],
  },
  'AWS::Lambda::EventSourceMapping': { direct: EVENT_SOURCE_MAPPING, cloudControl: { identifier: ID } },
  'AWS::Lambda::Url': { routes: 'url', direct: FUNCTION_URL, cloudControl: { identifier: ID } },
  'AWS::Lambda::Alias': { direct: ALIAS, cloudControl: { identifier: ID }, attributes: { AliasArn: ID } },
  'AWS::Lambda::Version': { attributes: { FunctionArn: ID, Version: NAME } },
} as const satisfies Readonly<Record<string, ResourceKind>>;
