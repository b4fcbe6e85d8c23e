import { readProcessedTemplate } from '../../deploy/describe-stack.ts';
import { splitIdentifier } from '../../model/stack.ts';
import type { Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { kindOf, settingsOf } from '../../template/kinds/kinds.ts';
import { isMap, mapOf, resourceOf } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { blocked } from '../definition-plan.ts';
import type { DefinitionWork, UnplannedDefinition } from '../definition-plan.ts';
import { toJson } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import type { ApiDefinition } from './api-definition.ts';
import { replaceParts, sameBody } from './generated-parts.ts';

/** A definition that SAM generates. */
export interface GeneratedDefinition extends ApiDefinition {
  /** The deployed template leads to the same one. */
  isDeployed: boolean;
}

/** Whether only properties changed that SAM writes into the definition, so that the deployed one is the base of the new one. */
export function isGenerated({ resource: { type, definition }, settings, isChanged }: DefinitionWork): boolean {
  const { generatedDirect = [] } = kindOf(type) ?? {};
  return !isChanged && definition.kind !== 'file' && settings.some((name) => generatedDirect.includes(name));
}

/** Takes the definition that SAM made of the deployed template, and replaces what it makes of properties. */
export async function readGeneratedDefinition(
  tools: ServiceContext,
  { resource, stack }: DefinitionWork,
): Promise<GeneratedDefinition | UnplannedDefinition> {
  const { id, logicalId, type, properties, definition } = resource;
  const { generatedDirect = [] } = kindOf(type) ?? {};
  if (definition.kind === 'inline' && PARTS.some((part) => mapOf(definition.value)[part] !== undefined))
    return blocked(`${id}: only SAM knows what it adds to ${PARTS.join(', ')} of a definition`);
  const processed = await processedTemplate(tools, stack);
  const { Body: deployed } = mapOf(resourceOf(processed, logicalId)['Properties']);
  if (!isMap(deployed)) return blocked(`${id}: only SAM knows its definition`);
  const names = [...generatedDirect, 'Auth'];
  const written = Object.fromEntries<TemplateValue>(names.map((name) => [name, properties[name] ?? null]));
  const [body, wanted, settings] = await Promise.all([
    tools.values.resolve(deployed, stack),
    tools.values.resolve({ ...written, Auth: written['Auth'] === null ? null : {} }, stack),
    // an import resets them
    tools.values.resolve(settingsOf(type, properties), stack),
  ]);
  const missing = [...body.missing, ...wanted.missing, ...settings.missing];
  if (missing.length > 0) return blocked(`${id}: only CloudFormation knows the value of ${missing.join(', ')}`);
  const parts = replaceParts(mapOf(body.value), mapOf(wanted.value));
  if ('why' in parts) return blocked(`${id}: ${parts.why}`);
  return {
    body: toJson(parts.body),
    properties: mapOf(settings.value),
    isDeployed: sameBody(parts.body, mapOf(body.value)),
  };
}

/** Parts of a definition in the template that SAM adds to. */
const PARTS = [
  'components',
  'definitions',
  'x-amazon-apigateway-binary-media-types',
  'x-amazon-apigateway-gateway-responses',
];

async function processedTemplate(
  { aws, stacks, stackId }: ServiceContext,
  { path, logicalId = '' }: Stack,
): Promise<TemplateMap | undefined> {
  if (path === '') return readProcessedTemplate(aws, stackId);
  const listing = (await stacks.listing(splitIdentifier(path).stackPath)) ?? {};
  const nested = ownValue(listing, logicalId)?.physicalId;
  return nested === undefined ? undefined : readProcessedTemplate(aws, nested);
}
