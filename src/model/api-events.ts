import { isSourceProperty, kindOf, apiEvent } from '../template/kinds/kinds.ts';
import { isMap, mapOf, resourceOf, resourcesOf, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import { getAt } from '../template/template-path.ts';
import type { Stack } from './stack.ts';

/** An event that adds a method of a path to the definition of an API. */
export interface ApiEvent {
  /** The logical ID of the function or state machine. */
  owner: string;
  name: string;
  /** `Type` of the event. */
  type: string;
  isStateMachine: boolean;
  /** As the definition names them. */
  path: string;
  method: string;
  /** The properties of the event, resolved as far as known locally. */
  properties: TemplateMap;
  /** The same as the template writes them; undefined: a loop makes the event. */
  source: TemplateMap | undefined;
}

/** The property of an API in `withRouteSettings` that has the settings of its events. */
export const ROUTE_SETTINGS = 'Events';
/** All methods, in a definition. */
export const ANY = 'x-amazon-apigateway-any-method';
/** Parts of `Auth` that change more than the definition's methods. */
const BESIDE_METHODS = ['OverrideApiAuth', 'ResourcePolicy', 'UsagePlan'];

/** Returns the events of a stack that name an API of it. */
export function apiEvents({ resolved, source }: Pick<Stack, 'resolved' | 'source'>, apiId: string): ApiEvent[] {
  return resourcesOf(resolved).flatMap(([owner, { Type: type, Properties: properties }]) =>
    eventsOf(type, mapOf(properties)).flatMap(([name, event]): ApiEvent[] => {
      if (apiOf(event) !== apiId) return [];
      const settings = mapOf(event['Properties']);
      const { Path: path, Method: method } = settings;
      const written = getAt(resourceOf(source, owner), ['Properties', 'Events', name]);
      return [
        {
          owner,
          name,
          type: scalarText(event['Type']) ?? '',
          isStateMachine: kindOf(type)?.builtAs === undefined,
          path: scalarText(path) ?? '$default',
          method: methodName(scalarText(method) ?? ANY),
          properties: settings,
          source: isMap(written) ? mapOf(written['Properties']) : undefined,
        },
      ];
    }),
  );
}

/** Returns the logical IDs of the APIs that the events of a resource name. */
export function apisOfEvents({ Type: type, Properties: properties }: TemplateMap): string[] {
  return eventsOf(type, mapOf(properties)).flatMap(([, event]) => apiOf(event) ?? []);
}

/** Whether functions pass their tags on to the API, which SAM generates for their events. */
export function hasTagsOfFunctions({ resolved }: Pick<Stack, 'resolved'>, apiId: string): boolean {
  if (resourceOf(resolved, apiId)['Type'] !== undefined) return false;
  return resourcesOf(resolved).some(
    ([, resource]) =>
      apisOfEvents(resource).includes(apiId) && (mapOf(resource['Properties'])['PropagateTags'] ?? null) !== null,
  );
}

/**
 * Moves the settings of events to the APIs that SAM generates from them, so that a difference of them is one of the API. `Auth`
 * of such an API keeps what is written into methods; its other parts become properties of their own. Pure.
 */
export function withRouteSettings(resources: TemplateMap): TemplateMap {
  const result: TemplateMap = { ...resources };
  const routes = new Map<string, TemplateMap>();
  for (const [owner, resource] of Object.entries(resources)) {
    const { Type: type, Properties: properties } = mapOf(resource);
    const moved: [string, TemplateValue][] = [];
    for (const [name, event] of eventsOf(type, mapOf(properties))) {
      const apiId = apiOf(event) ?? '';
      if (!isGeneratedApi(mapOf(resources[apiId]))) continue;
      const { carried, beside, left } = splitSettings(event);
      const { [ROUTE_SETTINGS]: others, ...known } = routes.get(apiId) ?? {};
      const id = `${owner}.${name}`;
      const all = { ...mapOf(others), ...(Object.keys(carried).length === 0 ? {} : { [id]: carried }) };
      routes.set(apiId, {
        ...known,
        ...(Object.keys(all).length === 0 ? {} : { [ROUTE_SETTINGS]: all }),
        ...Object.fromEntries(
          Object.entries(beside).map(([part, value]) => [`${ROUTE_SETTINGS}.${id}.${part}`, value]),
        ),
      });
      moved.push([name, { ...event, Properties: left }]);
    }
    if (moved.length === 0) continue;
    const events = { ...mapOf(mapOf(properties)['Events']), ...Object.fromEntries(moved) };
    result[owner] = { ...mapOf(resource), Properties: { ...mapOf(properties), Events: events } };
  }
  for (const [id, resource] of Object.entries(resources)) {
    const { Type: type, Properties: written } = mapOf(resource);
    if (kindOf(type)?.event === undefined || !isMap(written)) continue;
    const { Auth, ...properties } = written;
    const settings = routes.get(id) ?? {};
    result[id] = { ...mapOf(resource), Properties: { ...properties, ...splitAuth(Auth), ...settings } };
  }
  return result;
}

function eventsOf(type: unknown, properties: TemplateMap): [string, TemplateMap][] {
  if (kindOf(type)?.routes !== 'events') return [];
  return Object.entries(mapOf(properties['Events'])).flatMap(([name, event]): [string, TemplateMap][] =>
    isMap(event) ? [[name, event]] : [],
  );
}

/** The logical ID of the API that the event names; undefined: it is no request, or its API is of another stack. */
function apiOf(event: TemplateMap): string | undefined {
  const source = apiEvent(scalarText(event['Type']));
  if (source === undefined) return undefined;
  const written = mapOf(event['Properties'])[source.api] ?? null;
  return written === null ? source.implicitId : (scalarText(mapOf(written)['Ref']) ?? scalarText(written));
}

/** Whether SAM makes the whole definition of the API from events. */
function isGeneratedApi({ Type: type, Properties: properties }: TemplateMap): boolean {
  const { event, body = [] } = kindOf(type) ?? {};
  const isDefined = Object.entries(mapOf(properties)).some(
    ([name, value]) => value !== null && (body.includes(name) || isSourceProperty(type, name)),
  );
  return event !== undefined && !isDefined;
}

/** Splits an event's properties into those that SAM writes into its method, other parts of its `Auth`, and all others. */
function splitSettings(event: TemplateMap): Record<'carried' | 'beside' | 'left', TemplateMap> {
  const names = apiEvent(scalarText(event['Type']))?.settings ?? [];
  const carried: TemplateMap = {};
  const beside: TemplateMap = {};
  const left: TemplateMap = {};
  for (const [name, value] of Object.entries(mapOf(event['Properties']))) {
    if (name === 'Auth') {
      const { Auth, ...others } = splitAuth(value);
      if (Auth !== undefined) carried[name] = Auth;
      Object.assign(beside, others);
    } else if (names.includes(name)) carried[name] = value;
    else left[name] = value;
  }
  return { carried, beside, left };
}

function splitAuth(auth: TemplateValue | undefined): TemplateMap {
  if (auth === undefined) return {};
  if (!isMap(auth)) return { Auth: auth };
  const beside = Object.entries(auth).filter(([name]) => BESIDE_METHODS.includes(name));
  const rest = Object.entries(auth).filter(([name]) => !BESIDE_METHODS.includes(name));
  return {
    ...(rest.length === 0 ? {} : { Auth: Object.fromEntries(rest) }),
    ...Object.fromEntries(beside.map(([name, value]) => [`Auth.${name}`, value])),
  };
}

function methodName(written: string): string {
  const name = written.toLowerCase();
  return name === 'any' ? ANY : name;
}
