import { isMap, mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { canonicalJson } from '../../definition-text.ts';
import { restAuthorizer, SIGNED, WITH_API_KEY } from './authorizers.ts';
import { corsMethod, isCorsMethod } from './cors-method.ts';
import type { CorsSettings, SchemaDepth } from './cors-method.ts';
import {
  componentsOf,
  eventOfMethod,
  mapMethods,
  mapOrNull,
  withoutNulls,
  withSecurity,
  writeAuthorizers,
} from './generated-routes.ts';
import type { GeneratedRoutes } from './generated-routes.ts';
import { restSecurity } from './method-security.ts';
import { restMethod, VALIDATOR, validatorsOf } from './rest-methods.ts';

/** What SAM makes of properties of an API, or why only SAM can. */
export type GeneratedParts = { body: TemplateMap } | { why: string };

/**
 * Replaces the parts that SAM writes into the definition of a REST API for `Auth`, `BinaryMediaTypes`, `Cors`, `GatewayResponses`,
 * `Models` and events. `body`: what SAM made of the deployed template, resolved, so that all else in it is SAM's own. Without
 * `routes`, methods and authorizers stay as they are. Pure.
 */
export function replaceParts(body: TemplateMap, properties: TemplateMap, routes?: GeneratedRoutes): GeneratedParts {
  const { BinaryMediaTypes, Cors, GatewayResponses, Models, Auth } = properties;
  const cors = corsSettings(Cors);
  if (cors === 'unknown') return { why: 'Cors: only the deployment can check and set a value of this form' };
  const isOpenApi = isOpenApi3(body);
  const depth = isOpenApi ? schemaDepth(properties) : 0;
  const paths = corsPaths(body, { cors, depth, hasAuth: routes === undefined && isMap(Auth) });
  if (paths === undefined) return { why: 'only SAM knows what Auth adds to the methods of Cors' };
  if (body[POLICY] !== undefined && methodNames(paths) !== methodNames(body['paths']))
    return { why: 'Cors: only SAM knows what it adds to the policy of the API' };
  const written = routes && writeRoutes(paths, { auth: mapOf(Auth), isOpenApi, routes });
  const responses = Object.entries(mapOf(GatewayResponses)).map(
    ([type, response]) => [type, gatewayResponse(mapOf(response))] as const,
  );
  const schemas = mapOrNull(
    Object.entries(mapOf(Models)).map(([name, schema]) => [name.toLowerCase(), schema] as const),
  );
  const whole = {
    ...body,
    paths,
    ...written?.members,
    'x-amazon-apigateway-binary-media-types': Array.isArray(BinaryMediaTypes)
      ? BinaryMediaTypes.map((type) => (typeof type === 'string' ? type.replaceAll('~1', '/') : type))
      : null,
    'x-amazon-apigateway-gateway-responses': mapOrNull(responses),
    ...(isOpenApi
      ? { components: componentsOf(body, { schemas, ...(written && { securitySchemes: written.schemes }) }) }
      : { definitions: schemas, ...(written && { securityDefinitions: written.schemes }) }),
  };
  return { body: withoutNulls(whole) };
}

const POLICY = 'x-amazon-apigateway-policy';

/** Whether a definition is one of OpenAPI 3, not of Swagger 2. Pure. */
export function isOpenApi3(body: TemplateMap): boolean {
  return scalarText(body['openapi'])?.startsWith('3') === true;
}

/** SAM converts the definition once, and once more for each of these. Pure. */
export function schemaDepth({ Auth, Models }: TemplateMap): SchemaDepth {
  const set = [Auth, Models].filter((value) => Object.keys(mapOf(value)).length > 0);
  return (1 + set.length) as SchemaDepth;
}

function methodNames(paths: TemplateValue | undefined): string {
  return canonicalJson(Object.entries(mapOf(paths)).map(([path, item]) => [path, Object.keys(mapOf(item)).sort()]));
}

interface RouteParts {
  auth: TemplateMap;
  isOpenApi: boolean;
  routes: GeneratedRoutes;
}

/** Writes the methods of events, who may call each method, and the authorizers. */
function writeRoutes(
  paths: TemplateMap,
  { auth, isOpenApi, routes }: RouteParts,
): { members: TemplateMap; schemes: TemplateMap | null } {
  const { partition } = routes.place;
  const methods: TemplateMap[] = [];
  const written = mapMethods(paths, (route, deployed) => {
    const event = eventOfMethod(routes, route);
    const isPreflight = event === undefined && isCorsMethod(deployed);
    // any other method without an event goes with the deployment
    if (event === undefined && !isPreflight) return deployed;
    const { isStateMachine = true, properties = {} } = event ?? {};
    const settings = { event: properties, apiAuth: auth, partition, isOpenApi };
    const method = isStateMachine ? deployed : restMethod(deployed, settings);
    const security = restSecurity(route[1], event && mapOf(properties['Auth']), auth);
    methods.push(method);
    return withSecurity(method, security);
  });
  const members = { paths: written, [`${VALIDATOR}s`]: validatorsOf(methods) ?? null };
  return { members, schemes: schemesOf(auth, routes) };
}

function schemesOf(auth: TemplateMap, { events, place }: GeneratedRoutes): TemplateMap | null {
  const eventAuths = events.map(({ properties }) => mapOf(properties['Auth']));
  const isSigned =
    auth['DefaultAuthorizer'] === 'AWS_IAM' || eventAuths.some(({ Authorizer }) => Authorizer === 'AWS_IAM');
  const hasApiKey = auth['ApiKeyRequired'] === true || eventAuths.some(({ ApiKeyRequired }) => ApiKeyRequired === true);
  return mapOrNull([
    ...writeAuthorizers(auth, (authorizer) => restAuthorizer(place, authorizer)),
    ...(isSigned ? [['AWS_IAM', SIGNED] as const] : []),
    ...(hasApiKey ? [['api_key', WITH_API_KEY] as const] : []),
  ]);
}

/** A gateway response, as the definition writes it. */
function gatewayResponse({ ResponseParameters, ResponseTemplates, StatusCode }: TemplateMap): TemplateMap {
  const { Headers, Paths, QueryStrings } = mapOf(ResponseParameters);
  const parameters = [...named('header', Headers), ...named('path', Paths), ...named('querystring', QueryStrings)];
  const statusCode = scalarText(StatusCode);
  return {
    responseParameters: Object.fromEntries<TemplateValue>(parameters),
    responseTemplates: mapOf(ResponseTemplates),
    ...(statusCode ? { statusCode } : {}),
  };
}

function named(place: string, values: TemplateValue | undefined): [string, TemplateValue][] {
  return Object.entries(mapOf(values)).map(([name, value]) => [`gatewayresponse.${place}.${name}`, value]);
}

/** Reads `Cors`; undefined: there is none. Pure. */
export function corsSettings(written: TemplateValue | undefined): CorsSettings | undefined | 'unknown' {
  if (written === undefined || written === null || written === false || written === '') return undefined;
  if (typeof written === 'string') return { AllowOrigin: written };
  if (!isMap(written)) return 'unknown';
  // SAM takes an empty mapping for none
  if (Object.keys(written).length === 0) return undefined;
  const cors = { AllowOrigin: ANY_ORIGIN, ...written };
  const isKnown = Object.keys(cors).every((name) => KNOWN.has(name)) && (scalarText(cors.AllowOrigin) ?? '') !== '';
  // SAM refuses credentials for every origin
  const isRefused = written['AllowCredentials'] === true && cors.AllowOrigin === ANY_ORIGIN;
  return isKnown && !isRefused ? cors : 'unknown';
}

const ANY_ORIGIN = "'*'";

const KNOWN = new Set(['AllowCredentials', 'AllowHeaders', 'AllowMethods', 'AllowOrigin', 'MaxAge']);

/** The paths with other OPTIONS methods; undefined: SAM adds something to them that cannot be known. */
function corsPaths(
  body: TemplateMap,
  { cors, depth, hasAuth }: { cors: CorsSettings | undefined; depth: SchemaDepth; hasAuth: boolean },
): TemplateMap | undefined {
  const seen = new Set<string>();
  const paths: [string, TemplateValue][] = [];
  for (const [path, item] of Object.entries(mapOf(body['paths']))) {
    const { options = null, ...methods } = mapOf(item);
    const isOwn = options !== null && !isCorsMethod(options);
    // API Gateway takes `/path` and `/path/` for the same resource
    const name = path === '/' ? path : path.replace(/\/+$/, '');
    if (isOwn || cors === undefined || seen.has(name)) paths.push([path, isOwn ? item : methods]);
    else {
      if (hasAuth && options === null) return undefined;
      const added = corsMethod(cors, Object.keys(methods), depth);
      // what SAM added to the method later, such as security, stays
      paths.push([path, { ...methods, options: { ...mapOf(options), ...added } }]);
    }
    seen.add(name);
  }
  return Object.fromEntries<TemplateValue>(paths);
}
