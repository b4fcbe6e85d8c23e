import { isMap, mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { httpAuthorizer, SIGNED } from './authorizers.ts';
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
import { httpMethod } from './http-methods.ts';
import { httpSecurity } from './method-security.ts';

const CORS = 'x-amazon-apigateway-cors';
const ENDPOINT = 'x-amazon-apigateway-endpoint-configuration';
const TAG_VALUE = 'x-amazon-apigateway-tag-value';

/**
 * Replaces what SAM writes into the definition of an HTTP API that it generates: methods and authorizers, and the properties of the
 * API, which an import resets. `body`: what SAM made of the deployed template, resolved. Pure.
 */
export function replaceHttpParts(
  body: TemplateMap,
  properties: TemplateMap,
  { stackName, ...routes }: GeneratedRoutes & { stackName: string },
): TemplateMap {
  const { CorsConfiguration, Description, DisableExecuteApiEndpoint = null, Name } = properties;
  const auth = mapOf(properties['Auth']);
  const { description: _, ...info } = mapOf(body['info']);
  const paths = mapMethods(body['paths'], ([path, method], deployed) => {
    const event = eventOfMethod(routes, [path, method]);
    // a method without an event goes with the deployment
    if (event === undefined) return deployed;
    const eventAuth = mapOf(event.properties['Auth']);
    const own = Object.keys(eventAuth).length === 0 ? undefined : eventAuth;
    return withSecurity(httpMethod(deployed, event.properties), httpSecurity(method, own, auth));
  });
  const schemes = mapOrNull([
    ...(auth['EnableIamAuthorizer'] === true ? [['AWS_IAM', SIGNED] as const] : []),
    ...writeAuthorizers(auth, (authorizer) => httpAuthorizer(routes.place, authorizer)),
  ]);
  return withoutNulls({
    ...body,
    info: { ...info, title: Name || stackName, ...(Description ? { description: Description } : {}) },
    paths,
    tags: tagsOf(body['tags'], properties),
    components: componentsOf(body, { securitySchemes: schemes }),
    servers: DisableExecuteApiEndpoint === null ? null : endpoint(DisableExecuteApiEndpoint),
    [CORS]: corsOf(CorsConfiguration),
  });
}

function endpoint(disabled: TemplateValue): TemplateMap[] {
  return [{ [ENDPOINT]: { disableExecuteApiEndpoint: disabled } }];
}

/** SAM's own tag is the last one. */
function tagsOf(deployed: TemplateValue | undefined, { Tags, PropagateTags = null }: TemplateMap): TemplateValue {
  // those of functions are among them
  if (PropagateTags !== null) return deployed ?? null;
  const all = { ...mapOf(Tags), 'httpapi:createdBy': 'SAM' };
  return Object.entries(all).map(([name, value]) => ({ name, [TAG_VALUE]: value }));
}

function corsOf(written: TemplateValue | undefined): TemplateMap | null {
  if (written === true) return { allowOrigins: ['*'] };
  if (!isMap(written) || Object.keys(written).length === 0) return null;
  const entries = Object.entries(written).filter(([name, value]) => isWritten(name, value));
  return Object.fromEntries<TemplateValue>(
    entries.map(([name, value]) => [name.charAt(0).toLowerCase() + name.slice(1), value]),
  );
}

function isWritten(name: string, value: TemplateValue): boolean {
  if (name === 'MaxAge') return value !== null;
  if (name === 'AllowCredentials') return value === true;
  return value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}
