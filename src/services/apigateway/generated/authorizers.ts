import { isMap, mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';

/** Where the API is, for the ARNs in its definition. */
export interface ApiPlace {
  partition: string;
  region: string;
}

const EXTENSION = 'x-amazon-apigateway-authorizer';

/** Requests that are signed. */
export const SIGNED: TemplateMap = {
  type: 'apiKey',
  name: 'Authorization',
  in: 'header',
  'x-amazon-apigateway-authtype': 'awsSigv4',
};
/** Requests with an API key. */
export const WITH_API_KEY: TemplateMap = { type: 'apiKey', name: 'x-api-key', in: 'header' };

/** What SAM writes into the definition of a REST API for an entry of `Auth.Authorizers`. Pure. */
export function restAuthorizer(place: ApiPlace, authorizer: TemplateMap): TemplateMap {
  const { UserPoolArn, FunctionArn, FunctionInvokeRole, FunctionPayloadType, Identity } = authorizer;
  const { Header, ReauthorizeEvery, ValidationExpression } = mapOf(Identity);
  const isPool = isSet(UserPoolArn);
  const isRequest = !isPool && FunctionPayloadType === 'REQUEST';
  const source = isRequest ? identitySource(mapOf(Identity), 'method.request.').join(', ') : '';
  const type = isPool ? 'cognito_user_pools' : isRequest ? 'request' : 'token';
  return {
    type: 'apiKey',
    name: isRequest ? 'Unused' : isSet(Header) ? Header : 'Authorization',
    in: 'header',
    'x-amazon-apigateway-authtype': isPool ? 'cognito_user_pools' : 'custom',
    [EXTENSION]: {
      type,
      ...(isPool
        ? { providerARNs: Array.isArray(UserPoolArn) ? UserPoolArn : [UserPoolArn] }
        : { authorizerUri: authorizerUri(place, FunctionArn) }),
      ...(!isPool && isGiven(ReauthorizeEvery) ? { authorizerResultTtlInSeconds: ReauthorizeEvery } : {}),
      ...(!isPool && isRole(FunctionInvokeRole) ? { authorizerCredentials: FunctionInvokeRole } : {}),
      ...(source === '' ? {} : { identitySource: source }),
      ...(!isRequest && isSet(ValidationExpression) ? { identityValidationExpression: ValidationExpression } : {}),
    },
  };
}

/** What SAM writes into the definition of an HTTP API. Pure. */
export function httpAuthorizer(place: ApiPlace, authorizer: TemplateMap): TemplateMap {
  const { JwtConfiguration, IdentitySource = null, Identity, FunctionArn, FunctionInvokeRole } = authorizer;
  if (Object.keys(mapOf(JwtConfiguration)).length > 0) {
    const members = Object.entries(mapOf(JwtConfiguration)).map(([name, value]) => [name.toLowerCase(), value]);
    const jwtConfiguration = Object.fromEntries(members) as TemplateMap;
    return { type: 'oauth2', [EXTENSION]: { jwtConfiguration, identitySource: IdentitySource, type: 'jwt' } };
  }
  const { AuthorizerPayloadFormatVersion = null, EnableSimpleResponses } = authorizer;
  const { ReauthorizeEvery, ...sources } = mapOf(Identity);
  const hasIdentity = Object.keys(mapOf(Identity)).length > 0;
  return {
    type: 'apiKey',
    name: 'Unused',
    in: 'header',
    [EXTENSION]: {
      type: 'request',
      authorizerUri: authorizerUri(place, FunctionArn),
      ...(isRole(FunctionInvokeRole) ? { authorizerCredentials: FunctionInvokeRole } : {}),
      ...(isGiven(ReauthorizeEvery) ? { authorizerResultTtlInSeconds: ReauthorizeEvery } : {}),
      ...(hasIdentity ? { identitySource: identitySource(sources, '$request.') } : {}),
      authorizerPayloadFormatVersion: AuthorizerPayloadFormatVersion,
      ...(EnableSimpleResponses === true ? { enableSimpleResponses: true } : {}),
    },
  };
}

/** The address of the function that an authorizer in a definition calls; undefined: it calls none. Pure. */
export function calledFunction(scheme: TemplateValue | undefined): string | undefined {
  return scalarText(mapOf(mapOf(scheme)[EXTENSION])['authorizerUri']);
}

function authorizerUri({ partition, region }: ApiPlace, functionArn: TemplateValue | undefined): string {
  const path = `lambda:path/2015-03-31/functions/${scalarText(functionArn)}/invocations`;
  return `arn:${partition}:apigateway:${region}:${path}`;
}

function identitySource(identity: TemplateMap, prefix: 'method.request.' | '$request.'): string[] {
  const mark = prefix.startsWith('$') ? '$' : '';
  const places = [
    ['Headers', `${prefix}header.`],
    ['QueryStrings', `${prefix}querystring.`],
    ['StageVariables', `${mark}stageVariables.`],
    ['Context', `${mark}context.`],
  ] as const;
  return places.flatMap(([name, start]) => {
    const values = identity[name];
    return Array.isArray(values) ? values.map((value) => `${start}${scalarText(value)}`) : [];
  });
}

function isRole(role: TemplateValue | undefined): role is TemplateValue {
  return isSet(role) && role !== 'NONE';
}

function isGiven(value: TemplateValue | undefined): value is TemplateValue {
  return value !== undefined && value !== null;
}

function isSet(value: TemplateValue | undefined): value is TemplateValue {
  return (
    isGiven(value) && value !== '' && value !== false && value !== 0 && !(Array.isArray(value) && value.length === 0)
  );
}

/** Parts of `Auth` that SAM makes no methods and authorizers of. */
const BESIDE_METHODS = ['ResourcePolicy', 'UsagePlan'];

/** `Auth` without what SAM writes neither into methods nor into authorizers. Pure. */
export function methodAuth(auth: TemplateValue): TemplateValue {
  if (!isMap(auth)) return auth;
  const entries = Object.entries(auth).map(([name, value]) => [name, BESIDE_METHODS.includes(name) ? true : value]);
  return Object.fromEntries(entries) as TemplateMap;
}
