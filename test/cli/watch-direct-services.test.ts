import {
  GetApiKeyCommand,
  GetGatewayResponsesCommand,
  GetModelsCommand,
  GetRequestValidatorsCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetStageCommand,
  GetUsagePlanCommand,
  GetUsagePlansCommand,
} from '@aws-sdk/client-api-gateway';
import type { UsagePlan } from '@aws-sdk/client-api-gateway';
import {
  GetApiCommand,
  GetIntegrationCommand,
  GetRoutesCommand,
  GetStageCommand as GetHttpStageCommand,
} from '@aws-sdk/client-apigatewayv2';
import { DescribeStateMachineAliasCommand, DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { callRestApi, clients, poll } from '../support/cloud.ts';
import { isDeployedAsWritten } from '../support/deployed-template.ts';
import { runCli } from '../support/run-cli.ts';
import { isStack } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

const apps = watchedApps();

const LOGS = 'arn:aws:logs:us-east-1:000000000000:log-group:flows:*';
const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`;

type State = 'before' | 'after';

/** A row: a resource of a type, its properties before and after the change, and what its service then shows. */
interface Row {
  id: string;
  type: string;
  /** Properties that do not change. */
  fixed: string;
  before: string;
  after: string;
  /** Properties of the event of an API. */
  event?: Readonly<Record<State, string>>;
  /** Reads what the service has. */
  read(app: WatchedApp, id: string): Promise<unknown>;
  shown: Readonly<Record<State, object>>;
  /** Nothing else may be there. */
  isWhole?: true;
}

const FLOW = '{StartAt: One, States: {One: {Type: Pass, End: true}}}';
const SAM_FLOW = `Definition: ${FLOW}`;
const PLAIN_FLOW = `DefinitionString: '{"StartAt":"One","States":{"One":{"Type":"Pass","End":true}}}'`;

const encryption = (seconds: number): string =>
  `EncryptionConfiguration: {Type: CUSTOMER_MANAGED_KMS_KEY, KmsKeyId: "arn:aws:kms:us-east-1:000000000000:key/1", KmsDataKeyReusePeriodSeconds: ${seconds}}`;

async function readFlow({ cloud, output }: WatchedApp, id: string): Promise<unknown> {
  const { sfn } = clients(cloud.endpoint);
  return sfn.send(new DescribeStateMachineCommand({ stateMachineArn: output(id) }));
}

/** What the version has that the alias `live` leads to. */
async function readLive(app: WatchedApp, id: string): Promise<unknown> {
  const { sfn } = clients(app.cloud.endpoint);
  const stateMachineAliasArn = `${app.output(id)}:live`;
  const { routingConfiguration = [] } = await sfn.send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn }));
  return sfn.send(
    new DescribeStateMachineCommand({ stateMachineArn: routingConfiguration[0]?.stateMachineVersionArn ?? '' }),
  );
}

const flow = (id: string, row: Omit<Row, 'id' | 'type' | 'fixed' | 'read'> & Partial<Row>): Row => ({
  id,
  type: 'AWS::Serverless::StateMachine',
  fixed: row.type === undefined ? SAM_FLOW : PLAIN_FLOW,
  read: readFlow,
  ...row,
});
const FLOW_ROWS: Row[] = [
  flow('FlowRole', {
    before: `Role: ${role('one')}`,
    after: `Role: ${role('two')}`,
    shown: { before: { roleArn: role('one') }, after: { roleArn: role('two') } },
  }),
  flow('FlowLogging', {
    fixed: `${SAM_FLOW}, Role: ${role('one')}`,
    before: '',
    after: `Logging: {Level: ALL, IncludeExecutionData: true, Destinations: [{CloudWatchLogsLogGroup: {LogGroupArn: "${LOGS}"}}]}`,
    shown: {
      before: { loggingConfiguration: { level: 'OFF', includeExecutionData: false } },
      after: {
        loggingConfiguration: {
          level: 'ALL',
          includeExecutionData: true,
          destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: LOGS } }],
        },
      },
    },
  }),
  flow('FlowTracing', {
    fixed: `${SAM_FLOW}, Role: ${role('one')}, AutoPublishAlias: live`,
    before: '',
    after: 'Tracing: {Enabled: !If [IsOther, true, false]}',
    read: readLive,
    shown: {
      before: { tracingConfiguration: { enabled: false } },
      after: { tracingConfiguration: { enabled: true } },
    },
  }),
  flow('Flow', {
    type: 'AWS::StepFunctions::StateMachine',
    before: `RoleArn: ${role('one')}, LoggingConfiguration: {Level: !Ref Level}, ${encryption(300)}`,
    after: `RoleArn: ${role('three')}, TracingConfiguration: {Enabled: true}, LoggingConfiguration: {Level: !Ref Other}, ${encryption(600)}`,
    shown: {
      before: {
        roleArn: role('one'),
        loggingConfiguration: { level: 'ERROR' },
        tracingConfiguration: { enabled: false },
        encryptionConfiguration: { kmsDataKeyReusePeriodSeconds: 300 },
      },
      after: {
        roleArn: role('three'),
        encryptionConfiguration: { kmsDataKeyReusePeriodSeconds: 600 },
        loggingConfiguration: { level: 'FATAL' },
        tracingConfiguration: { enabled: true },
      },
    },
  }),
];

const DESTINATION = 'arn:aws:logs:us-east-1:000000000000:log-group:access';

const readRestStage =
  (stageName: string): Row['read'] =>
  async ({ cloud, output }, id) =>
    clients(cloud.endpoint).apigateway.send(new GetStageCommand({ restApiId: output(id), stageName }));
const readHttpStage =
  (StageName: string): Row['read'] =>
  async ({ cloud, output }, id) =>
    clients(cloud.endpoint).apigatewayv2.send(new GetHttpStageCommand({ ApiId: output(id), StageName }));
/** The stage, with the settings of its routes as text. */
const readHttpRoutes =
  (StageName: string): Row['read'] =>
  async (app, id) => {
    const stage = (await readHttpStage(StageName)(app, id)) as { RouteSettings?: Record<string, object> };
    const routes = Object.entries(stage.RouteSettings ?? {}).map(([key, settings]) => {
      const sorted = Object.entries(settings).sort(([one], [other]) => (one < other ? -1 : 1));
      return `${key}: ${sorted.map(([name, value]) => `${name}=${value}`).join(' ')}`;
    });
    return { ...stage, routes };
  };
const readHttpApi: Row['read'] = async ({ cloud, output }, id) =>
  clients(cloud.endpoint).apigatewayv2.send(new GetApiCommand({ ApiId: output(id) }));

const METHOD_SETTINGS =
  "MethodSettings: [{ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 10.5, ThrottlingBurstLimit: 5}, {ResourcePath: /~1ping, HttpMethod: GET, LoggingLevel: INFO, CachingEnabled: true}]";
const REST_PARTS =
  'BinaryMediaTypes: [image~1png], Cors: {AllowOrigin: !Sub "\'https://${Other}.example\'", MaxAge: "\'60\'"}, GatewayResponses: {DEFAULT_4XX: {StatusCode: 404, ResponseParameters: {Headers: {X: "\'y\'"}}}}, Models: {Pet: {type: object}}';

/** The answer to a preflight request: its status and the origin that it allows. */
async function preflight({ cloud, output }: WatchedApp, id: string, [stage, path]: [string, string]): Promise<object> {
  const answer = await callRestApi(cloud.endpoint, { id: output(id), stage, path }, { method: 'OPTIONS' });
  return { status: answer.status, origin: answer.headers.get('access-control-allow-origin') };
}

/** What SAM makes of properties of an API in its definition. */
const readRestParts: Row['read'] = async (app, id) => {
  const { apigateway } = clients(app.cloud.endpoint);
  const restApiId = app.output(id);
  const [api, responses, models] = await Promise.all([
    apigateway.send(new GetRestApiCommand({ restApiId })),
    apigateway.send(new GetGatewayResponsesCommand({ restApiId })),
    apigateway.send(new GetModelsCommand({ restApiId })),
  ]);
  return {
    ...api,
    types: api.binaryMediaTypes ?? [],
    changed: responses.items?.filter(({ defaultResponse }) => defaultResponse !== true).map((one) => one.responseType),
    models: models.items?.map(({ name }) => name).filter((name) => name === 'pet' || name === 'dog'),
    preflight: await preflight(app, id, ['dev', '/ping']),
  };
};

/** The tag that SAM gives a nested stack, and CloudFormation its resources. */
const STACK_TAG = 'lambda:createdBy';

/** Tags of an API and of its stage, as API Gateway has them. */
const readTags =
  (kind: 'rest' | 'http', stage?: string): Row['read'] =>
  async ({ cloud, output }, id) => {
    const { apigateway, apigatewayv2 } = clients(cloud.endpoint);
    const [api, of] =
      kind === 'rest'
        ? [
            (await apigateway.send(new GetRestApiCommand({ restApiId: output(id) }))).tags,
            stage && (await apigateway.send(new GetStageCommand({ restApiId: output(id), stageName: stage }))).tags,
          ]
        : [
            (await apigatewayv2.send(new GetApiCommand({ ApiId: output(id) }))).Tags,
            stage && (await apigatewayv2.send(new GetHttpStageCommand({ ApiId: output(id), StageName: stage }))).Tags,
          ];
    return Object.fromEntries([
      ...ownTags(api).map(([key, value]) => [key, value]),
      ...ownTags(of || {}).map(([key, value]) => [`stage ${key}`, value]),
    ]);
  };

function ownTags(tags: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(tags).filter(([key]) => !key.startsWith('aws:') && key !== STACK_TAG);
}

/** The method of a path of a REST API. */
const readMethod =
  (path: string): Row['read'] =>
  async ({ cloud, output }, id) => {
    const { apigateway } = clients(cloud.endpoint);
    const restApiId = output(id);
    const { items = [] } = await apigateway.send(new GetResourcesCommand({ restApiId, embed: ['methods'] }));
    const { GET: { apiKeyRequired = false, ...method } = {} } =
      items.find((one) => one.path === path)?.resourceMethods ?? {};
    const { items: validators = [] } = await apigateway.send(new GetRequestValidatorsCommand({ restApiId }));
    return {
      ...method,
      apiKeyRequired,
      validator: validators.find((one) => one.id === method.requestValidatorId)?.name,
    };
  };

/** The usage plan that SAM makes for an API; without a quota or throttle that is not there. */
const readPlanOfApi: Row['read'] = async ({ cloud, output }, id) => {
  const { items = [] } = await clients(cloud.endpoint).apigateway.send(new GetUsagePlansCommand({ limit: 500 }));
  return shownPlan(items.find(({ apiStages }) => apiStages?.some(({ apiId }) => apiId === output(id))));
};
const readPlan: Row['read'] = async ({ cloud, output }, id) =>
  shownPlan(await clients(cloud.endpoint).apigateway.send(new GetUsagePlanCommand({ usagePlanId: output(id) })));
const readKey: Row['read'] = async ({ cloud, output }, id) =>
  clients(cloud.endpoint).apigateway.send(new GetApiKeyCommand({ apiKey: output(id) }));

function shownPlan({ name, description, quota = {}, throttle = {}, tags = {} }: UsagePlan = {}): object {
  return { name, description, quota, throttle, tags: Object.fromEntries(ownTags(tags)) };
}

/** The one route of an HTTP API, and its integration. */
const readRoute: Row['read'] = async ({ cloud, output }, id) => {
  const { apigatewayv2 } = clients(cloud.endpoint);
  const ApiId = output(id);
  const { Items: [route] = [] } = await apigatewayv2.send(new GetRoutesCommand({ ApiId }));
  const IntegrationId = route?.Target?.split('/')[1] ?? '';
  const { Tags: tags } = await apigatewayv2.send(new GetApiCommand({ ApiId }));
  return { tags, ...route, ...(await apigatewayv2.send(new GetIntegrationCommand({ ApiId, IntegrationId }))) };
};

const REST_EVENT =
  'TimeoutInMillis: 5000, RequestModel: {Model: Pet, ValidateBody: true}, RequestParameters: [{method.request.header.X: {Required: true}}]';
const REST_AUTH =
  'Auth: {ApiKeyRequired: true, Authorizers: {Pool: {UserPoolArn: "arn:aws:cognito-idp:us-east-1:000000000000:userpool/p", AuthorizationScopes: [a]}}, DefaultAuthorizer: Pool}';
const JWT =
  'Authorizers: {Jwt: {JwtConfiguration: {issuer: "https://issuer.example", audience: [one]}, IdentitySource: $request.header.Authorization}}';

const inRest =
  'DefinitionBody: {swagger: "2.0", info: {title: inline}, paths: {/ping: {get: {responses: {}, x-amazon-apigateway-integration: {type: mock}}}}}';
const inHttp = (path: string): string =>
  `DefinitionBody: {openapi: 3.0.1, info: {title: inline}, paths: {${path}: {get: {responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "https://example.com", payloadFormatVersion: "1.0"}}}}}`;
const POOL = 'Pool: {UserPoolArn: !Sub "arn:aws:cognito-idp:us-east-1:000000000000:userpool/${Other}"}';

const SAM_TAG = { 'httpapi:createdBy': 'SAM', 'stage httpapi:createdBy': 'SAM' };

const usagePlan = (settings: string): string =>
  `Auth: {ApiKeyRequired: true, UsagePlan: {CreateUsagePlan: PER_API, ${settings}}}`;

const PLAN_ROWS: Row[] = [
  {
    id: 'RestPlan',
    type: 'AWS::Serverless::Api',
    fixed: 'StageName: dev',
    before: usagePlan(
      'UsagePlanName: one, Description: before, Quota: {Limit: 10, Period: DAY}, Tags: [{Key: A, Value: one}, {Key: B, Value: b}]',
    ),
    after: usagePlan(
      'UsagePlanName: two, Description: !Ref Other, Throttle: {BurstLimit: 5, RateLimit: !If [IsOther, 2.5, 1]}, Tags: [{Key: A, Value: two}]',
    ),
    read: readPlanOfApi,
    shown: {
      before: { name: 'one', description: 'before', throttle: {}, tags: { A: 'one', B: 'b' } },
      after: {
        name: 'two',
        description: 'FATAL',
        quota: {},
        throttle: { burstLimit: 5, rateLimit: 2.5 },
        tags: { A: 'two' },
      },
    },
  },
  {
    id: 'Plan',
    type: 'AWS::ApiGateway::UsagePlan',
    fixed: 'UsagePlanName: plain, Throttle: {BurstLimit: 5, RateLimit: 1}',
    before: 'Quota: {Limit: 10, Period: DAY}',
    after: 'Quota: {Limit: 20, Period: WEEK, Offset: 1}, Tags: [{Key: A, Value: !Ref Other}]',
    read: readPlan,
    shown: {
      before: { quota: { limit: 10, period: 'DAY' }, tags: {} },
      after: { quota: { limit: 20, period: 'WEEK', offset: 1 }, tags: { A: 'FATAL' } },
    },
  },
  {
    id: 'Key',
    type: 'AWS::ApiGateway::ApiKey',
    fixed: '',
    before: 'Enabled: false, Description: before',
    after: 'Enabled: true',
    read: readKey,
    shown: { before: { enabled: false, description: 'before' }, after: { enabled: true, description: '' } },
  },
];

const API_ROWS: Row[] = [
  {
    id: 'RestInline',
    type: 'AWS::Serverless::Api',
    fixed: `StageName: dev, ${inRest}`,
    before: '',
    after: `Auth: {Authorizers: {${POOL}}, DefaultAuthorizer: Pool, ApiKeyRequired: true}, Cors: "'*'"`,
    read: readMethod('/ping'),
    shown: {
      before: { apiKeyRequired: false, authorizationType: 'NONE' },
      after: { apiKeyRequired: true, authorizationType: 'COGNITO_USER_POOLS' },
    },
  },
  {
    id: 'HttpInline',
    type: 'AWS::Serverless::HttpApi',
    fixed: '',
    before: inHttp('/one'),
    after: `${inHttp('/two')}, Auth: {${JWT}, DefaultAuthorizer: Jwt}`,
    read: readRoute,
    shown: {
      before: { RouteKey: 'GET /one', AuthorizationType: 'NONE' },
      after: { RouteKey: 'GET /two', AuthorizationType: 'JWT' },
    },
  },
  {
    id: 'RestEvents',
    type: 'AWS::Serverless::Api',
    fixed: 'StageName: dev, Models: {Pet: {type: object}}',
    before: '',
    after: REST_AUTH,
    event: { before: '', after: REST_EVENT },
    read: readMethod('/ping'),
    shown: {
      before: { apiKeyRequired: false, authorizationType: 'NONE', methodIntegration: { timeoutInMillis: 29_000 } },
      after: {
        apiKeyRequired: true,
        authorizationType: 'COGNITO_USER_POOLS',
        authorizationScopes: ['a'],
        methodIntegration: { timeoutInMillis: 5000 },
        requestModels: { 'application/json': 'pet' },
        requestParameters: { 'method.request.header.X': true },
        validator: 'body-only',
      },
    },
  },
  {
    id: 'RestTags',
    type: 'AWS::Serverless::Api',
    fixed: 'StageName: dev',
    before: 'Tags: {A: one, B: two}',
    after: 'Tags: {A: !Ref Other, C: three}',
    read: readTags('rest', 'dev'),
    shown: { before: { 'stage A': 'one', 'stage B': 'two' }, after: { 'stage A': 'FATAL', 'stage C': 'three' } },
    isWhole: true,
  },
  {
    id: 'HttpTags',
    type: 'AWS::Serverless::HttpApi',
    fixed: '',
    before: 'Tags: {A: one, B: two}',
    after: 'Tags: {A: other, C: three}',
    event: { before: '', after: 'TimeoutInMillis: 5000' },
    read: readTags('http', '$default'),
    shown: {
      before: { A: 'one', B: 'two', 'stage A': 'one', 'stage B': 'two', ...SAM_TAG },
      after: { A: 'other', C: 'three', 'stage A': 'other', 'stage C': 'three', ...SAM_TAG },
    },
    isWhole: true,
  },
  {
    id: 'HttpEvents',
    type: 'AWS::Serverless::HttpApi',
    fixed: '',
    before: `Name: one, Auth: {${JWT}}`,
    after: `Name: two, Auth: {${JWT}, DefaultAuthorizer: Jwt}`,
    event: {
      before: '',
      after: 'PayloadFormatVersion: "1.0", TimeoutInMillis: 5000, Auth: {AuthorizationScopes: [b]}',
    },
    read: readRoute,
    shown: {
      before: { AuthorizationType: 'NONE', PayloadFormatVersion: '2.0', TimeoutInMillis: 30_000 },
      after: {
        AuthorizationType: 'JWT',
        AuthorizationScopes: ['b'],
        PayloadFormatVersion: '1.0',
        TimeoutInMillis: 5000,
      },
    },
  },
  {
    id: 'Rest',
    type: 'AWS::Serverless::Api',
    fixed: 'StageName: dev',
    before: `Variables: {ONE: a, TWO: b}, AccessLogSetting: {DestinationArn: "${DESTINATION}", Format: old}`,
    after: `Variables: {TWO: c}, AccessLogSetting: {DestinationArn: "${DESTINATION}", Format: new}, TracingEnabled: true, ${METHOD_SETTINGS}`,
    read: readRestStage('dev'),
    shown: {
      before: {
        variables: { ONE: 'a', TWO: 'b' },
        accessLogSettings: { destinationArn: DESTINATION, format: 'old' },
        tracingEnabled: false,
        methodSettings: {},
      },
      after: {
        variables: { TWO: 'c' },
        accessLogSettings: { destinationArn: DESTINATION, format: 'new' },
        tracingEnabled: true,
        methodSettings: { '*/*': { throttlingRateLimit: 10.5, throttlingBurstLimit: 5, loggingLevel: 'OFF' } },
      },
    },
  },
  {
    id: 'Parts',
    type: 'AWS::Serverless::Api',
    fixed: 'StageName: dev',
    before: 'Name: one, Description: before, MinimumCompressionSize: 100',
    after: `Name: two, Description: !Ref Other, MinimumCompressionSize: 200, ${REST_PARTS}`,
    read: readRestParts,
    shown: {
      before: {
        name: 'one',
        description: 'before',
        minimumCompressionSize: 100,
        types: [],
        changed: [],
        models: [],
        preflight: { status: 403, origin: null },
      },
      after: {
        name: 'two',
        description: 'FATAL',
        minimumCompressionSize: 200,
        types: ['image/png'],
        changed: ['DEFAULT_4XX'],
        models: ['pet'],
        preflight: { status: 200, origin: 'https://FATAL.example' },
      },
    },
  },
  {
    id: 'Parts3',
    type: 'AWS::Serverless::Api',
    fixed: "StageName: dev, OpenApiVersion: '3.0.1'",
    before: 'Models: {Dog: {type: object}}',
    after: REST_PARTS,
    read: readRestParts,
    shown: {
      before: { types: [], changed: [], models: ['dog'], preflight: { status: 403, origin: null } },
      after: { models: ['pet'], preflight: { status: 200, origin: 'https://FATAL.example' } },
    },
  },
  {
    id: 'PartsAuth',
    type: 'AWS::Serverless::Api',
    fixed: 'StageName: dev, Name: kept, Auth: {DefaultAuthorizer: AWS_IAM, AddDefaultAuthorizerToCorsPreflight: false}',
    before: `Cors: "'https://one'"`,
    after: `Cors: {AllowOrigin: "'https://two'", AllowMethods: "'GET'", AllowCredentials: true}`,
    read: readRestParts,
    shown: {
      before: { name: 'kept', preflight: { status: 200, origin: 'https://one' } },
      after: { name: 'kept', preflight: { status: 200, origin: 'https://two' } },
    },
  },
  {
    id: 'Http',
    type: 'AWS::Serverless::HttpApi',
    fixed: '',
    before:
      'StageVariables: {ONE: a, TWO: b}, DefaultRouteSettings: {ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5}',
    after: `StageVariables: {TWO: c}, DefaultRouteSettings: {ThrottlingBurstLimit: 20, ThrottlingRateLimit: 5.5, DetailedMetricsEnabled: true}, RouteSettings: {"GET /http": {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2}}, AccessLogSettings: {DestinationArn: "${DESTINATION}", Format: new}`,
    read: readHttpStage('$default'),
    shown: {
      before: {
        StageVariables: { ONE: 'a', TWO: 'b' },
        DefaultRouteSettings: { ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5 },
        RouteSettings: {},
      },
      after: {
        StageVariables: { TWO: 'c' },
        DefaultRouteSettings: { ThrottlingBurstLimit: 20, ThrottlingRateLimit: 5.5, DetailedMetricsEnabled: true },
        RouteSettings: { 'GET /http': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 } },
        AccessLogSettings: { DestinationArn: DESTINATION, Format: 'new' },
      },
    },
  },
  {
    id: 'Cors',
    type: 'AWS::Serverless::HttpApi',
    fixed: '',
    before:
      'DefaultRouteSettings: {DetailedMetricsEnabled: true}, RouteSettings: {"GET /http": {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2}}',
    after: 'CorsConfiguration: {AllowOrigins: [!Sub "https://${Other}.example"], AllowMethods: [GET], MaxAge: 60}',
    read: async (app, id) => ({
      ...((await readHttpRoutes('$default')(app, id)) as object),
      ...((await readHttpApi(app, id)) as object),
    }),
    shown: {
      before: {
        DefaultRouteSettings: { DetailedMetricsEnabled: true },
        routes: ['GET /http: ThrottlingBurstLimit=2 ThrottlingRateLimit=1'],
      },
      after: {
        CorsConfiguration: { AllowOrigins: ['https://FATAL.example'], AllowMethods: ['GET'], MaxAge: 60 },
        routes: [],
      },
    },
  },
  {
    id: 'PlainRestApi',
    type: 'AWS::ApiGateway::RestApi',
    fixed: 'Name: plain',
    before: 'Tags: [{Key: A, Value: one}]',
    after: 'Tags: [{Key: A, Value: !Ref Other}, {Key: B, Value: two}]',
    read: readTags('rest', 'one'),
    shown: { before: { A: 'one' }, after: { A: 'FATAL', B: 'two', 'stage S': 'x' } },
    isWhole: true,
  },
  {
    id: 'PlainRest',
    type: 'AWS::ApiGateway::Stage',
    fixed: 'RestApiId: !Ref PlainRestApi, DeploymentId: !Ref PlainRestDeployment, StageName: one',
    before: 'Variables: {LEVEL: !Ref Level}, Description: before',
    after: 'Variables: {LEVEL: !Ref Other}, TracingEnabled: !If [IsOther, true, false], Tags: [{Key: S, Value: x}]',
    read: async (app) => readRestStage('one')(app, 'PlainRestApi'),
    shown: {
      before: { variables: { LEVEL: 'ERROR' }, description: 'before', tracingEnabled: false },
      after: { variables: { LEVEL: 'FATAL' }, description: '', tracingEnabled: true },
    },
  },
  {
    id: 'PlainHttp',
    type: 'AWS::ApiGatewayV2::Stage',
    fixed: 'ApiId: !Ref PlainHttpApi, StageName: one',
    before:
      'StageVariables: {LEVEL: !Ref Level}, Tags: {S: x}, RouteSettings: {"GET /a.b": {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2}}',
    after:
      'StageVariables: {LEVEL: !Ref Other}, Description: after, RouteSettings: {"GET /a.b": {ThrottlingRateLimit: !If [IsOther, 2.5, 1]}}',
    read: async (app) => readHttpRoutes('one')(app, 'PlainHttpApi'),
    shown: {
      before: {
        StageVariables: { LEVEL: 'ERROR' },
        Description: '',
        Tags: { S: 'x' },
        routes: ['GET /a.b: ThrottlingBurstLimit=2 ThrottlingRateLimit=1'],
      },
      after: {
        StageVariables: { LEVEL: 'FATAL' },
        Description: 'after',
        routes: ['GET /a.b: ThrottlingRateLimit=2.5'],
      },
    },
  },
  {
    id: 'PlainHttpApi',
    type: 'AWS::ApiGatewayV2::Api',
    fixed: 'ProtocolType: HTTP',
    before: 'Name: one, CorsConfiguration: {AllowOrigins: ["*"]}, Tags: {A: one}',
    after: 'Name: two, Description: !Ref Other, DisableExecuteApiEndpoint: true, Tags: {A: two}',
    read: readHttpApi,
    shown: {
      before: {
        Name: 'one',
        Description: '',
        DisableExecuteApiEndpoint: false,
        CorsConfiguration: { AllowOrigins: ['*'] },
        Tags: { A: 'one' },
      },
      after: { Name: 'two', Description: 'FATAL', DisableExecuteApiEndpoint: true, Tags: { A: 'two' } },
    },
  },
];

/** APIs that SAM generates for events, with the settings of `Globals`. */
const IMPLICIT: readonly Read[] = [
  {
    id: 'ServerlessRestApi',
    read: readMethod('/rest'),
    shown: {
      before: { apiKeyRequired: false, methodIntegration: { timeoutInMillis: 1000 } },
      after: { apiKeyRequired: true, methodIntegration: { timeoutInMillis: 2000 } },
    },
  },
  {
    id: 'ServerlessHttpApi',
    read: readRoute,
    shown: {
      before: { TimeoutInMillis: 1000, tags: { [STACK_TAG]: 'SAM' } },
      after: { TimeoutInMillis: 2000, tags: { [STACK_TAG]: 'SAM' } },
    },
  },
  {
    id: 'ServerlessRestApi',
    read: readRestStage('Prod'),
    shown: { before: { variables: { STATE: 'before' } }, after: { variables: { STATE: 'after' } } },
  },
  {
    id: 'ServerlessRestApi',
    read: async (app, id) => preflight(app, id, ['Prod', '/rest']),
    shown: { before: { status: 200, origin: 'https://before' }, after: { status: 200, origin: 'https://after' } },
  },
  {
    id: 'ServerlessHttpApi',
    read: readHttpStage('$default'),
    shown: { before: { StageVariables: { STATE: 'before' } }, after: { StageVariables: { STATE: 'after' } } },
  },
];

const ROWS = [...FLOW_ROWS, ...API_ROWS, ...PLAN_ROWS];
/** These are in the nested stack, the others in the root. */
const NESTED = ['Flow', 'Key', 'Plan', 'PlainRestApi', 'PlainRest', 'PlainHttp', 'PlainHttpApi'];
const isNested = ({ id }: Pick<Row, 'id'>): boolean => NESTED.includes(id);

const HEAD = `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters: {Level: {Type: String, Default: ERROR}, Other: {Type: String, Default: FATAL}, Secret: {Type: String, NoEcho: true, Default: none}}
Conditions: {IsOther: !Equals [!Ref Other, FATAL]}
`;
const fn = (id: string, events: string): string =>
  `  ${id}: {Type: AWS::Serverless::Function, Properties: {InlineCode: "def handler(event, context): return 1", Runtime: python3.11, Handler: index.handler, Events: {${events}}}}\n`;
const resources = (rows: readonly Row[], state: State): string =>
  rows
    .map(({ id, type, fixed, ...row }) => {
      const properties = [fixed, row[state]].filter((text) => text !== '').join(', ');
      return `  ${id}: {Type: ${type}, Properties: {${properties}}}\n`;
    })
    .join('');
const outputs = (ids: readonly string[], from = ''): string =>
  `Outputs:\n${ids.map((id) => `  ${id}: {Value: ${from === '' || !NESTED_IDS.includes(id) ? `!Ref ${id}` : `!GetAtt ${from}.Outputs.${id}`}}\n`).join('')}`;
const NESTED_IDS = ['Flow', 'Key', 'Plan', 'PlainRestApi', 'PlainHttpApi', 'ServerlessRestApi', 'ServerlessHttpApi'];

const implicitEvent = (state: State): string => `TimeoutInMillis: ${state === 'after' ? 2000 : 1000}`;

const child = (state: State): string => `${HEAD}Globals:
  Api: {Variables: {STATE: ${state}}, Cors: "'https://${state}'"}
  HttpApi: {StageVariables: {STATE: ${state}}}
Resources:
${resources(ROWS.filter(isNested), state)}${fn('Implicit', `Rest: {Type: Api, Properties: {Path: /rest, Method: get, ${implicitEvent(state)}${state === 'after' ? ', Auth: {ApiKeyRequired: true}' : ''}}}, Http: {Type: HttpApi, Properties: {Path: /http, Method: get, ${implicitEvent(state)}}}`)}
  PlainHttpRoute: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref PlainHttpApi, RouteKey: GET /a.b}}
  PlainRestMethod: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref PlainRestApi, ResourceId: !GetAtt PlainRestApi.RootResourceId, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: MOCK}}}
  PlainRestDeployment: {Type: AWS::ApiGateway::Deployment, DependsOn: PlainRestMethod, Properties: {RestApiId: !Ref PlainRestApi}}
${outputs(NESTED_IDS)}`;
const event = (id: string, state: State): string => {
  const isRest = RESTS.includes(id);
  const place = `Path: ${isRest ? '/ping' : '/http'}, Method: get, ${isRest ? 'RestApiId' : 'ApiId'}: !Ref ${id}`;
  const properties = [place, ROWS.find((row) => row.id === id)?.event?.[state] ?? ''].filter((text) => text !== '');
  return `${id}: {Type: ${isRest ? 'Api' : 'HttpApi'}, Properties: {${properties.join(', ')}}}`;
};
/** With definitions of their own, and without events. */
const INLINES = ['RestInline', 'HttpInline'];
const RESTS = ['Rest', 'RestEvents', 'RestPlan', 'RestTags', 'Parts', 'Parts3', 'PartsAuth'];
const HTTPS = ['Http', 'HttpEvents', 'HttpTags', 'Cors'];
const root = (state: State): string => `${HEAD}Resources:
${resources(
  ROWS.filter((row) => !isNested(row)),
  state,
)}${fn('Explicit', [...RESTS, ...HTTPS].map((id) => event(id, state)).join(', '))}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Level: !Ref Level}}}
${outputs([...FLOW_ROWS.filter((row) => !isNested(row)).map(({ id }) => id), ...RESTS, ...HTTPS, ...INLINES, ...NESTED_IDS], 'Child')}`;

type Read = Pick<Row, 'id' | 'read' | 'shown' | 'isWhole'>;

async function all(app: WatchedApp, state: State, rows: readonly Read[] = [...ROWS, ...IMPLICIT]): Promise<void> {
  for (const { id, read, shown, isWhole } of rows) {
    const has = async (): Promise<void> => {
      const found = expect(await read(app, id), id);
      if (isWhole) found.toEqual(shown[state]);
      else found.toMatchObject(shown[state]);
    };
    await poll(
      () =>
        has().then(
          () => true as const,
          () => undefined,
        ),
      15_000,
    ).catch(has);
  }
}

/** The requests that changed something, without those of CloudFormation. */
const updates = ({ proxy }: WatchedApp): string[] =>
  proxy.calls
    .map(({ operation }) => operation)
    .filter((name) => /^(?:Update|Delete|Put|Reimport|Create)/.test(name) && name !== 'UpdateStack');

describe('settings of state machines, APIs and stages', () => {
  it('take effect before they are deployed, root and nested, are deployed, and taken back', async () => {
    const app = await apps.create({ 'template.yaml': root('before'), 'child.yaml': child('before') });
    const watch = await app.ready();
    await all(app, 'before');
    for (const state of ['after', 'before'] as const) {
      app.proxy.clear();
      const held = app.proxy.hold({ operation: 'UpdateStack' });
      const from = watch.lines.length;
      await watch.atOnce(async () => {
        await watch.write('template.yaml', root(state));
        await watch.write('child.yaml', child(state));
      });
      await all(app, state);
      await held.arrived;
      const sent = updates(app);
      expect(app.proxy.count('UpdateStateMachine')).toBe(FLOW_ROWS.length);
      held.release();
      await watch.seen(isStack('in-sync'), from);
      await all(app, state);
      await isDeployedAsWritten(app, root(state));
      // CloudFormation has set the same: there is nothing to set again
      expect(updates(app)).toEqual(sent);
      expect(app.proxy.count('UpdateStack')).toBe(1);
    }
  }, 180_000);
});

it('are set back when the deployment fails, and not set from a template that SAM refuses', async () => {
  const ids = ['RestInline', 'HttpInline', 'RestPlan', 'Cors'];
  const rows = ROWS.filter(({ id }) => ids.includes(id));
  const some = (state: State, more = ''): string => `${HEAD}Resources:
${resources(rows, state)}${fn('Explicit', ['RestPlan', 'Cors'].map((id) => event(id, state)).join(', '))}${more}${outputs(ids)}`;
  const app = await apps.create({ 'template.yaml': some('before') });
  const watch = await app.ready();
  const held = app.proxy.hold({ operation: 'UpdateStack' });
  const bad = '  Bad: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\n';
  await watch.write('template.yaml', some('after', bad));
  await all(app, 'after', rows);
  await held.arrived;
  held.release();
  await watch.seen(isStack('failed'));
  await all(app, 'before', rows);
  app.proxy.clear();
  const from = watch.lines.length;
  await watch.write(
    'template.yaml',
    some('after', '  Refused: {Type: AWS::Serverless::Api, Properties: {StageName: x, TracingEnabled: "true"}}\n'),
  );
  await watch.seen(isStack('failed'), from);
  await all(app, 'before', rows);
  expect(updates(app)).toEqual([]);
}, 90_000);

const DENIED = 'Tags: {A: a}, Auth: {ApiKeyRequired: true}';
const SMALL = (flow: string, api: string): string => `${HEAD}Resources:
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {${SAM_FLOW}, Role: ${role('one')}${flow}}}
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: dev${api}}}
${fn('Fn', 'Rest: {Type: Api, Properties: {Path: /ping, Method: get, RestApiId: !Ref Rest}}')}${outputs(['Flow', 'Rest'])}`;

it('what a policy does not allow is deployed without a word of failure; a dry run shows each value', async () => {
  const app = await apps.create({ 'template.yaml': SMALL('', '') });
  const watch = await app.ready();
  const refused = { StatusCode: 403, ErrorCode: 'InvalidParameterException', ErrorMessage: 'User is not authorized' };
  app.proxy.fault(
    { operation: 'TagResources' },
    { kind: 'change', body: () => JSON.stringify({ FailedResourcesMap: { flow: refused } }) },
  );
  const begin = watch.lines.length;
  await watch.write('template.yaml', SMALL(', Tags: {Stage: one}', ''));
  await watch.seen(isStack('in-sync'), begin);
  expect(app.proxy.count('TagResources')).toBe(1);
  expect(watch.lines.slice(begin).filter(({ state }) => state === 'failed')).toEqual([]);
  for (const operation of ['UpdateStateMachine', 'UpdateStage', 'PutRestApi', 'TagResource'])
    app.proxy.fault(
      { operation },
      { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'not authorized' },
      { times: Infinity },
    );
  const from = watch.lines.length;
  await watch.write('template.yaml', SMALL(', Tracing: {Enabled: true}', `, Variables: {ONE: a}, ${DENIED}`));
  await watch.seen(isStack('in-sync'), from);
  expect(await readFlow(app, 'Flow')).toMatchObject({ tracingConfiguration: { enabled: true } });
  expect(await readRestStage('dev')(app, 'Rest')).toMatchObject({ variables: { ONE: 'a' }, tags: { A: 'a' } });
  expect(await readMethod('/ping')(app, 'Rest')).toMatchObject({ apiKeyRequired: true });
  expect(watch.lines.slice(from).filter(({ state }) => state === 'failed')).toEqual([]);
  await watch.stop();
  await app.write({
    'template.yaml': SMALL(
      ', Tracing: {Enabled: false}, Logging: {Level: ERROR}',
      `, ${DENIED}, Variables: {ONE: !Ref Level, TWO: !Ref Secret}, ${METHOD_SETTINGS}, AccessLogSetting: {DestinationArn: !Ref Fn.Missing}`,
    ),
  });
  const { code, stdout, stderr } = await runCli(
    ['--stack-name', app.stackName, '--yes', '--dry-run', '--output', 'json', '--parameter-overrides', 'Secret=psst'],
    { cwd: app.dir, env: app.env },
  );
  expect(code, stderr).toBe(0);
  const { direct } = JSON.parse(stdout) as { direct: { resources: unknown; rest: unknown } };
  expect(direct.rest).toEqual([]);
  expect(direct.resources).toMatchObject([
    {
      id: 'Flow',
      changes: ['Tracing', 'Logging'],
      requests: [
        {
          service: 'stepfunctions',
          operation: 'UpdateStateMachine',
          parameters: { loggingConfiguration: { level: 'ERROR' }, tracingConfiguration: { enabled: false } },
        },
      ],
    },
    {
      id: 'Rest',
      changes: ['Variables', 'MethodSettings'],
      waiting: ['AccessLogSetting: only CloudFormation knows !Ref Fn.Missing'],
      requests: [
        {
          service: 'apigateway',
          operation: 'UpdateStage',
          parameters: {
            stageName: 'dev',
            patchOperations: [
              { op: 'replace', path: '/variables/ONE', value: 'ERROR' },
              { op: 'replace', path: '/variables/TWO', value: '****' },
              { path: '/*/*/throttling/burstLimit', value: '5' },
              { path: '/*/*/throttling/rateLimit', value: '10.5' },
              { path: '/~1ping/GET/caching/enabled', value: 'true' },
              { path: '/~1ping/GET/logging/loglevel', value: 'INFO' },
            ],
          },
        },
      ],
    },
  ]);
  expect(stderr).toContain('variables/ONE = "ERROR", variables/TWO = "****", ');
  expect(stdout + stderr).not.toContain('psst');
  const moved = SMALL(
    ', Tracing: {Enabled: true}',
    ', Tags: {A: a}, Variables: {ONE: a}, Auth: {DefaultAuthorizer: AWS_IAM}',
  );
  await app.write({ 'template.yaml': moved.replace('/ping', '/pong') });
  const again = await runCli(['--stack-name', app.stackName, '--yes', '--dry-run'], { cwd: app.dir, env: app.env });
  expect(again.stderr).toContain('Rest: only the deployment removes GET /ping');
  expect(again.stderr).not.toContain('PutRestApi');
});

it('who may call a function changes with the deployment while the function has other changes', async () => {
  const template = (method: string, settings: string): string => `${HEAD}Resources:
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: dev, Auth: {DefaultAuthorizer: AWS_IAM}}}
${fn('Fn', `Rest: {Type: Api, Properties: {Path: /ping, Method: get, RestApiId: !Ref Rest${method}}}`).replace('Handler', `${settings}Handler`)}${outputs(['Rest'])}`;
  const app = await apps.create({ 'template.yaml': template('', '') });
  const watch = await app.ready();
  app.proxy.fault(
    { operation: 'UpdateFunctionConfiguration' },
    { kind: 'error', status: 400, code: 'InvalidParameterValueException', message: 'refused' },
  );
  const open = ', Auth: {Authorizer: NONE}';
  let from = watch.lines.length;
  // the function might check its callers itself, and cannot yet
  await watch.write('template.yaml', template(open, 'Timeout: 7, '));
  await watch.seen(({ resource, state }) => resource === 'Fn' && state === 'failed', from);
  await watch.seen(isStack('in-sync'), from);
  expect(await readMethod('/ping')(app, 'Rest')).toMatchObject({ authorizationType: 'NONE' });
  expect(app.proxy.count('PutRestApi')).toBe(0);
  from = watch.lines.length;
  await watch.write('template.yaml', template('', 'Timeout: 7, '));
  await watch.seen(({ resource }) => resource === 'Rest', from);
  await watch.seen(isStack('in-sync'), from);
  expect(app.proxy.count('PutRestApi')).toBe(1);
}, 90_000);

it('a limit that an earlier save added goes with the deployment of the next one', async () => {
  const template = (settings: string): string => `${HEAD}Resources:
  Plan: {Type: AWS::ApiGateway::UsagePlan, Properties: {UsagePlanName: plan${settings}}}
${outputs(['Plan'])}`;
  const app = await apps.create({ 'template.yaml': template('') });
  const watch = await app.ready();
  const held = app.proxy.hold({ operation: 'UpdateStack' });
  const shown = (throttle: object): object => ({ name: 'plan', description: '', quota: {}, throttle, tags: {} });
  const states = { before: shown({ burstLimit: 5, rateLimit: 1 }), after: shown({ rateLimit: 1 }) };
  const row: Read = { id: 'Plan', read: readPlan, isWhole: true, shown: states };
  await watch.write('template.yaml', template(', Throttle: {BurstLimit: 5, RateLimit: 1}'));
  await all(app, 'before', [row]);
  const from = watch.lines.length;
  await watch.write('template.yaml', template(', Throttle: {RateLimit: 1}'));
  // API Gateway keeps a limit that CloudFormation does not know
  const kept = (text: string): string => text.replace('"rateLimit"', '"burstLimit": 5, "rateLimit"');
  app.proxy.fault({ operation: 'GetUsagePlan' }, { kind: 'change', body: kept });
  held.release();
  await watch.seen(isStack('in-sync'), from);
  await all(app, 'after', [row]);
  expect(app.proxy.count('UpdateUsagePlan')).toBe(2);
}, 90_000);
