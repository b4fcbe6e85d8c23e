import {
  API_KEY,
  HTTP_API,
  HTTP_STAGE,
  REST_API,
  REST_STAGE,
  ROUTES,
  STAGE_DESCRIPTION,
  USAGE_PLAN,
} from './apigateway-settings.ts';
import { ID } from './attribute-patterns.ts';
import { TAG } from './direct-settings.ts';
import { BUCKET_KEY, filePath, S3_URI } from './resource-kind.ts';
import type { ResourceKind } from './resource-kind.ts';

/** Properties that an import of the definition takes or resets. */
const REST_SETTINGS = [
  'ApiKeySourceType',
  'BinaryMediaTypes',
  'Description',
  'DisableExecuteApiEndpoint',
  'FailOnWarnings',
  'MinimumCompressionSize',
  'Mode',
  'Name',
  'Parameters',
  'Policy',
];
const HTTP_SETTINGS = [
  'Basepath',
  'CorsConfiguration',
  'Description',
  'DisableExecuteApiEndpoint',
  'FailOnWarnings',
  'Name',
  'Tags',
];

/** REST APIs and HTTP APIs, their stages, and what SAM generates for them. */
export const API_GATEWAY = {
  'AWS::Serverless::Api': {
    paths: [filePath('DefinitionUri', S3_URI)],
    body: ['DefinitionBody'],
    directDefinition: ['DefinitionBody'],
    sync: 'rest-api',
    direct: { ...REST_API, ...REST_STAGE },
    directTag: TAG,
    // SAM tags the stage only
    tagged: ['stage'],
    tagsUnlessWith: 'PropagateTags',
    setBy: 'api-gateway',
    generatedDirect: ['Auth', 'BinaryMediaTypes', 'Cors', 'Events', 'GatewayResponses', 'Models'],
    directAlone: ['Auth', 'Events'],
    settings: REST_SETTINGS,
    samChangesDefinition: ['Auth', 'Cors', 'GatewayResponses', 'MergeDefinitions', 'Models'],
    versioned: { attributes: ['Deployment'] },
    companions: {
      Stage: { type: 'AWS::ApiGateway::Stage', ownedBy: 'stage-name' },
      Deployment: { type: 'AWS::ApiGateway::Deployment', suffix: /^Deployment(?:[0-9a-f]{10})?$/, ownedBy: 'id' },
    },
    implicitId: 'ServerlessRestApi',
    // a plan that APIs share has the settings of only one of them
    generates: [
      {
        at: ['Auth', 'UsagePlan'],
        onlyWith: { CreateUsagePlan: 'PER_API' },
        type: 'AWS::ApiGateway::UsagePlan',
        settings: {
          Description: 'Description',
          Quota: 'Quota',
          Tags: 'Tags',
          Throttle: 'Throttle',
          UsagePlanName: 'UsagePlanName',
        },
      },
    ],
    event: {
      type: 'Api',
      api: 'RestApiId',
      settings: ['Auth', 'RequestModel', 'RequestParameters', 'TimeoutInMillis'],
    },
    // SAM adds this one for old templates
    stages: { always: 'Stage' },
  },
  'AWS::ApiGateway::RestApi': {
    paths: [filePath('BodyS3Location', BUCKET_KEY)],
    body: ['Body'],
    directDefinition: ['Body'],
    sync: 'rest-api',
    direct: REST_API,
    directTag: TAG,
    tagged: ['api'],
    setBy: 'api-gateway',
    settings: REST_SETTINGS,
    attributes: { RestApiId: ID },
  },
  'AWS::Serverless::HttpApi': {
    paths: [filePath('DefinitionUri', S3_URI)],
    body: ['DefinitionBody'],
    directDefinition: ['DefinitionBody'],
    sync: 'http-api',
    direct: { ...HTTP_API, ...HTTP_STAGE },
    directEntries: ROUTES,
    directTag: TAG,
    tagged: ['api', 'stage'],
    // the domain name gets them too
    tagsUnlessWith: 'Domain',
    setBy: 'api-gateway',
    settings: HTTP_SETTINGS,
    generatedDirect: ['Auth', 'Events'],
    directAlone: ['Auth', 'Events'],
    samChangesDefinition: ['Auth'],
    companions: { Stage: { type: 'AWS::ApiGatewayV2::Stage', ownedBy: 'stage-name' } },
    implicitId: 'ServerlessHttpApi',
    event: { type: 'HttpApi', api: 'ApiId', settings: ['Auth', 'PayloadFormatVersion', 'TimeoutInMillis'] },
    stages: { byDefault: '$default' },
  },
  'AWS::ApiGatewayV2::Api': {
    paths: [filePath('BodyS3Location', BUCKET_KEY)],
    body: ['Body'],
    directDefinition: ['Body'],
    sync: 'http-api',
    direct: HTTP_API,
    directTag: TAG,
    tagMap: true,
    tagged: ['api'],
    setBy: 'api-gateway',
    settings: HTTP_SETTINGS,
    attributes: { ApiId: ID, ApiEndpoint: 'https://{id}.execute-api.{region}.{suffix}' },
  },
  'AWS::ApiGateway::Stage': {
    stageOf: 'RestApiId',
    directTag: TAG,
    tagged: ['stage'],
    setBy: 'api-gateway',
    direct: { ...REST_STAGE, ...STAGE_DESCRIPTION },
  },
  'AWS::ApiGateway::Deployment': { stageOf: 'RestApiId' },
  'AWS::ApiGatewayV2::Stage': {
    stageOf: 'ApiId',
    directTag: TAG,
    tagMap: true,
    tagged: ['stage'],
    setBy: 'api-gateway',
    direct: { ...HTTP_STAGE, Description: { ...STAGE_DESCRIPTION.Description, member: 'Description' } },
    directEntries: ROUTES,
  },
  'AWS::ApiGatewayV2::Deployment': { stageOf: 'ApiId' },
  'AWS::ApiGateway::Method': { routes: 'method' },
  'AWS::ApiGatewayV2::Route': { routes: 'route-key' },
  'AWS::ApiGateway::UsagePlan': { setBy: 'usage-plan', direct: USAGE_PLAN, directTag: TAG, attributes: { Id: ID } },
  'AWS::ApiGateway::ApiKey': { setBy: 'usage-plan', direct: API_KEY, directTag: TAG, attributes: { APIKeyId: ID } },
  'AWS::ApiGateway::Authorizer': { attributes: { AuthorizerId: ID } },
} as const satisfies Readonly<Record<string, ResourceKind>>;
