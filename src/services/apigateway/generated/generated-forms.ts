import { intrinsicName, isMap, mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';

/*
 * The forms of values from which it is certain what SAM writes into a definition. SAM reads the template before CloudFormation
 * resolves it: an intrinsic function is "set" for SAM, whatever its value, and so is the text `false`.
 */

/** Whether a value has a form. */
type Form = (value: TemplateValue) => boolean;

const isText: Form = (value) => typeof value === 'string' && value !== '';
const isBoolean: Form = (value) => typeof value === 'boolean';
const isNumber: Form = (value) => /^[1-9]\d*$/.test(scalarText(value) ?? '');
const isCount: Form = (value) => /^\d+$/.test(scalarText(value) ?? '');
const isAny: Form = () => true;
const isMapping: Form = isMap;

function listOf(item: Form): Form {
  return (value) => Array.isArray(value) && value.every(item);
}

function mapWith(item: Form): Form {
  return (value) => isMap(value) && Object.values(value).every(item);
}

/** A mapping with no other members; any of them may be missing. */
function members(forms: Readonly<Record<string, Form>>): Form {
  return (value) =>
    isMap(value) &&
    Object.entries(value).every(([name, item]) => item === null || (Object.hasOwn(forms, name) && forms[name]?.(item)));
}

const isTexts = listOf(isText);
const IDENTITY = {
  Context: isTexts,
  Headers: isTexts,
  QueryStrings: isTexts,
  ReauthorizeEvery: isCount,
  StageVariables: isTexts,
};

const isRestAuthorizer: Form = (value) =>
  members({
    AuthorizationScopes: isTexts,
    DisableFunctionDefaultPermissions: isBoolean,
    FunctionArn: isText,
    FunctionInvokeRole: isText,
    FunctionPayloadType: (type) => type === 'TOKEN' || type === 'REQUEST',
    Identity: members({ ...IDENTITY, Header: isText, ValidationExpression: isText }),
    UserPoolArn: (arn) => isText(arn) || (isTexts(arn) && Array.isArray(arn) && arn.length > 0),
  })(value) &&
  hasOne(mapOf(value), ['UserPoolArn', 'FunctionArn']) &&
  (mapOf(value)['FunctionPayloadType'] !== 'REQUEST' || hasSource(mapOf(mapOf(value)['Identity'])));

const isHttpAuthorizer: Form = (value) =>
  members({
    AuthorizationScopes: isTexts,
    AuthorizerPayloadFormatVersion: isAny,
    EnableFunctionDefaultPermissions: isBoolean,
    EnableSimpleResponses: isBoolean,
    FunctionArn: isText,
    FunctionInvokeRole: isText,
    Identity: members(IDENTITY),
    IdentitySource: isText,
    JwtConfiguration: isMapping,
  })(value) &&
  hasOne(mapOf(value), ['JwtConfiguration', 'FunctionArn']) &&
  isHttpIdentity(mapOf(value));

/** SAM refuses an authorizer that caches answers and does not say for whom. */
function hasSource({ ReauthorizeEvery = null, ...sources }: TemplateMap): boolean {
  const lists = ['Context', 'Headers', 'QueryStrings', 'StageVariables'].map((name) => sources[name]);
  return scalarText(ReauthorizeEvery) === '0' || lists.some((list) => Array.isArray(list) && list.length > 0);
}

/** SAM refuses a token from nowhere, a function without the version of its payload, and what only the other kind of authorizer has. */
function isHttpIdentity(authorizer: TemplateMap): boolean {
  const has = (name: string): boolean => (authorizer[name] ?? null) !== null;
  if (!has('JwtConfiguration'))
    return has('AuthorizerPayloadFormatVersion') && !has('AuthorizationScopes') && !has('IdentitySource');
  return has('IdentitySource') && !FUNCTION_ONLY.some(has);
}

const FUNCTION_ONLY = [
  'AuthorizerPayloadFormatVersion',
  'EnableFunctionDefaultPermissions',
  'EnableSimpleResponses',
  'FunctionInvokeRole',
  'Identity',
];

function hasOne(map: TemplateMap, names: readonly string[]): boolean {
  return names.filter((name) => (map[name] ?? null) !== null).length === 1;
}

/** `Auth` of a REST API and of its events. */
export const REST_AUTH = {
  api: members({
    AddApiKeyRequiredToCorsPreflight: isBoolean,
    AddDefaultAuthorizerToCorsPreflight: isBoolean,
    ApiKeyRequired: isBoolean,
    Authorizers: mapWith(isRestAuthorizer),
    DefaultAuthorizer: isText,
    InvokeRole: isText,
    ResourcePolicy: isAny,
    UsagePlan: isAny,
  }),
  event: members({
    ApiKeyRequired: isBoolean,
    AuthorizationScopes: isTexts,
    Authorizer: isText,
    InvokeRole: isText,
    // SAM adds it twice
    OverrideApiAuth: (value) => value === false,
    ResourcePolicy: isAny,
  }),
};

/** `Auth` of an HTTP API and of its events. */
export const HTTP_AUTH = {
  api: members({ Authorizers: mapWith(isHttpAuthorizer), DefaultAuthorizer: isText, EnableIamAuthorizer: isBoolean }),
  event: members({ AuthorizationScopes: isTexts, Authorizer: isText }),
};

/** Properties of events. */
export const EVENT_FORMS: Readonly<Record<string, Form>> = {
  PayloadFormatVersion: isText,
  RequestModel: members({ Model: isText, Required: isBoolean, ValidateBody: isBoolean, ValidateParameters: isBoolean }),
  RequestParameters: listOf((item) => {
    const [key = '', ...others] = isMap(item) ? Object.keys(item) : [scalarText(item) ?? ''];
    const isNamed = /^method\.request\.(?:querystring|path|header)\../.test(key) && others.length === 0;
    return isNamed && (!isMap(item) || members({ Caching: isBoolean, Required: isBoolean })(item[key] ?? null));
  }),
  TimeoutInMillis: isNumber,
};

/** CORS of an HTTP API. */
export const isHttpCors: Form = (value) =>
  value === true ||
  members({
    AllowCredentials: isBoolean,
    AllowHeaders: isTexts,
    AllowMethods: isTexts,
    AllowOrigins: isTexts,
    ExposeHeaders: isTexts,
    MaxAge: isCount,
  })(value);

/** Functions whose result SAM passes on. */
const PASSED_ON = ['Ref', 'Fn::GetAtt', 'Fn::ImportValue', 'Fn::Join', 'Fn::Sub'];

/** Whether the value, as the template writes it, has functions that SAM does not pass on (`passesOn`: or any at all). Pure. */
export function hidesValue(value: TemplateValue | undefined, passesOn: boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => hidesValue(item, passesOn));
  if (!isMap(value)) return false;
  const name = intrinsicName(value);
  if (name === undefined) return Object.values(value).some((item) => hidesValue(item, passesOn));
  return !passesOn || !PASSED_ON.includes(name) || value['Ref'] === 'AWS::NoValue';
}
