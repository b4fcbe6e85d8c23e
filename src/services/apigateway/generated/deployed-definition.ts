import { readProcessedTemplate } from '../../../deploy/describe-stack.ts';
import { splitIdentifier } from '../../../model/stack.ts';
import type { Stack } from '../../../model/stack.ts';
import { ownValue } from '../../../support/own-value.ts';
import { isMap, mapOf, resourceOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import type { DefinitionWork } from '../../definition-plan.ts';
import { toJson } from '../../definition-text.ts';
import type { ServiceContext } from '../../service-context.ts';

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

/** Reads what SAM made of the deployed template of a stack. */
export async function processedTemplate(
  { aws, stacks, stackId }: ServiceContext,
  { path, logicalId = '' }: Stack,
): Promise<TemplateMap | undefined> {
  if (path === '') return readProcessedTemplate(aws, stackId);
  const listing = (await stacks.listing(splitIdentifier(path).stackPath)) ?? {};
  const nested = ownValue(listing, logicalId)?.physicalId;
  return nested === undefined ? undefined : readProcessedTemplate(aws, nested);
}

/** The same definition as the same text: SAM orders members and tags in ways of its own. */
export function normalized({ tags, ...document }: TemplateMap): TemplateMap {
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
