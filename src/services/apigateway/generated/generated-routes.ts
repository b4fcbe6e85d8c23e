import { isMap, mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import type { ApiPlace } from './authorizers.ts';

/** The event of a method in a definition that SAM generates. */
export interface RouteEvent {
  /** `Function.Event` */
  id: string;
  isStateMachine: boolean;
  path: string;
  method: string;
  /** The resolved properties of the event. */
  properties: TemplateMap;
}

/** What SAM writes the methods of a definition from. */
export interface GeneratedRoutes {
  events: readonly RouteEvent[];
  place: ApiPlace;
}

/** Finds the event of a method. A definition for `FailOnWarnings` has a slash before `$default`. Pure. */
export function eventOfMethod<T extends Pick<RouteEvent, 'method' | 'path'>>(
  { events }: { events: readonly T[] },
  [path, method]: readonly [path: string, method: string],
): T | undefined {
  return events.find((one) => one.method === method && (one.path === path || `/${one.path}` === path));
}

/** Changes each method of each path. Pure. */
export function mapMethods(
  paths: TemplateValue | undefined,
  change: (route: readonly [path: string, method: string], definition: TemplateMap) => TemplateMap,
): TemplateMap {
  const entries = Object.entries(mapOf(paths)).map(([path, item]) => [
    path,
    Object.fromEntries(
      Object.entries(mapOf(item)).map(([method, definition]) => [
        method,
        isMap(definition) ? change([path, method], definition) : definition,
      ]),
    ),
  ]);
  return Object.fromEntries(entries) as TemplateMap;
}

/** The method with its `security`. Pure. */
export function withSecurity(method: TemplateMap, security: TemplateMap[] | undefined): TemplateMap {
  const { security: _, ...others } = method;
  return security === undefined ? others : { ...others, security };
}

/** The authorizers of `Auth`, as `write` writes them. Pure. */
export function writeAuthorizers(
  auth: TemplateMap,
  write: (authorizer: TemplateMap) => TemplateMap,
): [string, TemplateMap][] {
  return Object.entries(mapOf(auth['Authorizers'])).map(([name, authorizer]) => [name, write(mapOf(authorizer))]);
}

/** Without the members that are `null`. Pure. */
export function withoutNulls(map: TemplateMap): TemplateMap {
  return Object.fromEntries<TemplateValue>(Object.entries(map).filter(([, value]) => value !== null));
}

/** The entries as a mapping; null: there are none. Pure. */
export function mapOrNull(entries: readonly (readonly [string, TemplateValue])[]): TemplateMap | null {
  return entries.length === 0 ? null : Object.fromEntries<TemplateValue>(entries);
}

/** The `components` of a definition of OpenAPI 3 with other parts; a part that is `null` goes. null: nothing is left. Pure. */
export function componentsOf(body: TemplateMap, parts: TemplateMap): TemplateMap | null {
  return mapOrNull(Object.entries(withoutNulls({ ...mapOf(body['components']), ...parts })));
}
