import { CORS } from './cors-settings.ts';
import type { DirectProperty, Shape } from './direct-settings.ts';

/*
 * Settings of stages and HTTP APIs that API Gateway sets without a deployment of the API. There is no `CacheClusterEnabled` or
 * `CacheClusterSize`: a cache cluster takes minutes, in which API Gateway refuses the update that CloudFormation sends next.
 */

const VARIABLES: Shape = { map: 'text' };

/** Access logs are off without a destination. */
const ACCESS_LOGS: Pick<DirectProperty, 'shape' | 'absent'> = {
  shape: { members: { DestinationArn: { shape: 'text', absent: '' }, Format: { shape: 'text', absent: '' } } },
  absent: { DestinationArn: '', Format: '' },
};

/** What UpdateStage takes for the stage of a REST API. */
export const REST_STAGE: Readonly<Record<string, DirectProperty>> = {
  AccessLogSetting: { member: 'accessLogSettings', ...ACCESS_LOGS },
  MethodSettings: {
    member: 'methodSettings',
    shape: {
      list: {
        members: {
          CacheDataEncrypted: 'boolean',
          CacheTtlInSeconds: 'number',
          CachingEnabled: 'boolean',
          DataTraceEnabled: 'boolean',
          HttpMethod: 'text',
          LoggingLevel: 'text',
          MetricsEnabled: 'boolean',
          ResourcePath: 'text',
          ThrottlingBurstLimit: 'number',
          ThrottlingRateLimit: 'decimal',
        },
      },
    },
    absent: [],
    isWhole: true,
  },
  TracingEnabled: { member: 'tracingEnabled', shape: 'boolean', absent: false },
  Variables: { member: 'variables', shape: VARIABLES, absent: {} },
};

/** What UpdateRestApi takes. An import of a definition resets them in its own way, so they come and go with a deployment. */
export const REST_API: Readonly<Record<string, DirectProperty>> = {
  ApiKeySourceType: { member: 'apiKeySource', shape: 'text' },
  Description: { member: 'description', shape: 'text' },
  MinimumCompressionSize: { member: 'minimumCompressionSize', shape: 'number' },
  Name: { member: 'name', shape: 'text' },
};

const ROUTE_SETTINGS = {
  // of WebSocket APIs only
  DataTraceEnabled: 'boolean',
  DetailedMetricsEnabled: 'boolean',
  LoggingLevel: 'text',
  ThrottlingBurstLimit: 'number',
  ThrottlingRateLimit: 'decimal',
} as const satisfies Readonly<Record<string, Shape>>;

/**
 * Settings of single routes. UpdateStage adds to what a route has, and CloudFormation removes nothing of it; DeleteRouteSettings
 * removes those of one route, as a whole.
 */
export const ROUTES: Readonly<Record<string, DirectProperty>> = {
  RouteSettings: { member: 'RouteSettings', shape: { members: ROUTE_SETTINGS }, absent: null, isWhole: true },
};

/** What UpdateStage takes for the stage of an HTTP or WebSocket API. */
export const HTTP_STAGE: Readonly<Record<string, DirectProperty>> = {
  AccessLogSettings: { member: 'AccessLogSettings', ...ACCESS_LOGS },
  // API Gateway cannot unset throttling of a stage again, so it comes and goes with a deployment; metrics go
  DefaultRouteSettings: {
    member: 'DefaultRouteSettings',
    shape: { members: { ...ROUTE_SETTINGS, DetailedMetricsEnabled: { shape: 'boolean', absent: false } } },
    absent: { DetailedMetricsEnabled: false },
  },
  StageVariables: { member: 'StageVariables', shape: VARIABLES, absent: {} },
};

/** The description of either kind of stage, which SAM's APIs do not have. */
export const STAGE_DESCRIPTION = {
  Description: { member: 'description', shape: 'text', absent: '' },
} as const satisfies Readonly<Record<string, DirectProperty>>;

/** What UpdateUsagePlan takes. */
export const USAGE_PLAN: Readonly<Record<string, DirectProperty>> = {
  Description: { member: 'description', shape: 'text', absent: '' },
  Quota: {
    member: 'quota',
    shape: { members: { Limit: 'number', Offset: { shape: 'number', absent: 0 }, Period: 'text' } },
    absent: null,
  },
  Throttle: {
    member: 'throttle',
    shape: { members: { BurstLimit: 'number', RateLimit: 'decimal' } },
    absent: null,
  },
  UsagePlanName: { member: 'name', shape: 'text' },
};

/** What UpdateApiKey takes. */
export const API_KEY: Readonly<Record<string, DirectProperty>> = {
  Description: { member: 'description', shape: 'text', absent: '' },
  Enabled: { member: 'enabled', shape: 'boolean' },
};

/** What UpdateApi takes for an HTTP API. */
export const HTTP_API: Readonly<Record<string, DirectProperty>> = {
  CorsConfiguration: { member: 'CorsConfiguration', ...CORS, off: ['false'] },
  Description: { member: 'Description', shape: 'text', absent: '' },
  DisableExecuteApiEndpoint: { member: 'DisableExecuteApiEndpoint', shape: 'boolean', absent: false },
  Name: { member: 'Name', shape: 'text' },
};
