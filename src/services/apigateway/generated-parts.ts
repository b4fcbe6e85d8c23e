import { isMap, mapOf, scalarText } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { canonicalJson } from '../definition-text.ts';
import { corsMethod, isCorsMethod } from './cors-method.ts';
import type { CorsSettings, SchemaDepth } from './cors-method.ts';

/** What SAM makes of properties of an API, or why only SAM can. */
export type GeneratedParts = { body: TemplateMap } | { why: string };

/**
 * Replaces the parts that SAM writes into the definition of a REST API for `BinaryMediaTypes`, `Cors`, `GatewayResponses` and
 * `Models`. `body`: what SAM made of the deployed template, resolved, so that all else in it is SAM's own. Pure.
 */
export function replaceParts(body: TemplateMap, properties: TemplateMap): GeneratedParts {
  const { BinaryMediaTypes, Cors, GatewayResponses, Models, Auth } = properties;
  const cors = corsSettings(Cors);
  if (cors === 'unknown') return { why: 'Cors: only the deployment can check and set a value of this form' };
  const isOpenApi = scalarText(body['openapi'])?.startsWith('3') === true;
  const depth = !isOpenApi ? 0 : isMap(Models) ? 2 : 1;
  const paths = corsPaths(body, { cors, depth, hasAuth: isMap(Auth) });
  if (paths === undefined) return { why: 'only SAM knows what Auth adds to the methods of Cors' };
  const responses = Object.entries(mapOf(GatewayResponses)).map(
    ([type, response]) => [type, gatewayResponse(mapOf(response))] as const,
  );
  const schemas = Object.entries(mapOf(Models)).map(([name, schema]) => [name.toLowerCase(), schema] as const);
  const whole = {
    ...body,
    paths,
    'x-amazon-apigateway-binary-media-types': Array.isArray(BinaryMediaTypes)
      ? BinaryMediaTypes.map((type) => (typeof type === 'string' ? type.replaceAll('~1', '/') : type))
      : null,
    'x-amazon-apigateway-gateway-responses': mapOrNull(responses),
    ...(isOpenApi ? components(body, mapOrNull(schemas)) : { definitions: mapOrNull(schemas) }),
  };
  return { body: withoutNulls(whole) };
}

type Entries = readonly (readonly [string, TemplateValue])[];

function mapOrNull(entries: Entries): TemplateMap | null {
  return entries.length === 0 ? null : Object.fromEntries<TemplateValue>(entries);
}

function withoutNulls(map: TemplateMap): TemplateMap {
  return Object.fromEntries<TemplateValue>(Object.entries(map).filter(([, value]) => value !== null));
}

function components(body: TemplateMap, schemas: TemplateMap | null): TemplateMap {
  const others = withoutNulls({ ...mapOf(body['components']), schemas });
  return { components: Object.keys(others).length === 0 ? null : others };
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

/** Reads `Cors`; undefined: there is none. */
function corsSettings(written: TemplateValue | undefined): CorsSettings | undefined | 'unknown' {
  if (written === undefined || written === null || written === false || written === '') return undefined;
  if (typeof written === 'string') return { AllowOrigin: written };
  if (!isMap(written)) return 'unknown';
  return Object.keys(written).every((name) => KNOWN.has(name)) ? { AllowOrigin: "'*'", ...written } : 'unknown';
}

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

/** Whether two definitions mean the same. Pure. */
export function sameBody(one: TemplateMap, other: TemplateMap): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
