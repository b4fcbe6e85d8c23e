import { intrinsicName, isIntrinsic, isMap, mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { httpAuthorizer, restAuthorizer, SIGNED, WITH_API_KEY } from './authorizers.ts';
import type { ApiPlace } from './authorizers.ts';
import { hidesValue } from './generated-forms.ts';
import { isOpenApi3 } from './generated-parts.ts';
import { componentsOf, mapMethods, mapOrNull, withoutNulls, writeAuthorizers } from './generated-routes.ts';
import { INTEGRATION } from './method-form.ts';
import { addedRestSecurity, IAM, scopesOf } from './method-security.ts';

/*
 * `Auth` beside a definition in the template: SAM adds authorizers to the definition, and who may call a method to each method that
 * has an integration and does not say so itself.
 */

/** `Auth` of the API, resolved, and where the API is. */
interface InlineAuth {
  auth: TemplateMap;
  place: ApiPlace;
}

/**
 * Why it is not certain what SAM adds; undefined: it is. SAM reads the definition as the template writes it (`written`), with
 * intrinsic functions in place of their values. Pure.
 */
export function whyInlineUncertain(
  written: TemplateValue | undefined,
  document: TemplateMap,
  { OpenApiVersion }: TemplateMap,
): string | undefined {
  if (!isPlainMap(written) || hasInclude(written)) return 'SAM sees an intrinsic function in place of the definition';
  const { swagger, openapi, paths, securityDefinitions = {}, components = {} } = written;
  const version = scalarText(OpenApiVersion ?? swagger ?? openapi) ?? '';
  if (!/^[23]\./.test(version) || !isPlainMap(paths))
    return 'only SAM knows what Auth adds to a definition of this form';
  const schemes = [securityDefinitions, components, mapOf(components)['securitySchemes'] ?? {}];
  const items = Object.values(paths);
  const methods = items.flatMap((item) => Object.entries(mapOf(item)).flatMap(([, one]) => (isMap(one) ? [one] : [])));
  const isPlain = [...schemes, ...items, ...methods].every(isPlainMap) && methods.every(isPlainMethod);
  if (!isPlain) return 'SAM sees an intrinsic function where only its value is known';
  if (!items.every(hasMethodsOnly)) return 'only SAM knows what Auth adds to paths of this form';
  const isConverted = isOpenApi3(document) && items.some((item) => hasOldHeaders(mapOf(mapOf(item)['options'])));
  return isConverted ? 'only SAM knows how it converts the OPTIONS methods of the definition' : undefined;
}

function isPlainMap(value: TemplateValue | undefined): value is TemplateMap {
  return isMap(value) && !isIntrinsic(value);
}

function isPlainMethod({ [INTEGRATION]: integration = {}, security = [] }: TemplateMap): boolean {
  return (
    isPlainMap(integration) && Array.isArray(security) && security.every(isPlainMap) && !hidesValue(security, false)
  );
}

/** SAM refuses some paths with other members, or with methods in capital letters. */
function hasMethodsOnly(item: TemplateValue): boolean {
  return Object.entries(mapOf(item)).every(
    ([name, one]) => name === 'parameters' || (isMap(one) && name === name.toLowerCase()),
  );
}

/** SAM converts these from Swagger 2, also where they are OpenAPI 3 already. */
function hasOldHeaders({ consumes, produces, responses }: TemplateMap): boolean {
  return consumes !== undefined || produces !== undefined || mapOf(mapOf(responses)['200'])['headers'] !== undefined;
}

function hasInclude(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.some(hasInclude);
  if (!isMap(value)) return false;
  return (
    intrinsicName(value) === 'Fn::Transform' ||
    Object.hasOwn(value, 'Fn::Transform') ||
    Object.values(value).some(hasInclude)
  );
}

/** Adds what SAM adds to the definition of a REST API. Pure. */
export function addRestAuth(document: TemplateMap, { auth, place }: InlineAuth): TemplateMap {
  const { ApiKeyRequired, DefaultAuthorizer } = auth;
  let isSigned = DefaultAuthorizer === IAM;
  const paths = mapMethods(document['paths'], ([, method], definition) => {
    if (!hasIntegration(definition)) return definition;
    const own = listOf(definition['security']);
    const [name, others] = [method.toLowerCase(), { ...auth, ApiKeyRequired: null }];
    const security = addedRestSecurity(name, own, auth);
    // SAM looks before it adds API keys
    if (typeof DefaultAuthorizer === 'string' && addedRestSecurity(name, own, others)[0]?.[IAM] !== undefined)
      isSigned = true;
    return security.length === 0 && own.length === 0 ? definition : { ...definition, security };
  });
  const own = mapOf(document['securityDefinitions']);
  const schemes: TemplateMap = {
    ...(isSigned ? { [IAM]: SIGNED } : {}),
    ...(ApiKeyRequired === true ? { api_key: WITH_API_KEY } : {}),
    ...own,
    ...(DefaultAuthorizer === IAM ? { [IAM]: SIGNED } : {}),
    ...Object.fromEntries(writeAuthorizers(auth, (authorizer) => restAuthorizer(place, authorizer))),
  };
  const all = Object.keys(schemes).length === 0 ? null : schemes;
  if (!isOpenApi3(document)) return withoutNulls({ ...document, paths, securityDefinitions: all });
  // SAM replaces those of the definition
  const components = all === null ? document['components'] : componentsOf(document, { securitySchemes: all });
  return withoutNulls({ ...document, paths, securityDefinitions: null, components: components ?? null });
}

/** Adds what SAM adds to the definition of an HTTP API. Pure. */
export function addHttpAuth(document: TemplateMap, { auth, place }: InlineAuth): TemplateMap {
  const { Authorizers, DefaultAuthorizer: byDefault, EnableIamAuthorizer } = auth;
  const paths = mapMethods(document['paths'], ([, method], definition) => {
    const isOwn = listOf(definition['security']).length > 0;
    if (typeof byDefault !== 'string' || isOwn || method.toLowerCase() === 'options' || !hasIntegration(definition))
      return definition;
    return { ...definition, security: [{ [byDefault]: scopesOf(Authorizers, byDefault) ?? [] }] };
  });
  const schemes = mapOrNull([
    ...Object.entries(mapOf(mapOf(document['components'])['securitySchemes'])),
    ...(EnableIamAuthorizer === true ? [[IAM, SIGNED] as const] : []),
    ...writeAuthorizers(auth, (authorizer) => httpAuthorizer(place, authorizer)),
  ]);
  const components = schemes === null ? document['components'] : componentsOf(document, { securitySchemes: schemes });
  return withoutNulls({ ...document, paths, components: components ?? null });
}

function hasIntegration({ [INTEGRATION]: integration }: TemplateMap): boolean {
  return Object.keys(mapOf(integration)).length > 0;
}

function listOf(security: TemplateValue | undefined): TemplateMap[] {
  return Array.isArray(security) ? security.map(mapOf) : [];
}
