import { apiEvent, implicitKind, kindOf } from '../template/kinds/kinds.ts';
import { isMap, mapOf, resourceOf, resourcesOf, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import { identifierOf } from './stack.ts';
import type { ResourceIdentifier, Stack } from './stack.ts';

/** A request that an API accepts, by the template. */
export interface Route {
  /** The function that handles it, or the API if only its definition knows. */
  id: ResourceIdentifier;
  /** The physical ID of the API, as an intrinsic function. */
  api: TemplateValue;
  /** `GET`, or `ANY`. */
  method: string;
  /** `/orders/{id}` */
  path: string;
}

/** A function with a URL of its own. */
export interface FunctionUrl {
  id: ResourceIdentifier;
  /** The function, as an intrinsic function. */
  target: TemplateValue;
  /** The alias it belongs to, if any. */
  qualifier: TemplateValue;
  /** Requests must be signed. */
  signed: boolean;
}

const ANY = 'ANY';
const IAM = 'AWS_IAM';
const METHODS = /^(?:get|put|post|delete|options|head|patch|any)$/i;

/** Lists the routes that the events of functions and resources of their own define. */
export function listRoutes(stack: Stack): Route[] {
  return resourcesOf(stack.resolved).flatMap(([logicalId, resource]) => {
    const id = identifierOf(stack.path, logicalId);
    const properties = mapOf(resource['Properties']);
    switch (kindOf(resource.Type)?.routes) {
      case 'events':
        return Object.values(mapOf(properties['Events'])).flatMap((event) => eventRoute(id, mapOf(event)));
      case 'route-key':
        return routeOf(id, properties['ApiId'], scalarText(properties['RouteKey']));
      case 'method':
        return methodRoute(stack, id, properties);
      default:
        return [];
    }
  });
}

/** Lists the routes of an OpenAPI definition. */
export function definedRoutes(id: ResourceIdentifier, logicalId: string, definition: TemplateValue): Route[] {
  return Object.entries(mapOf(mapOf(definition)['paths'])).flatMap(([path, operations]) =>
    Object.keys(mapOf(operations)).flatMap((name) => {
      const method = name === 'x-amazon-apigateway-any-method' ? ANY : name.toUpperCase();
      if (!METHODS.test(method)) return [];
      return [{ id, api: { Ref: logicalId }, method, path: path === '/$default' || path === '$default' ? '/' : path }];
    }),
  );
}

/** Lists the functions with a URL. */
export function listFunctionUrls(stack: Stack): FunctionUrl[] {
  return resourcesOf(stack.resolved).flatMap(([logicalId, resource]) => {
    const id = identifierOf(stack.path, logicalId);
    const properties = mapOf(resource['Properties']);
    const { routes } = kindOf(resource.Type) ?? {};
    if (routes === 'url') {
      const { TargetFunctionArn: target = null, Qualifier: qualifier = null, AuthType } = properties;
      return [{ id, target, qualifier, signed: AuthType === IAM }];
    }
    const config = properties['FunctionUrlConfig'];
    if (routes !== 'events' || !isMap(config)) return [];
    const { AutoPublishAlias: qualifier = null } = properties;
    return [{ id, target: { Ref: logicalId }, qualifier, signed: config['AuthType'] === IAM }];
  });
}

function eventRoute(id: ResourceIdentifier, event: TemplateMap): Route[] {
  const source = apiEvent(event['Type']);
  if (source === undefined) return [];
  const properties = mapOf(event['Properties']);
  const written = properties[source.api] ?? { Ref: source.implicitId };
  // SAM takes the name of an API for a reference to it
  const api = typeof written === 'string' ? { Ref: written } : written;
  const path = scalarText(properties['Path']) ?? '/';
  const method = scalarText(properties['Method'])?.toUpperCase() ?? ANY;
  return [{ id, api, method: method === 'X-AMAZON-APIGATEWAY-ANY-METHOD' ? ANY : method, path }];
}

/** `GET /orders/{id}`, or `$default`. */
function routeOf(id: ResourceIdentifier, api: TemplateValue = null, key = ''): Route[] {
  if (key === '$default') return [{ id, api, method: ANY, path: '/' }];
  const [method = '', path] = key.split(' ');
  return path === undefined || !METHODS.test(method) ? [] : [{ id, api, method, path }];
}

function methodRoute(stack: Stack, id: ResourceIdentifier, properties: TemplateMap): Route[] {
  const path = pathOf(stack, properties['ResourceId'], []);
  const method = scalarText(properties['HttpMethod']);
  return path === undefined || method === undefined ? [] : [{ id, api: properties['RestApiId'] ?? null, method, path }];
}

/** The path of an `AWS::ApiGateway::Resource`, by its parents; undefined if it is not in this template. */
function pathOf(stack: Stack, resource: TemplateValue | undefined, seen: readonly string[]): string | undefined {
  const root = mapOf(resource)['Fn::GetAtt'];
  if (Array.isArray(root) && root[1] === 'RootResourceId') return '/';
  const logicalId = scalarText(mapOf(resource)['Ref']);
  if (logicalId === undefined || seen.includes(logicalId)) return undefined;
  const { ParentId, PathPart } = mapOf(resourceOf(stack.resolved, logicalId)['Properties']);
  const parent = pathOf(stack, ParentId, [...seen, logicalId]);
  const part = scalarText(PathPart);
  return parent === undefined || part === undefined ? undefined : `${parent === '/' ? '' : parent}/${part}`;
}

/** The stage of the API that SAM generates under this logical ID; undefined if it is no such API. */
export function implicitStage(logicalId: string): string | undefined {
  const kind = implicitKind(logicalId);
  return kind && (kind.stages?.byDefault ?? 'Prod');
}
