import { mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';

export const IAM = 'AWS_IAM';
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
  const own = event === undefined ? [] : ofRestEvent(event, api);
  const security = addedRestSecurity(method, own, api);
  // SAM leaves the empty list of what it took away
  return security.length === 0 && own.length === 0 ? undefined : security;
}

/** Adds who may call a method by `Auth` of a REST API to what the method has itself. Pure. */
export function addedRestSecurity(method: string, own: TemplateMap[], api: TemplateMap): TemplateMap[] {
  const { AddApiKeyRequiredToCorsPreflight = true, AddDefaultAuthorizerToCorsPreflight = true } = api;
  const isPreflight = method === 'options';
  const { DefaultAuthorizer: byDefault } = api;
  // for SAM, null is no
  const isDefault = typeof byDefault === 'string' && !(isPreflight && !AddDefaultAuthorizerToCorsPreflight);
  const security = isDefault ? withDefault(own, byDefault, mapOf(api['Authorizers'])) : own;
  if (api['ApiKeyRequired'] !== true) return security;
  return withApiKey(security, !(isPreflight && !AddApiKeyRequiredToCorsPreflight));
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
    return [{ [name]: hasScopes ? scopes : [] }];
  }
  if (typeof byDefault !== 'string' || method === 'options') return undefined;
  return [{ [byDefault]: scopesOf(Authorizers, byDefault) ?? [] }];
}

function ofRestEvent(event: TemplateMap, { Authorizers }: TemplateMap): TemplateMap[] {
  const { Authorizer: name, AuthorizationScopes: own = null, ApiKeyRequired: needsKey = null } = event;
  const security: TemplateMap[] = [];
  if (typeof name === 'string' && name !== '') {
    const isDefined = name !== NONE && Object.hasOwn(mapOf(Authorizers), name);
    security.push({ [name]: isDefined ? (own ?? scopesOf(Authorizers, name) ?? []) : [] });
  }
  if (needsKey !== null) security.push({ [needsKey === true ? API_KEY : NO_API_KEY]: [] });
  return security;
}

/** A method without an authorizer of its own gets the API's. */
function withDefault(security: TemplateMap[], byDefault: string, authorizers: TemplateMap): TemplateMap[] {
  const isAuthorizer = (entry: TemplateMap): boolean => names(entry, [IAM, ...Object.keys(authorizers)]);
  const others = security.filter((entry) => !isAuthorizer(entry));
  const none = others.findIndex((entry) => names(entry, [NONE]));
  if (none >= 0) {
    const left = others.toSpliced(none, 1);
    // SAM writes no empty list: the mark stays
    return left.length === 0 ? security : left;
  }
  const own = security.filter(isAuthorizer);
  return [...others, ...(own.length > 0 ? own : [{ [byDefault]: scopesOf(authorizers, byDefault) ?? [] }])];
}

function withApiKey(security: TemplateMap[], isAdded: boolean): TemplateMap[] {
  const others = security.filter((entry) => !names(entry, [API_KEY, NO_API_KEY]));
  const isRefused = security.some((entry) => names(entry, [NO_API_KEY]));
  return isRefused || !isAdded ? others : [...others, { [API_KEY]: [] }];
}

function names(entry: TemplateMap, some: readonly string[]): boolean {
  return some.some((name) => Object.hasOwn(entry, name));
}

/** The scopes of an authorizer. Pure. */
export function scopesOf(authorizers: TemplateValue | undefined, name: string): TemplateValue | undefined {
  return mapOf(mapOf(authorizers)[name])['AuthorizationScopes'] ?? undefined;
}

function listOf(value: TemplateValue | undefined): TemplateValue[] {
  return Array.isArray(value) ? value : [];
}
