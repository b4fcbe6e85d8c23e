import { mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { INTEGRATION } from './method-form.ts';
import type { MethodForm } from './method-form.ts';

export const VALIDATOR = 'x-amazon-apigateway-request-validator';

/** What a method of an event is written from. */
export interface MethodSettings {
  /** The properties of its event. */
  event: TemplateMap;
  /** `Auth` of the API. */
  apiAuth: TemplateMap;
  partition: string;
  isOpenApi: boolean;
}

const FIXED = ['httpMethod', 'responseTransferMode', 'type', 'uri'];

/** Of a REST API. */
export const REST_METHOD: MethodForm = {
  method: [INTEGRATION, VALIDATOR, 'parameters', 'requestBody', 'responses', 'security'],
  integration: [...FIXED, 'cacheKeyParameters', 'credentials', 'timeoutInMillis'],
};

/** Writes the method of a function's event again, without `security`. Pure. */
export function restMethod(deployed: TemplateMap, settings: MethodSettings): TemplateMap {
  const { event } = settings;
  const { Model, Required } = mapOf(event['RequestModel']);
  const model = scalarText(Model)?.toLowerCase();
  const parameters = requestParameters(event['RequestParameters']);
  const isRequired = Required === undefined || Required === null ? {} : { required: Required };
  const list = [
    ...(model === undefined || settings.isOpenApi
      ? []
      : [{ in: 'body', name: model, schema: { $ref: `#/definitions/${model}` }, ...isRequired }]),
    ...parameters.map(({ parameter }) => parameter),
  ];
  const schema = { $ref: `#/components/schemas/${model}` };
  const validator = validatorName(event);
  return {
    [INTEGRATION]: integrationOf(mapOf(deployed[INTEGRATION]), settings),
    responses: deployed['responses'] ?? {},
    ...(list.length === 0 ? {} : { parameters: list }),
    ...(model === undefined || !settings.isOpenApi
      ? {}
      : { requestBody: { content: { 'application/json': { schema } }, ...isRequired } }),
    ...(validator === undefined ? {} : { [VALIDATOR]: validator }),
  };
}

/** The validators that the methods name, by name. Pure. */
export function validatorsOf(methods: readonly TemplateMap[]): TemplateMap | undefined {
  const names = methods.flatMap((method) => scalarText(method[VALIDATOR]) ?? []);
  const entries = VALIDATORS.filter(([name]) => names.includes(name)).map(([name, body, parameters]) => [
    name,
    { validateRequestBody: body, validateRequestParameters: parameters },
  ]);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as TemplateMap);
}

const VALIDATORS = [
  ['body-and-params', true, true],
  ['body-only', true, false],
  ['params-only', false, true],
  ['no-validation', false, false],
] as const;

function validatorName({ RequestModel }: TemplateMap): string | undefined {
  const { Model, ValidateBody = null, ValidateParameters = null } = mapOf(RequestModel);
  if (scalarText(Model) === undefined || (ValidateBody === null && ValidateParameters === null)) return undefined;
  const isBody = ValidateBody === true;
  const areParameters = ValidateParameters === true;
  const [name] = VALIDATORS.find(([, body, parameters]) => body === isBody && parameters === areParameters) ?? [];
  return name;
}

function integrationOf(deployed: TemplateMap, { event, apiAuth, partition }: MethodSettings): TemplateMap {
  const fixed = Object.fromEntries(Object.entries(deployed).filter(([name]) => FIXED.includes(name)));
  const credentials = credentialsOf(event['Auth'], apiAuth, partition);
  const keys = requestParameters(event['RequestParameters']).flatMap(({ cacheKey }) => cacheKey ?? []);
  const { TimeoutInMillis = null } = event;
  return {
    ...fixed,
    ...(credentials === undefined ? {} : { credentials }),
    ...(TimeoutInMillis === null ? {} : { timeoutInMillis: TimeoutInMillis }),
    ...(keys.length === 0 ? {} : { cacheKeyParameters: keys }),
  };
}

/** The role that API Gateway takes to call the function of a signed request. */
function credentialsOf(
  eventAuth: TemplateValue | undefined,
  apiAuth: TemplateMap,
  partition: string,
): TemplateValue | undefined {
  const own = mapOf(eventAuth);
  const isByDefault = apiAuth['DefaultAuthorizer'] === 'AWS_IAM' && Object.keys(own).length === 0;
  if (own['Authorizer'] !== 'AWS_IAM' && !isByDefault) return undefined;
  const [role] = [own, apiAuth].flatMap((auth) =>
    Object.hasOwn(auth, 'InvokeRole') ? [auth['InvokeRole'] || 'NONE'] : [],
  );
  if (role === 'NONE') return undefined;
  return role === undefined || role === 'CALLER_CREDENTIALS' ? `arn:${partition}:iam::*:user/*` : role;
}

interface RequestParameter {
  parameter: TemplateMap;
  cacheKey: string | undefined;
}

function requestParameters(written: TemplateValue | undefined): RequestParameter[] {
  return (Array.isArray(written) ? written : []).map((item) => {
    const [key, options] = typeof item === 'string' ? [item, {}] : (Object.entries(mapOf(item))[0] ?? ['', {}]);
    const { Required = false, Caching } = mapOf(options);
    const [, place = '', name = ''] = /^method\.request\.([^.]+)\.(.+)$/s.exec(key) ?? [];
    const parameter = { in: place === 'querystring' ? 'query' : place, name, required: Required, type: 'string' };
    return { parameter, cacheKey: Caching === true ? key : undefined };
  });
}
