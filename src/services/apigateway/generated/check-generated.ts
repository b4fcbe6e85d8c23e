import { apiEvents } from '../../../model/api-events.ts';
import type { ApiEvent } from '../../../model/api-events.ts';
import type { Stack } from '../../../model/stack.ts';
import { globalsSection, isServerless } from '../../../template/kinds/kinds.ts';
import { mapOf, resourceOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { EVENT_FORMS, hidesValue, HTTP_AUTH, isHttpCors, REST_AUTH } from './generated-forms.ts';
import type { GeneratedRoutes } from './generated-routes.ts';
import { HTTP_METHOD } from './http-methods.ts';
import { hasForm } from './method-form.ts';
import { REST_METHOD } from './rest-methods.ts';

/** An API whose definition SAM generates, and what is known of it. */
export interface GeneratedApi {
  kind: 'rest' | 'http';
  stack: Pick<Stack, 'source' | 'resolved'>;
  logicalId: string;
  type: string;
  /** What SAM made of the deployed template, resolved. */
  body: TemplateMap;
  /** Resolved. */
  properties: TemplateMap;
}

type CheckedApi = GeneratedApi & { routes: GeneratedRoutes };

const SIGNED = 'AWS_IAM';

/** Why it is not certain what SAM writes into the definition for `Auth` and events; undefined: it is. Pure. */
export function whyUncertain(api: CheckedApi): string | undefined {
  return (
    whyHidden(api) ??
    whyOtherForm(api) ??
    api.routes.events.map((event) => whyUnknownMethod(api, event)).find((why) => why !== undefined)
  );
}

/** The same for `Auth` of the API alone. Pure. */
export function whyAuthUncertain(api: GeneratedApi): string | undefined {
  return whyAuthHidden(api) ?? whyOtherAuth(api);
}

/** SAM sees intrinsic functions, not their values. */
function whyHidden(api: CheckedApi): string | undefined {
  const { stack, logicalId } = api;
  return (
    whyAuthHidden(api) ??
    apiEvents(stack, logicalId)
      .map(whyEventHidden)
      .find((why) => why !== undefined)
  );
}

function whyAuthHidden({ stack, logicalId, type }: GeneratedApi): string | undefined {
  const section = isServerless(type) ? mapOf(stack.source['Globals'])[globalsSection(type)] : null;
  const properties = mapOf(resourceOf(stack.source, logicalId)['Properties']);
  for (const { Auth, Cors, CorsConfiguration } of [mapOf(section), properties]) {
    const { Authorizers = null, InvokeRole = null, ResourcePolicy: _, UsagePlan: __, ...others } = mapOf(Auth);
    if (
      hidesValue([Authorizers, InvokeRole], true) ||
      hidesValue(others, false) ||
      hidesValue([Cors ?? null, CorsConfiguration ?? null], true)
    )
      return 'Auth: SAM sees an intrinsic function where only its value is known';
  }
  return undefined;
}

function whyEventHidden({ owner, name, source }: ApiEvent): string | undefined {
  const id = `${owner}.${name}`;
  if (source === undefined) return `${id}: a loop makes it`;
  const { Auth, RequestModel = null, RequestParameters = null } = source;
  const { PayloadFormatVersion = null, TimeoutInMillis = null } = source;
  const { InvokeRole = null, ResourcePolicy: _, ...auth } = mapOf(Auth);
  const isHidden =
    hidesValue([auth, RequestModel, RequestParameters], false) ||
    hidesValue([InvokeRole, PayloadFormatVersion, TimeoutInMillis], true);
  return isHidden ? `${id}: SAM sees an intrinsic function where only its value is known` : undefined;
}

function whyOtherAuth({ kind, properties }: GeneratedApi): string | undefined {
  const { Auth = null } = properties;
  const forms = kind === 'rest' ? REST_AUTH : HTTP_AUTH;
  const { DefaultAuthorizer: byDefault = null } = mapOf(Auth);
  const isKnown = (Auth === null || forms.api(Auth)) && (byDefault === null || isDefined(kind, mapOf(Auth), byDefault));
  return isKnown ? undefined : 'Auth: only the deployment can check and set a value of this form';
}

function whyOtherForm(api: CheckedApi): string | undefined {
  const { kind, body, properties, routes } = api;
  const { CorsConfiguration = null } = properties;
  const isCors = kind === 'rest' || CorsConfiguration === null || isHttpCors(CorsConfiguration);
  if (!isCors) return 'CorsConfiguration: only the deployment can check and set a value of this form';
  const why = whyOtherAuth(api);
  if (why !== undefined) return why;
  const auth = mapOf(properties['Auth']);
  const events = routes.events.filter(({ properties: event }) => !isForm(kind, { auth, properties }, event));
  if (events[0] !== undefined) return `${events[0].id}: only the deployment can check and set values of this form`;
  return kind === 'rest' || Array.isArray(body['tags']) ? undefined : 'only SAM knows the tags of its definition';
}

/** Whether the properties of an event have forms that SAM accepts. */
function isForm(
  kind: CheckedApi['kind'],
  { auth, properties }: { auth: TemplateMap; properties: TemplateMap },
  event: TemplateMap,
): boolean {
  const { Auth = null, RequestModel } = event;
  const { ApiKeyRequired = null, AuthorizationScopes = null } = mapOf(Auth);
  const own = mapOf(Auth)['Authorizer'] ?? null;
  const isSettings = Object.entries(EVENT_FORMS).every(
    ([name, form]) => (event[name] ?? null) === null || form(event[name] ?? null),
  );
  const { Model = null } = mapOf(RequestModel);
  const hasModel = Model === null || (typeof Model === 'string' && Object.hasOwn(mapOf(properties['Models']), Model));
  if (!isSettings || !hasModel) return false;
  if (Auth === null || Object.keys(mapOf(Auth)).length === 0) return true;
  const forms = kind === 'rest' ? REST_AUTH : HTTP_AUTH;
  const name = own ?? (kind === 'http' ? (auth['DefaultAuthorizer'] ?? null) : null);
  const isKnown = name === null ? kind === 'rest' && AuthorizationScopes === null : isDefined(kind, auth, name);
  return forms.event(Auth) && isKnown && (ApiKeyRequired !== false || auth['ApiKeyRequired'] === true);
}

function isDefined(kind: CheckedApi['kind'], auth: TemplateMap, name: TemplateValue): boolean {
  if (typeof name !== 'string') return false;
  if (name === 'NONE') return (auth['DefaultAuthorizer'] ?? null) !== null && auth['DefaultAuthorizer'] !== name;
  if (name === SIGNED && (kind === 'rest' || auth['EnableIamAuthorizer'] === true)) return true;
  return Object.hasOwn(mapOf(auth['Authorizers']), name);
}

function whyUnknownMethod(
  { kind, body }: CheckedApi,
  { id, isStateMachine, path, method }: GeneratedRoutes['events'][number],
): string | undefined {
  const definition = mapOf(mapOf(body['paths'])[path])[method] ?? mapOf(mapOf(body['paths'])[`/${path}`])[method];
  if (definition === undefined || definition === null || isStateMachine) return undefined;
  const isKnown = hasForm(mapOf(definition), kind === 'rest' ? REST_METHOD : HTTP_METHOD);
  return isKnown ? undefined : `${id}: only SAM knows what else is in its method`;
}
