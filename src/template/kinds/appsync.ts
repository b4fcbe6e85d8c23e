import { arn, ID, NAME } from './attribute-patterns.ts';
import { TAG } from './direct-settings.ts';
import type { DirectProperty } from './direct-settings.ts';
import { filePath, S3_URI } from './resource-kind.ts';
import type { GeneratedSettings, ResourceKind } from './resource-kind.ts';

/** The files of a resolver or of a function of a pipeline. */
const RESOLVER_PATHS = [
  filePath('RequestMappingTemplateS3Location', S3_URI),
  filePath('ResponseMappingTemplateS3Location', S3_URI),
  filePath('CodeS3Location', S3_URI),
];

const text = (member: string): DirectProperty => ({ member, shape: 'text' });
const file = (member: string): DirectProperty => ({ member, shape: 'text', isFile: true });

const RESOLVER = {
  Code: text('Code'),
  CodeS3Location: file('Code'),
  RequestMappingTemplate: text('RequestMappingTemplate'),
  RequestMappingTemplateS3Location: file('RequestMappingTemplate'),
  ResponseMappingTemplate: text('ResponseMappingTemplate'),
  ResponseMappingTemplateS3Location: file('ResponseMappingTemplate'),
} as const;

const CODE = { CodeUri: 'CodeS3Location', InlineCode: 'Code' };

/** What SAM makes of a GraphQL API, as far as its files go. */
const GENERATED: readonly GeneratedSettings[] = [
  {
    at: [],
    suffix: 'Schema',
    type: 'AWS::AppSync::GraphQLSchema',
    settings: { SchemaInline: 'Definition', SchemaUri: 'DefinitionS3Location' },
  },
  {
    at: ['Functions', '*'],
    type: 'AWS::AppSync::FunctionConfiguration',
    settings: { ...CODE, Description: 'Description' },
  },
  { at: ['Resolvers', '*', '*'], type: 'AWS::AppSync::Resolver', settings: CODE },
];

/** GraphQL APIs. */
export const APP_SYNC = {
  'AWS::AppSync::GraphQLSchema': {
    paths: [filePath('DefinitionS3Location', S3_URI)],
    direct: { Definition: text('Definition'), DefinitionS3Location: file('Definition') },
    // Cloud Control cannot read schemas
    setBy: 'appsync',
  },
  'AWS::AppSync::Resolver': { paths: RESOLVER_PATHS, direct: RESOLVER, cloudControl: { identifier: ID } },
  'AWS::AppSync::FunctionConfiguration': {
    paths: RESOLVER_PATHS,
    direct: { ...RESOLVER, Description: { member: 'Description', shape: 'text', absent: null } },
    cloudControl: { identifier: ID },
  },
  'AWS::AppSync::GraphQLApi': {
    direct: {},
    directTag: TAG,
    taggedArn: arn('appsync', 'apis/{id}'),
    attributes: { Arn: ID, ApiId: NAME },
  },
  'AWS::Serverless::GraphQLApi': {
    paths: [
      filePath('SchemaUri', S3_URI),
      filePath('Functions.*.CodeUri', S3_URI),
      filePath('Resolvers.*.*.CodeUri', S3_URI),
    ],
    generates: GENERATED,
  },
} as const satisfies Readonly<Record<string, ResourceKind>>;
