import { mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';

/** An entry of a method's `security`: one name, and its scopes. */
type Security = readonly [name: string, scopes: TemplateValue];

const IAM = 'AWS_IAM';
const NONE = 'NONE';
const API_KEY = 'api_key';
/** Marks a method that needs no API key although the API does. */
const NO_API_KEY = 'api_key_false';

/**
 * Who may call a method of a REST API: `Auth` of its event and of the API; undefined: everybody. `method`: as the definition names
 * it. Pure.
 */
export function restSecurity(
  method: string,
  event: TemplateMap | undefined,
  api: TemplateMap,
): TemplateMap[] | undefined {
  const { AddApiKeyRequiredToCorsPreflight = true, AddDefaultAuthorizerToCorsPreflight = true } = api;
  const isPreflight = method === 'options';
  const own = event === undefined ? [] : ofRestEvent(event, api);
  let security = own;
  const { DefaultAuthorizer: byDefault } = api;
  if (typeof byDefault === 'string' && !(isPreflight && AddDefaultAuthorizerToCorsPreflight === false))
    security = withDefault(security, byDefault, mapOf(api['Authorizers']));
  if (api['ApiKeyRequired'] === true)
    security = withApiKey(security, !(isPreflight && AddApiKeyRequiredToCorsPreflight === false));
  // SAM leaves the empty list of what it took away
  return security.length === 0 && own.length === 0 ? undefined : written(security);
}

/** Who may call a method of an HTTP API; undefined: everybody. Pure. */
export function httpSecurity(
  method: string,
  event: TemplateMap | undefined,
  api: TemplateMap,
): TemplateMap[] | undefined {
  const { Authorizers, DefaultAuthorizer: byDefault } = api;
  const name = event === undefined ? undefined : (event['Authorizer'] ?? byDefault);
  if (typeof name === 'string') {
    const own = listOf(event?.['AuthorizationScopes']);
    const hasScopes = name !== NONE && name !== IAM;
    const scopes = own.length > 0 ? own : listOf(scopesOf(Authorizers, name));
    return written([[name, hasScopes ? scopes : []]]);
  }
  if (typeof byDefault !== 'string' || method === 'options') return undefined;
  return written([[byDefault, scopesOf(Authorizers, byDefault) ?? []]]);
}

function ofRestEvent(event: TemplateMap, { Authorizers }: TemplateMap): Security[] {
  const { Authorizer: name, AuthorizationScopes: own = null, ApiKeyRequired: needsKey = null } = event;
  const security: Security[] = [];
  if (typeof name === 'string' && name !== '') {
    const isDefined = name !== NONE && Object.hasOwn(mapOf(Authorizers), name);
    security.push([name, isDefined ? (own ?? scopesOf(Authorizers, name) ?? []) : []]);
  }
  if (needsKey !== null) security.push([needsKey === true ? API_KEY : NO_API_KEY, []]);
  return security;
}

/** A method without an authorizer of its own gets the API's. */
function withDefault(security: readonly Security[], byDefault: string, authorizers: TemplateMap): Security[] {
  const isAuthorizer = ([name]: Security): boolean => name === IAM || Object.hasOwn(authorizers, name);
  const others = security.filter((entry) => !isAuthorizer(entry));
  const isNone = ([name]: Security): boolean => name === NONE;
  if (others.some(isNone)) {
    const left = others.filter((entry) => !isNone(entry));
    // SAM writes no empty list: the mark stays
    return left.length === 0 ? [...security] : left;
  }
  const own = security.filter(isAuthorizer);
  return [...others, ...(own.length > 0 ? own : [[byDefault, scopesOf(authorizers, byDefault) ?? []] as const])];
}

function withApiKey(security: readonly Security[], isAdded: boolean): Security[] {
  const others = security.filter(([name]) => name !== API_KEY && name !== NO_API_KEY);
  const isRefused = security.some(([name]) => name === NO_API_KEY);
  return isRefused || !isAdded ? others : [...others, [API_KEY, []]];
}

function scopesOf(authorizers: TemplateValue | undefined, name: string): TemplateValue | undefined {
  return mapOf(mapOf(authorizers)[name])['AuthorizationScopes'] ?? undefined;
}

function listOf(value: TemplateValue | undefined): TemplateValue[] {
  return Array.isArray(value) ? value : [];
}

function written(security: readonly Security[]): TemplateMap[] {
  return security.map(([name, scopes]) => ({ [name]: scopes }));
}
