import { placeOf } from '../../../cloud/resource-attributes.ts';
import { apiEvents, hasTagsOfFunctions, ROUTE_SETTINGS } from '../../../model/api-events.ts';
import type { ApiEvent } from '../../../model/api-events.ts';
import type { DefinedResource } from '../../../model/definitions.ts';
import type { Stack } from '../../../model/stack.ts';
import { apiEvent, kindOf, settingsOf } from '../../../template/kinds/kinds.ts';
import { isMap, mapOf, resourceOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { blocked } from '../../definition-plan.ts';
import type { DefinitionWork, UnplannedDefinition } from '../../definition-plan.ts';
import { toJson } from '../../definition-text.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { ApiDefinition } from '../api-definition.ts';
import { methodAuth } from './authorizers.ts';
import { whyNotAllowed } from './authorizer-permissions.ts';
import { whyOtherMethods } from './check-methods.ts';
import { isSameDefinition, normalized, processedTemplate } from './deployed-definition.ts';
import { replaceGenerated } from './replace-generated.ts';
import type { ReadRoutes } from './replace-generated.ts';

/** A definition that SAM generates. */
export interface GeneratedDefinition extends ApiDefinition {
  /** The deployed template leads to the same one. */
  isDeployed: boolean;
}

/** Whether only properties changed that SAM writes into the definition, so that the deployed one is the base of the new one. */
export function isGenerated({ resource: { type, definition }, settings, isChanged }: DefinitionWork): boolean {
  const { generatedDirect = [] } = kindOf(type) ?? {};
  // what `Auth` adds to a definition in the template follows from that
  const isInlineAuth = definition.kind === 'inline' && settings.includes('Auth');
  return (
    !isChanged && !isInlineAuth && definition.kind !== 'file' && settings.some((name) => generatedDirect.includes(name))
  );
}

/** Takes the definition that SAM made of the deployed template, and replaces what it makes of properties and events. */
export async function readGeneratedDefinition(
  tools: ServiceContext,
  { resource, stack, settings: names }: DefinitionWork,
): Promise<GeneratedDefinition | UnplannedDefinition> {
  const { id, logicalId, type, properties, definition } = resource;
  if (definition.kind === 'inline') {
    const why = whyInline(mapOf(definition.value));
    if (why !== undefined) return blocked(`${id}: ${why}`);
  }
  const processed = await processedTemplate(tools, stack);
  const { Body: deployed } = mapOf(resourceOf(processed, logicalId)['Properties']);
  if (!isMap(deployed)) return blocked(`${id}: only SAM knows its definition`);
  const [body, wanted, settings, read] = await Promise.all([
    tools.values.resolve(deployed, stack),
    tools.values.resolve(writtenProperties(resource), stack),
    // an import resets them
    tools.values.resolve(settingsOf(type, properties), stack),
    readRoutes(tools, resource, stack),
  ]);
  const missing = [...body.missing, ...wanted.missing, ...settings.missing];
  if (missing.length > 0) return blocked(`${id}: only CloudFormation knows the value of ${missing.join(', ')}`);
  const other = whyOtherMethods({ written: deployed, resolved: mapOf(body.value) }, apiEvents(stack, logicalId));
  const routes = other === undefined ? read : { why: other };
  const parts = replaceGenerated({
    kind: resource.flow === 'http-api' ? 'http' : 'rest',
    stack,
    logicalId,
    type,
    body: mapOf(body.value),
    properties: { ...mapOf(wanted.value), ...(hasTagsOfFunctions(stack, logicalId) && { PropagateTags: true }) },
    routes,
    needsRoutes: names.includes('Auth') || names.includes(ROUTE_SETTINGS),
    isWhole: definition.kind === 'none',
  });
  if ('why' in parts) return blocked(`${id}: ${parts.why}`);
  const why = await whyNotAllowed(tools, { resource, stack }, parts.calling);
  if (why !== undefined) return blocked(`${id}: ${why}`);
  const document = normalized(parts.body);
  return {
    body: toJson(document),
    document,
    properties: mapOf(settings.value),
    isDeployed: isSameDefinition(document, mapOf(body.value)),
  };
}

/** Why SAM alone knows the new definition of one in the template; undefined: its parts can be replaced. */
function whyInline(body: TemplateMap): string | undefined {
  if (PARTS.every((part) => body[part] === undefined)) return undefined;
  return `only SAM knows what it adds to ${PARTS.join(', ')} of a definition`;
}

/** Parts of a definition in the template that SAM adds to. */
const PARTS = [
  'components',
  'definitions',
  'x-amazon-apigateway-binary-media-types',
  'x-amazon-apigateway-gateway-responses',
];

/** What SAM writes into the definition. The name of the stack is the title of an API without a name. */
function writtenProperties({ type, properties }: DefinedResource): TemplateMap {
  const { generatedDirect = [], settings = [] } = kindOf(type) ?? {};
  const names = [...generatedDirect, ...settings].filter((name) => name !== 'Auth');
  const written = Object.fromEntries<TemplateValue>(names.map((name) => [name, properties[name] ?? null]));
  return { ...written, StackName: { Ref: 'AWS::StackName' }, Auth: isMap(properties['Auth']) ? {} : null };
}

/** Reads `Auth` and the events of the API; `why`: the values that only CloudFormation knows. */
async function readRoutes(
  { values, stackId }: ServiceContext,
  { logicalId, properties }: DefinedResource,
  stack: Stack,
): Promise<ReadRoutes | { why: string }> {
  const events = apiEvents(stack, logicalId);
  const { Auth = null } = properties;
  const resolved = await values.resolve([methodAuth(Auth), ...events.map((event) => methodProperties(event))], stack);
  if (resolved.missing.length > 0)
    return { why: `only CloudFormation knows the value of ${resolved.missing.join(', ')}` };
  const [auth = null, ...all] = Array.isArray(resolved.value) ? resolved.value : [];
  return {
    auth,
    place: placeOf(stackId),
    events: events.map(({ owner, name, isStateMachine, path, method }, index) => {
      return { id: `${owner}.${name}`, isStateMachine, path, method, properties: mapOf(all[index]) };
    }),
  };
}

function methodProperties({ type, properties }: ApiEvent): TemplateMap {
  const { settings = [] } = apiEvent(type) ?? {};
  const entries = Object.entries(properties).filter(([name]) => settings.includes(name));
  return Object.fromEntries<TemplateValue>(
    entries.map(([name, value]) => [name, name === 'Auth' ? methodAuth(value) : value]),
  );
}
