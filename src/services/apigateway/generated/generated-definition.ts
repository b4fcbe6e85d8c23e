import { placeOf } from '../../../cloud/resource-attributes.ts';
import { readProcessedTemplate } from '../../../deploy/describe-stack.ts';
import { apiEvents, hasTagsOfFunctions, ROUTE_SETTINGS } from '../../../model/api-events.ts';
import type { ApiEvent } from '../../../model/api-events.ts';
import type { DefinedResource } from '../../../model/definitions.ts';
import { splitIdentifier } from '../../../model/stack.ts';
import type { Stack } from '../../../model/stack.ts';
import { ownValue } from '../../../support/own-value.ts';
import { apiEvent, kindOf, settingsOf } from '../../../template/kinds/kinds.ts';
import { isMap, mapOf, resourceOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { blocked } from '../../definition-plan.ts';
import type { DefinitionWork, UnplannedDefinition } from '../../definition-plan.ts';
import { toJson } from '../../definition-text.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { ApiDefinition } from '../api-definition.ts';
import { whyOtherMethods } from './check-methods.ts';
import { replaceGenerated } from './replace-generated.ts';
import type { CallingAuthorizer, ReadRoutes } from './replace-generated.ts';

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

/** Reads the definition that SAM made of the deployed template, resolved; undefined: SAM made none. */
export async function readDeployedDefinition(
  tools: ServiceContext,
  { resource, stack }: Pick<DefinitionWork, 'resource' | 'stack'>,
): Promise<TemplateMap | undefined> {
  const processed = await processedTemplate(tools, stack);
  const { Body: deployed } = mapOf(resourceOf(processed, resource.logicalId)['Properties']);
  return isMap(deployed) ? mapOf((await tools.values.resolve(deployed, stack)).value) : undefined;
}

/** Whether two definitions are the same but for their order. Pure. */
export function isSameDefinition(one: TemplateMap, other: TemplateMap): boolean {
  return toJson(normalized(one)) === toJson(normalized(other));
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

/** Parts of `Auth` that SAM makes no methods and authorizers of. */
const BESIDE_METHODS = ['ResourcePolicy', 'UsagePlan'];

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

/** `Auth` without what SAM writes neither into methods nor into authorizers. Pure. */
export function methodAuth(auth: TemplateValue): TemplateValue {
  if (!isMap(auth)) return auth;
  const entries = Object.entries(auth).map(([name, value]) => [name, BESIDE_METHODS.includes(name) ? true : value]);
  return Object.fromEntries(entries) as TemplateMap;
}

/** Why the API may not call its authorizers yet: API Gateway may call a new authorizer's function with the permission that the deployment makes. */
export async function whyNotAllowed(
  { stacks }: ServiceContext,
  { resource: { logicalId }, stack }: Pick<DefinitionWork, 'resource' | 'stack'>,
  calling: readonly CallingAuthorizer[],
): Promise<string | undefined> {
  if (calling.length === 0) return undefined;
  const listing = (await stacks.listing(stack.path)) ?? {};
  const without = calling.filter(
    ({ name, isNew, needsPermission }) =>
      isNew || (needsPermission && ownValue(listing, `${logicalId}${name}AuthorizerPermission`) === undefined),
  );
  return without[0] && `only the deployment permits the API to call the function of authorizer ${without[0].name}`;
}

async function processedTemplate(
  { aws, stacks, stackId }: ServiceContext,
  { path, logicalId = '' }: Stack,
): Promise<TemplateMap | undefined> {
  if (path === '') return readProcessedTemplate(aws, stackId);
  const listing = (await stacks.listing(splitIdentifier(path).stackPath)) ?? {};
  const nested = ownValue(listing, logicalId)?.physicalId;
  return nested === undefined ? undefined : readProcessedTemplate(aws, nested);
}

/** The same definition as the same text: SAM orders members and tags in ways of its own. */
function normalized({ tags, ...document }: TemplateMap): TemplateMap {
  const inOrder = Array.isArray(tags) ? [...tags].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1)) : tags;
  return sorted(inOrder === undefined ? document : { ...document, tags: inOrder });
}

function nameOf(tag: TemplateValue): string {
  return scalarText(mapOf(tag)['name']) ?? '';
}

function sorted(map: TemplateMap): TemplateMap {
  const entries = Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries<TemplateValue>(entries.map(([name, value]) => [name, sortedValue(value)]));
}

function sortedValue(value: TemplateValue): TemplateValue {
  if (Array.isArray(value)) return value.map(sortedValue);
  return isMap(value) ? sorted(value) : value;
}
