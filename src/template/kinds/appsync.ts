import { ID, NAME } from './attribute-patterns.ts';
import { filePath, S3_URI } from './resource-kind.ts';
import type { ResourceKind } from './resource-kind.ts';

/** The files of a resolver or of a function of a pipeline. */
const RESOLVER_PATHS = [
  filePath('RequestMappingTemplateS3Location', S3_URI),
  filePath('ResponseMappingTemplateS3Location', S3_URI),
  filePath('CodeS3Location', S3_URI),
];

/** GraphQL APIs. */
export const APP_SYNC = {
  'AWS::AppSync::GraphQLSchema': { paths: [filePath('DefinitionS3Location', S3_URI)] },
  'AWS::AppSync::Resolver': { paths: RESOLVER_PATHS },
  'AWS::AppSync::FunctionConfiguration': { paths: RESOLVER_PATHS },
  'AWS::AppSync::GraphQLApi': { attributes: { Arn: ID, ApiId: NAME } },
  'AWS::Serverless::GraphQLApi': {
    paths: [
      filePath('SchemaUri', S3_URI),
      filePath('Functions.*.CodeUri', S3_URI),
      filePath('Resolvers.*.*.CodeUri', S3_URI),
    ],
  },
} as const satisfies Readonly<Record<string, ResourceKind>>;
