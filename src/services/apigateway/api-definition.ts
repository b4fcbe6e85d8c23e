import type { DefinedResource } from '../../model/definitions.ts';
import { apiEvents } from '../../model/api-events.ts';
import type { Stack } from '../../model/stack.ts';
import { apiEvent, isServerless, kindOf, settingsOf } from '../../template/kinds/kinds.ts';
import { isMap, mapOf, resourcesOf, scalarText } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { blocked, needsDeployment } from '../definition-plan.ts';
import type { UnplannedDefinition } from '../definition-plan.ts';
import { readDefinitionFile, toJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import { addInlineParts } from './generated/add-inline-parts.ts';
import { INTEGRATION } from './generated/method-form.ts';

/** An API's definition as a deployment would send it to API Gateway, and the API's resolved properties. */
export interface ApiDefinition {
  body: string;
  /** The same as a value, if it is in the template or SAM generates it. */
  document?: TemplateMap;
  properties: TemplateMap;
}

/**
 * Reads an API's definition: a file stays as it is, as in a deployment; a definition in the template, with its includes, is
 * resolved and gets what SAM adds to it. Returns why a code sync cannot update it, if it cannot.
 */
export async function readApiDefinition(
  tools: ServiceContext,
  resource: DefinedResource,
  stack: Stack,
): Promise<ApiDefinition | UnplannedDefinition> {
  const { id, definition } = resource;
  if (definition.kind !== 'file' && definition.kind !== 'inline') {
    return { action: 'skip', why: `${id} has no definition here` };
  }
  const settings = await tools.values.resolve(settingsOf(resource.type, resource.properties), stack);
  if (settings.missing.length > 0) return needsDeployment(id, settings.missing);
  const properties = mapOf(settings.value);
  if (definition.kind === 'file') return { body: await readDefinitionFile(id, definition.path), properties };
  const additions = [...samAdditions(resource, stack), ...eventAdditions(resource, stack)];
  if (additions.length > 0) {
    return blocked(
      `${id}: ${additions.join(', ')} ${additions.length === 1 ? 'makes' : 'make'} SAM change its definition`,
    );
  }
  const { value, missing } = await tools.values.resolve(definition.value, stack);
  if (missing.length > 0) return needsDeployment(id, missing);
  if (!isMap(value)) return blocked(`${id}: its definition is not a mapping`);
  const addSettings = resource.flow === 'http-api' ? addHttpSettings : addRestSettings;
  if (!isServerless(resource.type)) return { body: toJson(value), document: value, properties };
  const whole = await addInlineParts(tools, { resource, stack }, addSettings(value, properties));
  return 'action' in whole ? whole : { body: toJson(whole.document), ...whole, properties };
}

/** Properties of which it is known what SAM adds to the definition for them. */
const KNOWN_ADDITIONS = ['Auth', 'Cors'];

function samAdditions({ type, properties, logicalId }: DefinedResource, stack: Stack): string[] {
  const added = (kindOf(type)?.samChangesDefinition ?? []).filter((name) => {
    const value = properties[name] ?? null;
    return !KNOWN_ADDITIONS.includes(name) && value !== null && scalarText(value) !== 'false';
  });
  const overridden = resourcesOf(stack.resolved).some(([, resource]) =>
    Object.values(mapOf(mapOf(resource['Properties'])['Events'])).some((event) => {
      const { RestApiId, ApiId, Auth } = mapOf(mapOf(event)['Properties']);
      const api = mapOf(RestApiId ?? ApiId)['Ref'];
      return api === logicalId && scalarText(mapOf(Auth)['OverrideApiAuth']) === 'true';
    }),
  );
  return overridden ? [...added, 'OverrideApiAuth of an event'] : added;
}

/** The events of functions that SAM adds to a definition of an HTTP API in the template; those of a REST API only get a permission. */
function eventAdditions({ type, flow, logicalId, definition }: DefinedResource, stack: Stack): string[] {
  if (flow !== 'http-api' || !isServerless(type) || definition.kind !== 'inline') return [];
  const paths = mapOf(mapOf(definition.value)['paths']);
  return apiEvents(stack, logicalId).flatMap(({ owner, name, type: eventType, path, method, properties }) => {
    const { settings = [] } = apiEvent(eventType) ?? {};
    const written = mapOf(mapOf(paths[path])[method]);
    const parameters = Array.isArray(written['parameters']) ? written['parameters'] : [];
    const declared = parameters.map((parameter) => scalarText(mapOf(parameter)['name']));
    const isWhole =
      written[INTEGRATION] !== undefined &&
      settings.every((setting) => (properties[setting] ?? null) === null) &&
      [...path.matchAll(/\{(.*?)\}/g)].every(([, parameter]) => declared.includes(parameter));
    return isWhole ? [] : [`event ${owner}.${name}`];
  });
}

const ENDPOINT = 'x-amazon-apigateway-endpoint-configuration';

/** Adds what SAM writes into the definition of an `AWS::Serverless::Api`. */
function addRestSettings(body: TemplateMap, properties: TemplateMap): TemplateMap {
  const { BinaryMediaTypes, DisableExecuteApiEndpoint } = properties;
  let result = body;
  if (Array.isArray(BinaryMediaTypes)) {
    const types = BinaryMediaTypes.map((type) => (typeof type === 'string' ? type.replaceAll('~1', '/') : type));
    result = { ...result, 'x-amazon-apigateway-binary-media-types': types };
  }
  if (DisableExecuteApiEndpoint === undefined) return result;
  if (scalarText(result['openapi'])?.startsWith('3') === true) return addToServers(result, DisableExecuteApiEndpoint);
  const endpoint = { ...mapOf(result[ENDPOINT]), disableExecuteApiEndpoint: DisableExecuteApiEndpoint };
  return { ...result, [ENDPOINT]: endpoint };
}

function addToServers(body: TemplateMap, disabled: TemplateValue): TemplateMap {
  const servers = Array.isArray(body['servers']) ? body['servers'] : [{}];
  return {
    ...body,
    servers: servers.map((server) => ({
      ...mapOf(server),
      [ENDPOINT]: { ...mapOf(mapOf(server)[ENDPOINT]), disableExecuteApiEndpoint: disabled },
    })),
  };
}

/** Adds what SAM writes into the definition of an `AWS::Serverless::HttpApi`. */
function addHttpSettings(body: TemplateMap, properties: TemplateMap): TemplateMap {
  const { Name, Description, CorsConfiguration, DisableExecuteApiEndpoint, FailOnWarnings, Tags } = properties;
  const info: TemplateMap = { ...mapOf(body['info']) };
  if (Name !== undefined) info['title'] ??= Name;
  if (Description !== undefined) info['description'] ??= Description;
  let result: TemplateMap = { ...body, info, tags: httpTags(body['tags'], mapOf(Tags)) };
  const cors = httpCors(CorsConfiguration);
  const corsKey = 'x-amazon-apigateway-cors';
  if (cors !== undefined) result = { ...result, [corsKey]: { ...mapOf(result[corsKey]), ...cors } };
  if (DisableExecuteApiEndpoint !== undefined) result = addToServers(result, DisableExecuteApiEndpoint);
  const { $default: fallback, ...paths } = mapOf(result['paths']);
  if (scalarText(FailOnWarnings) !== 'true' || fallback === undefined) return result;
  return { ...result, paths: { ...paths, '/$default': fallback } };
}

/** An import replaces the tags of an HTTP API by those of its definition, so SAM's own tag has to be in it. */
function httpTags(written: TemplateValue | undefined, tags: TemplateMap): TemplateValue[] {
  const all = new Map((Array.isArray(written) ? written : []).map((tag) => [scalarText(mapOf(tag)['name']), tag]));
  for (const [name, value] of Object.entries({ ...tags, 'httpapi:createdBy': 'SAM' })) {
    all.set(name, { ...mapOf(all.get(name)), name, 'x-amazon-apigateway-tag-value': value });
  }
  return [...all.values()];
}

function httpCors(configuration: TemplateValue | undefined): TemplateMap | undefined {
  if (configuration === undefined || configuration === null || configuration === false) return undefined;
  if (!isMap(configuration)) return { allowOrigins: ['*'] };
  const entries = Object.entries(configuration).map(([name, value]) => [
    name.charAt(0).toLowerCase() + name.slice(1),
    value,
  ]);
  return Object.fromEntries(entries) as TemplateMap;
}
